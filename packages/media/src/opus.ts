import {
  Application,
  createDecoder,
  createEncoder,
  EncoderCtl,
  loadLibopus,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
  Signal,
} from 'libopus-wasm';

/**
 * The Opus codec behind one interface, so that the engine neither knows nor cares which library computes it. Mono: what
 * is transcoded is telephone audio. Every call is synchronous. Results are the caller's to keep.
 */

export type OpusRate = 8000 | 16000 | 24000 | 48000;

export interface OpusEncoderSettings {
  readonly rate: OpusRate;
  /** Bits per second; the peer's `maxaveragebitrate` bounds it (RFC 7587 §6.1). */
  readonly bitrate: number;
  /** In-band forward error correction, when the peer asked `useinbandfec=1`. */
  readonly fec: boolean;
}

export interface OpusEncoder {
  /** One 20 ms frame in, one packet out; `undefined` in the moment before the codec exists. `alone`: predicted from nothing before it. */
  encode(pcm: Int16Array, alone?: boolean): Uint8Array | undefined;
  free(): void;
}

export interface OpusDecoder {
  /** One packet → PCM, or `undefined` when it is not a valid Opus packet. */
  decode(packet: Uint8Array): Int16Array | undefined;
  /** The `samples` before `packet`, from its redundancy if it has any, else concealed. */
  recover(packet: Uint8Array, samples: number): Int16Array | undefined;
  /** `samples` of concealment for a lost packet. */
  conceal(samples: number): Int16Array | undefined;
  free(): void;
}

export interface OpusFactory {
  readonly name: string;
  encoder(settings: OpusEncoderSettings): OpusEncoder;
  decoder(rate: OpusRate): OpusDecoder;
}

/** A peer's packet may be any bytes: a codec error is "no audio", never an exception of ours. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

/** The library hands instances out by promise, resolved within the same turn once it is loaded. */
class Pending<H extends { free(): void }> {
  handle: H | undefined;
  #freed = false;

  constructor(made: Promise<H>) {
    made.then(
      (handle) => {
        if (this.#freed) handle.free();
        else this.handle = handle;
      },
      () => undefined,
    );
  }

  free(): void {
    this.#freed = true;
    this.handle?.free();
    this.handle = undefined;
  }
}

function encoder(settings: OpusEncoderSettings): OpusEncoder {
  const pending = new Pending<OpusEncoderHandle>(
    createEncoder({
      application: Application.Voip,
      sampleRate: settings.rate,
      channels: 1,
      bitrate: settings.bitrate,
      complexity: 5,
      fec: settings.fec,
      packetLossPercent: settings.fec ? 10 : 0,
      signal: Signal.Auto,
    }),
  );
  const options = { frameSize: settings.rate / 50, maxPacketBytes: 1200 };
  const predict = (on: boolean): void =>
    pending.handle?.encoderCtl(EncoderCtl.SetPredictionDisabled, on ? 0 : 1);
  return {
    encode: (pcm, alone) =>
      attempt(() => {
        if (alone !== true) return pending.handle?.encode(pcm, options);
        predict(false);
        try {
          return pending.handle?.encode(pcm, options);
        } finally {
          predict(true);
        }
      }),
    free: () => pending.free(),
  };
}

function decoder(rate: OpusRate): OpusDecoder {
  const pending = new Pending<OpusDecoderHandle>(createDecoder({ sampleRate: rate, channels: 1 }));
  return {
    decode: (packet) => attempt(() => pending.handle?.decode(packet)),
    recover: (packet, samples) =>
      attempt(() => pending.handle?.decode(packet, { decodeFec: true, frameSize: samples })),
    conceal: (samples) => attempt(() => pending.handle?.decodePacketLoss(samples)),
    free: () => pending.free(),
  };
}

/** Loads libopus (WebAssembly). After this resolves, codecs are ready within the turn they are made in. */
export async function loadOpus(): Promise<OpusFactory> {
  const { version } = await loadLibopus();
  return { name: version, encoder, decoder };
}
