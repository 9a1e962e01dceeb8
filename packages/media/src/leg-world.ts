import type { Ms, Random } from '@sidetone/core';
import type { MediaEvent } from '@sidetone/wire';
import type { OpusFactory } from './opus.ts';
import type { PacketBuffers } from './packet-buffer.ts';
import type { MediaLimits, RecordingPort } from './ports.ts';
import type { Report } from './report-log.ts';
import type { SharedSounds } from './shared-sounds.ts';
import type { Tracks } from './track.ts';

/** What the legs of an engine share. */
export interface LegWorld {
  readonly now: () => Ms;
  readonly random: Random;
  readonly opus: OpusFactory;
  readonly tracks: Tracks;
  readonly buffers: PacketBuffers;
  readonly limits: MediaLimits;
  readonly sounds: SharedSounds;
  readonly recordings: RecordingPort;
  readonly emit: (event: MediaEvent) => void;
  /** Emits what must not be lost with an owner; returns it as it was told. */
  readonly report: (report: Report) => Report;
  /** A number that no other feeder of any stream has. */
  readonly newFeeder: () => number;
  readonly cname: string;
}
