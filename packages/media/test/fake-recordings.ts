import type { RecordingFile, RecordingPort } from '../src/index.ts';
import { join } from './fake-sounds.ts';

/** A file as it was written. */
export interface FakeRecording {
  readonly rate: number;
  readonly channels: number;
  readonly blocks: Int16Array[];
  closed: boolean;
  /** The disk refuses from now on. */
  fail: () => void;
}

/** Recordings in memory. */
export class FakeRecordings implements RecordingPort {
  readonly files = new Map<string, FakeRecording>();
  /** The disk is so slow that nothing more may wait. */
  full = false;

  open(
    file: string,
    { rate, channels }: { rate: number; channels: 1 | 2 },
    failed: () => void,
  ): RecordingFile {
    let broken = false;
    const recording: FakeRecording = {
      rate,
      channels,
      blocks: [],
      closed: false,
      fail: () => {
        broken = true;
        failed();
      },
    };
    this.files.set(file, recording);
    return {
      write: (block) => {
        if (broken || this.full) return false;
        recording.blocks.push(block);
        return true;
      },
      close: async () => {
        recording.closed = true;
        return { frames: join(recording.blocks).length / channels, failed: broken };
      },
    };
  }

  /** What is in a channel of a file. */
  channel(file: string, channel: number): Int16Array {
    const { blocks, channels } = this.files.get(file)!;
    return join(blocks).filter((_, i) => i % channels === channel);
  }
}
