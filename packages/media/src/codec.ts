import { decodePcma, decodePcmu, encodePcma, encodePcmu } from '@sidetone/rtc';
import type { CodecName } from '@sidetone/wire';
import { G722Decoder, G722Encoder } from './g722.ts';
import type { OpusFactory } from './opus.ts';

/** Sampling rates at which codecs work here. */
export type PcmRate = 8000 | 16000 | 24000 | 48000;

/** The rate at which two codecs meet: that of the narrower one, so that no resampler runs. */
export function meetingRate(a: CodecName, b: CodecName): PcmRate {
  return codecRate(a, codecRate(b, 16_000));
}

/** The rate at which a codec works where none above `most` is of use. */
export function codecRate(codec: CodecName, most: PcmRate): PcmRate {
  if (codec === 'OPUS') return most;
  return codec === 'G722' && most > 8000 ? 16_000 : 8000;
}

/** The RTP clock of a codec (RFC 3551 table 4: G722 counts at 8000; RFC 7587 §4.1: Opus always at 48000). */
export function clockRate(codec: CodecName): number {
  return codec === 'OPUS' ? 48_000 : 8000;
}

export interface PcmDecoder {
  decode(payload: Uint8Array): Int16Array | undefined;
  recover(payload: Uint8Array, samples: number): Int16Array | undefined;
  conceal(samples: number): Int16Array | undefined;
  free(): void;
}

export interface PcmEncoder {
  /** One 20 ms frame. The result is the caller's. `alone`: to be understood without those before it, as far as the codec can. */
  encode(pcm: Int16Array, alone?: boolean): Uint8Array | undefined;
  /** Goes on where another of the same codec is, so that who has heard that one hears no seam; absent where the state cannot be had. */
  follow?(other: PcmEncoder): void;
  free(): void;
}

export interface EncoderLimits {
  /** The peer's `maxaveragebitrate` or bandwidth, if it stated one. */
  readonly maxBitrate?: number;
  readonly fec?: boolean;
}

/** Opus speech at 8 kHz needs no more; wider audio gets more. */
const BITRATE: Readonly<Record<PcmRate, number>> = {
  8000: 24_000,
  16000: 28_000,
  24000: 32_000,
  48000: 32_000,
};

const nothing = (): void => {};

export function pcmDecoder(codec: CodecName, rate: PcmRate, opus: OpusFactory): PcmDecoder {
  switch (codec) {
    case 'OPUS':
      return opus.decoder(rate);
    case 'PCMU':
      return g711Decoder(decodePcmu);
    case 'PCMA':
      return g711Decoder(decodePcma);
    case 'G722':
      return g722Decoder(rate);
  }
}

export function pcmEncoder(
  codec: CodecName,
  rate: PcmRate,
  opus: OpusFactory,
  limits: EncoderLimits,
): PcmEncoder {
  switch (codec) {
    case 'OPUS':
      return opus.encoder({
        rate,
        bitrate: Math.max(6000, Math.min(BITRATE[rate], limits.maxBitrate ?? BITRATE[rate])),
        fec: limits.fec ?? false,
      });
    case 'PCMU':
      return g711Encoder(encodePcmu);
    case 'PCMA':
      return g711Encoder(encodePcma);
    case 'G722':
      return new G722PcmEncoder(rate);
  }
}

type Companding<I, O> = (input: I, output: O) => void;

/** Concealment without help of the codec: the last 10 ms again, ever softer, down to silence within 60 ms. */
function concealing(rate: PcmRate, expand: (payload: Uint8Array) => Int16Array): PcmDecoder {
  const period = rate / 100;
  let last = new Int16Array(period);
  let gain = 1;
  const conceal = (samples: number): Int16Array => {
    const out = new Int16Array(samples);
    for (let i = 0; i < samples; i++) {
      out[i] = Math.round(last[i % period]! * gain);
      gain = Math.max(0, gain - 1 / (6 * period));
    }
    return out;
  };
  return {
    decode(payload) {
      if (payload.length === 0) return undefined;
      const out = expand(payload);
      if (out.length >= period) last = out.slice(-period);
      gain = 1;
      return out;
    },
    recover: (_payload, samples) => conceal(samples),
    conceal,
    free: nothing,
  };
}

function g711Decoder(expand: Companding<Uint8Array, Int16Array>): PcmDecoder {
  return concealing(8000, (payload) => {
    const out = new Int16Array(payload.length);
    expand(payload, out);
    return out;
  });
}

/** G.722 works at its own rate and at that of the telephone band; nobody asks for more (`meetingRate`). */
const g722Rate = (rate: PcmRate): 8000 | 16000 => (rate === 8000 ? 8000 : 16_000);

function g722Decoder(rate: PcmRate): PcmDecoder {
  const decoder = new G722Decoder();
  return concealing(rate, (payload) => decoder.decode(payload, g722Rate(rate)));
}

class G722PcmEncoder implements PcmEncoder {
  readonly free = nothing;
  readonly #encoder = new G722Encoder();
  readonly #rate: 8000 | 16000;

  constructor(rate: PcmRate) {
    this.#rate = g722Rate(rate);
  }

  encode(pcm: Int16Array): Uint8Array {
    return this.#encoder.encode(pcm, this.#rate);
  }

  follow(other: PcmEncoder): void {
    if (other instanceof G722PcmEncoder) this.#encoder.follow(other.#encoder);
  }
}

function g711Encoder(compress: Companding<Int16Array, Uint8Array>): PcmEncoder {
  return {
    encode(pcm) {
      const out = new Uint8Array(pcm.length);
      compress(pcm, out);
      return out;
    },
    free: nothing,
  };
}
