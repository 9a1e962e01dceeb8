import { existsSync } from 'node:fs';
import { writeStun } from '@sidetone/rtc';
import { cpuSeconds, mediaPort, pause, startEngine } from './engine-process.ts';
import { FINGERPRINT, KEY_TO_ENGINE } from './relay-keys.ts';
import { type Call, Load, openCalls } from './relay-load.ts';
import { Rtpengine } from './rtpengine.ts';

/**
 * CPU per forwarded packet of the media process beside Debian's rtpengine in user space: SRTP on one end, plain RTP on
 * the other, 172-byte packets, replay list and RTCP on, equal load in one run.
 */

const CALLS = [200, 600] as const;
const WARM_UP_S = 2;
const WINDOWS = 3;
const WINDOW_S = 4;
/** Below those that systems hand out by themselves. */
const ENGINE_PORTS = [14_000, 16_999] as const;
const NG_PORT = 39_900;

interface Engine {
  readonly pid: number;
  connect(call: Call, index: number): Promise<void>;
  stop(): void;
}

interface Figures {
  readonly microseconds: number;
  readonly core: number;
  /** Forwarded packets a second: below 100 a call, the generator was starved. */
  readonly rate: number;
  readonly lost: number;
}

export async function run(print: (line: string) => void): Promise<void> {
  const rtpengine = ['/usr/bin/rtpengine', '/usr/sbin/rtpengine'].find(existsSync);
  print('SRTP (AES_CM_128_HMAC_SHA1_80) <-> RTP, 172-byte packets, replay list and RTCP on, loopback');
  print('calls   engine      packets/s   µs CPU/packet   of a core   lost');
  for (const calls of CALLS) {
    const ours = await measure(await startOurs(), calls);
    print(row(calls, 'sidetone', ours));
    if (rtpengine === undefined) {
      print(`${calls}: rtpengine is missing (npm run peers installs it), no ratio`);
      continue;
    }
    const theirs = await measure(await startTheirs(rtpengine), calls);
    print(row(calls, 'rtpengine', theirs));
    print(
      `${calls} calls: ratio ${(ours.microseconds / theirs.microseconds).toFixed(2)} (bar 2.0, goal 1.6), lost ${ours.lost}`,
    );
  }
}

const row = (calls: number, name: string, f: Figures): string =>
  [
    String(calls).padEnd(7),
    name.padEnd(11),
    f.rate.toFixed(0).padStart(9),
    f.microseconds.toFixed(1).padStart(15),
    `${(100 * f.core).toFixed(0)} %`.padStart(11),
    String(f.lost).padStart(6),
  ].join(' ');

async function measure(engine: Engine, count: number): Promise<Figures> {
  const calls = await openCalls(count);
  const load = new Load(calls, WARM_UP_S + WINDOWS * WINDOW_S + 1);
  try {
    for (const [i, call] of calls.entries()) await engine.connect(call, i);
    load.start();
    await pause(WARM_UP_S);
    const windows: Omit<Figures, 'lost'>[] = [];
    for (let i = 0; i < WINDOWS; i++) {
      const before = { cpu: cpuSeconds(engine.pid), received: load.received, at: performance.now() };
      await pause(WINDOW_S);
      const cpu = cpuSeconds(engine.pid) - before.cpu;
      const seconds = (performance.now() - before.at) / 1000;
      const packets = load.received - before.received;
      windows.push({ microseconds: (cpu * 1e6) / packets, core: cpu / seconds, rate: packets / seconds });
    }
    load.stop();
    await pause(0.5);
    const median = windows.toSorted((a, b) => a.microseconds - b.microseconds)[WINDOWS >> 1]!;
    if (load.deaf > 0) throw new Error(`${load.deaf} of ${2 * count} ends heard nothing`);
    return { ...median, lost: load.lost };
  } finally {
    load.stop();
    engine.stop();
    for (const call of calls) {
      call.secure.close();
      call.plain.close();
    }
  }
}

const plainSdp = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`;

async function startOurs(): Promise<Engine> {
  const { pid, command, stop } = await startEngine(ENGINE_PORTS);
  return {
    pid,
    stop,
    async connect(call, i) {
      const secure = `${plainSdp(9).replace('RTP/AVP', 'UDP/TLS/RTP/SAVPF')}a=ice-ufrag:gen${i}\r\na=ice-pwd:generator-password-0123\r\na=fingerprint:sha-256 ${FINGERPRINT}\r\na=setup:actpass\r\na=rtcp-mux\r\n`;
      const answer = await command({
        op: 'answer',
        leg: `s${i}`,
        kind: 'webrtc',
        sdp: secure,
        codecs: ['PCMU'],
      });
      const plain = await command({
        op: 'answer',
        leg: `p${i}`,
        kind: 'rtp',
        sdp: plainSdp(call.plain.address().port),
        codecs: ['PCMU'],
      });
      call.secureTarget = mediaPort(answer);
      call.plainTarget = mediaPort(plain);
      await command({ op: 'source', leg: `s${i}`, source: { kind: 'leg', leg: `p${i}` } });
      await command({ op: 'source', leg: `p${i}`, source: { kind: 'leg', leg: `s${i}` } });
      call.secure.send(check(answer, i), call.secureTarget, '127.0.0.1');
    },
  };
}

/** The one connectivity check that approves the generator's path. */
function check(sdp: string, i: number): Uint8Array {
  const text = new TextEncoder();
  const ufrag = /a=ice-ufrag:(\S+)/.exec(sdp)?.[1];
  const pwd = /a=ice-pwd:(\S+)/.exec(sdp)?.[1] ?? '';
  return writeStun(
    {
      class: 'request',
      method: 1,
      transactionId: new Uint8Array(12).fill(i & 255),
      attributes: [
        [0x0006, text.encode(`${ufrag}:gen${i}`)],
        [0x0024, Uint8Array.of(0x6e, 0, 0, 1)],
        [0x802a, new Uint8Array(8).fill(1)],
        [0x0025, new Uint8Array(0)],
      ],
    },
    text.encode(pwd),
  );
}

async function startTheirs(path: string): Promise<Engine> {
  const engine = await Rtpengine.start(path, NG_PORT, ENGINE_PORTS);
  const key = Buffer.concat([KEY_TO_ENGINE.key, KEY_TO_ENGINE.salt]).toString('base64');
  const command = async (request: Parameters<Rtpengine['command']>[0]): Promise<string> => {
    const reply = await engine.command(request);
    if (reply?.['result'] !== 'ok') throw new Error(`rtpengine: ${JSON.stringify(reply ?? 'no reply')}`);
    return String(reply['sdp']);
  };
  return {
    pid: engine.process.pid!,
    stop: () => engine.stop(),
    async connect(call, i) {
      const secure = `${plainSdp(call.secure.address().port).replace('RTP/AVP', 'RTP/SAVP')}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}\r\n`;
      const common = { 'call-id': `c${i}`, 'from-tag': 'f', ICE: 'remove', flags: ['generate RTCP'] };
      const offered = await command({
        command: 'offer',
        ...common,
        sdp: secure,
        'transport-protocol': 'RTP/AVP',
      });
      const answered = await command({
        command: 'answer',
        ...common,
        'to-tag': 't',
        sdp: plainSdp(call.plain.address().port),
      });
      call.plainTarget = mediaPort(offered);
      call.secureTarget = mediaPort(answered);
    },
  };
}
