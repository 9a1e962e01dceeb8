import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommandedCrowd, type CommandedLeg } from './src/commanded-crowd.ts';
import { processOf } from './src/crowd.ts';
import { decodeG711 } from './src/g711.ts';
import { freeRange, interfaceAddress } from './src/ports.ts';
import { sidetone, TestServer } from './src/server.ts';
import { pause, until } from './src/wait.ts';

/** What each side says: the same octet of PCMU in every sample, so that each sample of a file can be told. */
const SAID = [0x20, 0x61] as const;
const SAMPLES = SAID.map((octet) => decodeG711('PCMU', Uint8Array.of(octet))[0]!);
/** Of what was said that may be missing: the machine is busy, and the packets of its peers are late. */
const MISSING = 0.03;

interface File {
  readonly seconds: number;
  /** By channel: how much of it is what that side says. */
  readonly shares: readonly number[];
}

/** A recording, fetched by its link and read as a strict player would. */
async function fetched(url: string): Promise<File> {
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  const wav = Buffer.from(await answer.arrayBuffer());
  const [channels, rate, bytes] = [wav.readUInt16LE(22), wav.readUInt32LE(24), wav.readUInt32LE(40)];
  assert.deepEqual([wav.toString('latin1', 0, 4), wav.length], ['RIFF', 44 + bytes]);
  const frames = bytes / 2 / channels;
  const shares = Array.from({ length: channels }, (_, channel) => {
    let said = 0;
    for (let i = 0; i < frames; i++)
      if (wav.readInt16LE(44 + 2 * (i * channels + channel)) === SAMPLES[channel]) said++;
    return said / frames;
  });
  return { seconds: frames / rate, shares };
}

describe('a recording whose processes die', { timeout: 300_000 }, () => {
  let server: TestServer;
  let crowd: CommandedCrowd;
  let a: CommandedLeg;
  let b: CommandedLeg;

  before(async () => {
    server = await TestServer.start({
      config: {
        media: { address: interfaceAddress(), ports: await freeRange(60) },
        webhooks: { allow: ['127.0.0.1'] },
      },
    });
    crowd = await CommandedCrowd.start(server);
    await pair();
  });
  after(async () => {
    crowd?.close();
    await server?.kill();
  });

  async function pair(): Promise<void> {
    a = await crowd.add();
    b = await crowd.add();
    await crowd.backEnd.commands(a.control, 'bridge', { call_control_id: b.control });
    await crowd.backEnd.hears(a.control, 'call.bridged');
    a.call.media.say(SAID[0]);
    b.call.media.say(SAID[1]);
    let heard = 0;
    a.call.media.onPayload = (payload) => void (heard += Number(payload.every((x) => x === SAID[1])));
    await until('the two to talk', () => heard > 10, { detail: () => server.log });
  }

  const saved = async (
    count: number,
  ): Promise<{ readonly urls: Record<string, string>; readonly seconds: number }> => {
    await until(
      'call.recording.saved',
      () => crowd.backEnd.of(a.control, 'call.recording.saved').length >= count,
      { limitMs: 60_000, detail: () => server.log },
    );
    const { payload } = crowd.backEnd.of(a.control, 'call.recording.saved')[count - 1]!;
    const ms = Date.parse(payload.recording_ended_at) - Date.parse(payload.recording_started_at);
    return { urls: payload.recording_urls, seconds: ms / 1000 };
  };

  const whole = ({ seconds, shares }: File, wanted: number): void => {
    assert.ok(Math.abs(seconds - wanted) < 0.5, `${seconds} of ${wanted} s`);
    for (const share of shares) assert.ok(share > 1 - MISSING, `${shares}`);
  };

  it('signalling, killed and handed over: it is one file without a gap', async () => {
    const { backEnd } = crowd;
    await backEnd.commands(a.control, 'record_start', { format: 'wav', channels: 'dual' });
    await pause(2000);
    const before = processOf(server, 'signalling')!;
    const since = performance.now();
    process.kill(before, 'SIGKILL');
    await until('another signalling process', () => {
      const pid = processOf(server, 'signalling');
      return pid !== undefined && pid !== before;
    });
    await crowd.back(since);
    await pause(1000);
    const result = await sidetone('handover', '--data', server.dataDir);
    assert.equal(result.code, 0, result.stderr);
    await pause(1000);
    const { status, body } = await backEnd.command(a.control, 'record_start', {
      format: 'wav',
      channels: 'dual',
    });
    assert.deepEqual([status, body.errors?.[0]?.code], [422, '10015'], 'it is known to be recorded');
    await backEnd.commands(a.control, 'record_stop');
    const { urls, seconds } = await saved(1);
    assert.ok(seconds > 5, `${seconds}`);
    whole(await fetched(urls['wav']!), seconds);
  });

  it('signalling, killed behind the hang-up: it is told by the next process, and once', async () => {
    const { backEnd } = crowd;
    await backEnd.commands(a.control, 'record_start', { format: 'wav', channels: 'dual' });
    await pause(2000);
    const since = performance.now();
    const before = processOf(server, 'signalling')!;
    await backEnd.commands(a.control, 'hangup');
    process.kill(before, 'SIGKILL');
    const { urls, seconds } = await saved(2);
    whole(await fetched(urls['wav']!), seconds);
    await crowd.back(since);
    const told = backEnd.of(a.control).map(({ name }) => name);
    assert.deepEqual(told.slice(-2), ['call.hangup', 'call.recording.saved']);
    assert.equal(new Set(backEnd.of(a.control, 'call.recording.saved').map(({ id }) => id)).size, 2);
  });

  it('media, killed: what was recorded until then is saved, behind the hang-up', async () => {
    await pair();
    const { backEnd } = crowd;
    await backEnd.commands(a.control, 'record_start', { format: 'wav', channels: 'dual' });
    await pause(4000);
    process.kill(processOf(server, 'media')!, 'SIGKILL');
    const { urls, seconds } = await saved(1);
    const file = await fetched(urls['wav']!);
    // Half a second is written at a time, a second after it was said.
    assert.ok(file.seconds > seconds - 2.5 && file.seconds > 2, `${file.seconds} of ${seconds} s`);
    for (const share of file.shares) assert.ok(share > 1 - MISSING, `${file.shares}`);
    assert.deepEqual(
      backEnd
        .of(a.control)
        .map(({ name }) => name)
        .slice(-2),
      ['call.hangup', 'call.recording.saved'],
    );
  });
});
