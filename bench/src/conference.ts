import { existsSync } from 'node:fs';
import { percentile } from './conditions.ts';
import {
  type Caller,
  type Codec,
  Conference,
  openCallers,
  PAYLOAD_TYPE,
  soundsOf,
  TALKERS,
} from './conference-load.ts';
import { cpuSeconds, mediaPort, pause, startEngine } from './engine-process.ts';
import { Janus } from './janus.ts';

/**
 * CPU of a conference, of which all send and four talk, beside Debian's Janus (AudioBridge), which decodes and encodes for each member;
 * and how long the mixer holds a voice.
 */
const RUNS = [
  ['PCMU', 8000, 50],
  ['PCMU', 8000, 200],
  ['PCMU', 8000, 400],
  ['OPUS', 48_000, 50],
  ['OPUS', 48_000, 200],
] as const;
/** More of its members do not fit onto two cores. */
const MOST_OF_JANUS = 200;
const ENGINE_PORTS = [14_000, 16_999] as const;
const HTTP_PORT = 39_910;
const WARM_UP_S = 2;
const WINDOWS = 3;
const WINDOW_S = 3;
const PROBES_S = 16;

interface Engine {
  readonly pid: number;
  /** Where the engine hears the member. */
  join(caller: Caller, index: number): Promise<number>;
  stop(): void;
}

interface Figures {
  readonly core: number;
  /** Packets a second that members heard: below 50 each, a process was starved. */
  readonly rate: number;
  readonly delays: readonly number[];
}

export async function run(print: (line: string) => void): Promise<void> {
  const janus = ['/usr/bin/janus', '/usr/local/bin/janus'].find(existsSync);
  print(
    `one conference, plain RTP, all send 50 packets a second, ${TALKERS} talk, loopback; delay: packet in to packet out, one frame told from the others`,
  );
  print(
    'codec       members engine     packets/s   of a core   µs CPU/packet   members/core   delay p50    p99',
  );
  const only = Number(process.env['BENCH_MEMBERS'] ?? 0);
  for (const [codec, rate, members] of RUNS) {
    if (only !== 0 && members !== only) continue;
    const ours = await measure(await startOurs(codec), codec, rate, members);
    print(row(codec, rate, members, 'sidetone', ours));
    if (janus === undefined) {
      print('janus is missing (apt-get install janus), no ratio');
      continue;
    }
    if (members > MOST_OF_JANUS) continue;
    const theirs = await measure(await startJanus(janus, codec, rate), codec, rate, members);
    print(row(codec, rate, members, 'janus', theirs));
    const ratio = ((theirs.core / theirs.rate) * ours.rate) / ours.core;
    print(`${codec} ${members}: ${ratio.toFixed(1)} times as many members a core`);
  }
}

const row = (codec: Codec, rate: number, members: number, name: string, f: Figures): string =>
  [
    `${codec} ${rate / 1000}k`.padEnd(11),
    String(members).padStart(7),
    name.padEnd(9),
    f.rate.toFixed(0).padStart(10),
    `${(100 * f.core).toFixed(0)} %`.padStart(11),
    ((f.core * 1e6) / f.rate).toFixed(1).padStart(15),
    (f.rate / 50 / f.core).toFixed(0).padStart(14),
    `${f.delays.length === 0 ? '-' : percentile(f.delays, 0.5).toFixed(0)} ms`.padStart(11),
    `${f.delays.length === 0 ? '-' : percentile(f.delays, 0.99).toFixed(0)} ms`.padStart(8),
  ].join(' ');

async function measure(engine: Engine, codec: Codec, rate: 8000 | 48000, members: number): Promise<Figures> {
  const callers = await openCallers(members);
  const seconds = WARM_UP_S + WINDOWS * WINDOW_S + PROBES_S + 4;
  const load = new Conference(callers, await soundsOf(codec, rate, seconds));
  try {
    for (const [i, caller] of callers.entries()) caller.target = await engine.join(caller, i);
    load.start();
    await pause(WARM_UP_S);
    const windows: { core: number; rate: number }[] = [];
    for (let i = 0; i < WINDOWS; i++) {
      const before = { cpu: cpuSeconds(engine.pid), received: load.received, at: performance.now() };
      await pause(WINDOW_S);
      const passed = (performance.now() - before.at) / 1000;
      windows.push({
        core: (cpuSeconds(engine.pid) - before.cpu) / passed,
        rate: (load.received - before.received) / passed,
      });
    }
    if (codec === 'PCMU') {
      load.probe();
      await pause(PROBES_S);
    }
    const median = windows.toSorted((a, b) => a.core / a.rate - b.core / b.rate)[WINDOWS >> 1]!;
    const deaf = callers.filter(({ received }) => received === 0).length;
    if (deaf > 0) throw new Error(`${deaf} of ${members} members heard nothing`);
    return { ...median, delays: load.delays };
  } finally {
    load.stop();
    engine.stop();
    for (const { socket } of callers) socket.close();
  }
}

async function startOurs(codec: Codec): Promise<Engine> {
  const { pid, command, stop } = await startEngine(ENGINE_PORTS);
  const type = PAYLOAD_TYPE[codec];
  const map = codec === 'OPUS' ? 'opus/48000/2' : 'PCMU/8000';
  return {
    pid,
    stop,
    async join({ socket }, index) {
      const leg = `m${index}`;
      const { port } = socket.address();
      const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP ${type}\r\na=rtpmap:${type} ${map}\r\n`;
      const answer = await command({ op: 'answer', leg, kind: 'rtp', sdp, codecs: [codec] });
      await command({ op: 'source', leg, source: { kind: 'room', room: 'r', to: 'all' } });
      return mediaPort(answer);
    },
  };
}

async function startJanus(path: string, codec: Codec, rate: number): Promise<Engine> {
  const janus = await Janus.start(path, HTTP_PORT, rate);
  return {
    pid: janus.process.pid!,
    stop: () => janus.stop(),
    join: ({ socket }) =>
      janus.join(codec === 'OPUS' ? 'opus' : 'pcmu', socket.address().port, PAYLOAD_TYPE[codec]),
  };
}
