import type { Ms } from '@sidetone/core';
import type { RtpHeader } from '@sidetone/rtc';
import type { CodecName } from '@sidetone/wire';

/** A stream that is heard; another `feeder` is another stream of the same leg. */
export interface Feeder {
  readonly feeder: number;
}

/** Takes the audio packets of a leg. `packet` is only to be read, and only during the call. */
export interface Sink {
  packet(from: Feeder, codec: CodecName, header: RtpHeader, packet: Uint8Array, now: Ms): void;
}

/** Whoever is given a leg's packets: by the sink that is in service, which wishes change and packets do not ask for. */
export interface Hearer {
  readonly inlet: Sink;
}

/** Of who hears a play in place of its source. */
export const DEAF: Sink = { packet: () => {} };
