import { decodePcma, decodePcmu, encodePcma, encodePcmu } from '@sidetone/rtc';
import type { CodecName } from '@sidetone/wire';
import type { OpusFactory, OpusRate } from './opus.ts';

/** The rate at which two codecs meet: that of the narrower one, so that no resampler runs. */
export type PcmRate = 8000 | 16000 | 24000;

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
  /** One 20 ms frame. The result is the caller's. */
  encode(pcm: Int16Array): Uint8Array | undefined;
  free(): void;
}

export interface EncoderLimits {
  /** The peer's `maxaveragebitrate` or bandwidth, if it stated one. */
  readonly maxBitrate?: number;
  readonly fec?: boolean;
}

/** Opus speech at 8 kHz needs no more; wider audio gets more. */
const BITRATE: Readonly<Record<PcmRate, number>> = { 8000: 24_000, 16000: 28_000, 24000: 32_000 };

const nothing = (): void => {};

export function pcmDecoder(codec: CodecName, rate: PcmRate, opus: OpusFactory): PcmDecoder | undefined {
  switch (codec) {
    case 'OPUS':
      return opus.decoder(rate as OpusRate);
    case 'PCMU':
      return g711Decoder(decodePcmu);
    case 'PCMA':
      return g711Decoder(decodePcma);
    case 'G722':
      return undefined;
  }
}

export function pcmEncoder(
  codec: CodecName,
  rate: PcmRate,
  opus: OpusFactory,
  limits: EncoderLimits,
): PcmEncoder | undefined {
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
      return undefined;
  }
}

type Companding<I, O> = (input: I, output: O) => void;

/** Concealment for G.711: the last 10 ms again, ever softer, down to silence within 60 ms. */
function g711Decoder(expand: Companding<Uint8Array, Int16Array>): PcmDecoder {
  let last = new Int16Array(80);
  let gain = 1;
  const conceal = (samples: number): Int16Array => {
    const out = new Int16Array(samples);
    for (let i = 0; i < samples; i++) {
      out[i] = Math.round(last[i % last.length]! * gain);
      gain = Math.max(0, gain - 1 / 480);
    }
    return out;
  };
  return {
    decode(payload) {
      if (payload.length === 0) return undefined;
      const out = new Int16Array(payload.length);
      expand(payload, out);
      if (out.length >= 80) last = out.slice(-80);
      gain = 1;
      return out;
    },
    recover: (_payload, samples) => conceal(samples),
    conceal,
    free: nothing,
  };
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
