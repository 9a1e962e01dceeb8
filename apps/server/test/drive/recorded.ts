import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWavHead } from '@sidetone/media';
import type { RecordingToSave } from '@sidetone/wire';

/** Samples of a tone with silence around it, in milliseconds. */
export function toneIn(rate: number, hz: number, before: number, ms: number, behind: number): Int16Array {
  const at = (of: number): number => (of * rate) / 1000;
  return Int16Array.from({ length: at(before + ms + behind) }, (_, i) =>
    i >= at(before) && i < at(before + ms) ? Math.round(9000 * Math.sin((2 * Math.PI * hz * i) / rate)) : 0,
  );
}

/** A file as media leaves it, with `more` octets of a block that was not finished. */
export function recorded(
  dataDir: string,
  id: string,
  rate: number,
  channels: readonly Int16Array[],
  more = 0,
): string {
  const frames = channels[0]!.length;
  const samples = Int16Array.from({ length: frames * channels.length }, (_, i) => {
    return channels[i % channels.length]![Math.floor(i / channels.length)]!;
  });
  const file = `recordings/open/${id}.wav`;
  const head = writeWavHead(rate, channels.length, samples.byteLength);
  writeFileSync(
    join(dataDir, file),
    Buffer.concat([head, new Uint8Array(samples.buffer), Buffer.alloc(more)]),
  );
  return file;
}

export const toSave = (file: string, more: Partial<RecordingToSave> = {}): RecordingToSave => ({
  format: 'wav',
  channels: 1,
  account: 'a1',
  by: 'StartCallRecordingAPI',
  control: 'v3:c1',
  leg: 'leg-1',
  session: 'session-1',
  conference: null,
  connection: '1900',
  from: '+13125550100',
  to: '+13125550101',
  file,
  name: 'leg-1-1700000000',
  startedAt: 1_700_000_000_000,
  endedAt: 1_700_000_004_000,
  why: 'stopped',
  lostMs: 0,
  ...more,
});
