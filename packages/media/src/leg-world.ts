import type { Ms, Random } from '@sidetone/core';
import type { MediaEvent } from '@sidetone/wire';
import type { OpusFactory } from './opus.ts';
import type { PacketBuffers } from './packet-buffer.ts';
import type { MediaLimits } from './ports.ts';
import type { Tracks } from './track.ts';

/** What the legs of an engine share. */
export interface LegWorld {
  readonly now: () => Ms;
  readonly random: Random;
  readonly opus: OpusFactory;
  readonly tracks: Tracks;
  readonly buffers: PacketBuffers;
  readonly limits: MediaLimits;
  readonly emit: (event: MediaEvent) => void;
  /** A number that no other feeder of any stream has. */
  readonly newFeeder: () => number;
  readonly cname: string;
}
