import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { loadOpus } from '@sidetone/media';
import { newRtpHeader } from '@sidetone/rtc';
import { recordingFiles } from '../../apps/server/src/media/recording-files.ts';
import { createFinisher } from '../../apps/server/src/recordings/finisher.ts';
import { clockRate, pcmEncoder } from '../../packages/media/src/codec.ts';
import type { LegWorld } from '../../packages/media/src/leg-world.ts';
import { RecordedTrack } from '../../packages/media/src/recorded-track.ts';
import { Recorder } from '../../packages/media/src/recorder.ts';

/** Legs, and seconds of sound of each. */
const LEGS = 100;
const SECONDS = 20;

/**
 * What recording costs: packets of both directions into the two channels of a file, decoded, placed and written by the thread of the media
 * process, with everything that does; then the same file as MP3. The clock is a counted one, so the machine does nothing else meanwhile.
 */
export async function run(print: (line: string) => void): Promise<void> {
  const opus = await loadOpus();
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-bench-'));
  for (const codec of ['PCMU', 'G722', 'OPUS'] as const) {
    const rate = codec === 'PCMU' ? 8000 : 16_000;
    const encoder = pcmEncoder(codec, rate, opus, {});
    await rest(1);
    const packets = Array.from({ length: 50 }, (_, frame) => {
      const pcm = Int16Array.from({ length: rate / 50 }, (_unused, i) => {
        const at = (frame * rate) / 50 + i;
        return Math.round(8000 * Math.sin((2 * Math.PI * 300 * at) / rate) * Math.sin(at / 900));
      });
      return encoder.encode(pcm)!.slice();
    });
    let now = 0;
    const files = recordingFiles(folder, () => {});
    const world = { opus, now: () => now, recordings: files } as unknown as LegWorld;
    const ended: { durationMs: number; lostMs: number }[] = [];
    const legs = Array.from({ length: LEGS }, (_, i) => {
      const wish = { id: `${i}`, file: `${codec}-${i}.wav`, channels: 2 } as const;
      const recorder = new Recorder(
        wish,
        rate,
        files,
        now,
        (end) => ended.push(end),
        () => {},
      );
      const tracks = recorder.channels.map((channel) => new RecordedTrack(world, rate, recorder, channel));
      return { recorder, tracks };
    });
    const header = newRtpHeader();
    const feeder = { feeder: 1 };
    const before = process.cpuUsage();
    for (let i = 0; i < SECONDS * 50; i++) {
      now += 20;
      const packet = packets[i % 50]!;
      header.sequence = i & 0xffff;
      header.timestamp = (i * clockRate(codec)) / 50;
      header.payloadLength = packet.length;
      for (const { recorder, tracks } of legs) {
        for (const track of tracks) track.packet(feeder, codec, header, packet, now);
        recorder.tick(now);
      }
      if (i % 50 === 0) await rest(1);
    }
    for (const { recorder } of legs) recorder.end('stopped', now);
    await files.settled();
    const { user, system } = process.cpuUsage(before);
    await files.close();
    const ms = (user + system) / 1000;
    const share = ms / (LEGS * SECONDS * 10);
    const lost = ended.reduce((sum, { lostMs }) => sum + lostMs, 0);
    print(
      `${codec.padEnd(5)} two channels at ${rate / 1000} kHz: ${share.toFixed(3)} % of a core a leg, ${Math.floor(100 / share)} legs a core; ` +
        `${(statSync(join(folder, `${codec}-0.wav`)).size / SECONDS / 1000).toFixed(0)} kB/s each, ${lost} ms lost`,
    );
    const finisher = createFinisher();
    const mp3 = join(folder, `${codec}.mp3`);
    const job = { file: join(folder, `${codec}-0.wav`), into: mp3, trim: false } as const;
    await finisher.finish({ ...job, format: 'mp3' });
    const start = process.cpuUsage();
    await finisher.finish({ ...job, format: 'mp3' });
    const took = process.cpuUsage(start);
    print(
      `      as MP3: ${((took.user + took.system) / 1000 / SECONDS).toFixed(1)} ms a second of it, ${(statSync(mp3).size / SECONDS / 1000).toFixed(1)} kB/s`,
    );
    await finisher.close();
  }
  rmSync(folder, { recursive: true, force: true });
}
