import type { CodecName } from '@sidetone/wire';
import type { EncoderLimits, PcmRate } from './codec.ts';
import type { NoFrame } from './sound-feed.ts';

/** A sound that is asked for, once a tick, in the form in which it is needed: 20 ms as a packet of a codec, or as PCM that is valid until the next. */
export interface Feed {
  encoded(codec: CodecName, limits: EncoderLimits): Uint8Array | NoFrame;
  pcm(rate: PcmRate): Int16Array | NoFrame;
}
