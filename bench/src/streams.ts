import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MediaCommand, StreamBack } from '@sidetone/wire';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Caller, openCallers, PAYLOAD_TYPE, soundsOf } from './conference-load.ts';
import { cpuSeconds, type EngineProcess, mediaPort, pause, startEngine } from './engine-process.ts';

/** CPU of the media process for a leg with a media stream, beside the same leg without: parked, PCMU, 50 packets a second each way. */

const LEGS = 100;
const ENGINE_PORTS = [14_000, 14_999] as const;
const WARM_UP_S = 2;
const WINDOW_S = 6;

const BACK: StreamBack = { mode: 'rtp', codec: 'PCMU', rate: 8000, target: 'self' };
type Ask = Partial<Extract<MediaCommand, { op: 'stream' }>>;
const RUNS: readonly (readonly [name: string, ask: Ask | null])[] = [
  ['no stream', null],
  ['PCMU out, as it is', {}],
  ['both tracks out', { track: 'both' }],
  ['L16 at 16 kHz out', { codec: 'L16', rate: 16_000 }],
  ['Opus out', { codec: 'OPUS' }],
  ['PCMU out, and an echo back', { back: BACK }],
];

/** Says back what it hears. */
function echo(socket: WebSocket): void {
  socket.on('message', (text) => {
    const { event, media } = JSON.parse(String(text)) as { event: string; media?: { payload: string } };
    if (event === 'media')
      socket.send(JSON.stringify({ event: 'media', media: { payload: media!.payload } }));
  });
}

export async function run(print: (line: string) => void): Promise<void> {
  print(`${LEGS} parked legs, plain RTP, PCMU, all talk, loopback`);
  print('stream                        of a core   ms CPU/leg/s   more than none   legs/core');
  let none = 0;
  for (const [name, ask] of RUNS) {
    const core = await measure(ask);
    if (ask === null) none = core;
    const each = (core / LEGS) * 1000;
    const more = ask === null ? '' : `${(((core - none) / LEGS) * 1000).toFixed(2)}`;
    print(
      [
        name.padEnd(28),
        `${(100 * core).toFixed(1)} %`.padStart(10),
        each.toFixed(2).padStart(14),
        more.padStart(16),
        String(Math.floor(LEGS / core)).padStart(11),
      ].join(' '),
    );
  }
}

async function measure(ask: Ask | null): Promise<number> {
  const engine = await startEngine(ENGINE_PORTS);
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  if (ask?.back === undefined) sockets.on('connection', (socket) => socket.on('message', () => {}));
  else sockets.on('connection', echo);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const callers = await openCallers(LEGS);
  let timer: NodeJS.Timeout | undefined;
  try {
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    for (const [i, caller] of callers.entries()) await connect(engine, caller, `leg-${i}`, ask, url);
    const { voices } = await soundsOf('PCMU', 8000, WARM_UP_S + WINDOW_S + 2);
    const began = performance.now();
    let sent = 0;
    timer = setInterval(() => {
      for (; sent < (performance.now() - began) / 20; sent++)
        for (const [i, { socket, target }] of callers.entries())
          socket.send(voices[i % voices.length]![sent % voices[0]!.length]!, target, '127.0.0.1');
    }, 10);
    await pause(WARM_UP_S);
    const [cpu, at] = [cpuSeconds(engine.pid), performance.now()];
    await pause(WINDOW_S);
    return (cpuSeconds(engine.pid) - cpu) / ((performance.now() - at) / 1000);
  } finally {
    clearInterval(timer);
    engine.stop();
    for (const { socket } of callers) socket.close();
    for (const socket of sockets.clients) socket.terminate();
    http.close();
  }
}

async function connect(
  engine: EngineProcess,
  caller: Caller,
  leg: string,
  ask: Ask | null,
  url: string,
): Promise<void> {
  const type = PAYLOAD_TYPE.PCMU;
  const sdp = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${caller.socket.address().port} RTP/AVP ${type} 101`,
    `a=rtpmap:${type} PCMU/8000`,
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n');
  const answer = await engine.command({ op: 'answer', leg, kind: 'rtp', sdp, codecs: ['PCMU'] });
  caller.target = mediaPort(answer);
  if (ask === null) return;
  const start = JSON.stringify({ user_id: 'bench', call_control_id: leg });
  await engine.command({ op: 'stream', leg, id: leg, url, track: 'inbound', rate: 8000, start, ...ask });
}
