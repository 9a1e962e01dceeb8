import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Counts } from './counts.ts';
import {
  answer,
  first,
  lines,
  message,
  methodOf,
  type Peer,
  Repeats,
  SDP,
  statusOf,
  uriOf,
} from './sip-text.ts';

/** How long a call lasts after its answer. */
export const TALK_MS = 500;

interface Call {
  readonly id: string;
  readonly startedAt: number;
  state: 'inviting' | 'up' | 'leaving' | 'over';
  /** What requests in the dialog carry. */
  to: string;
  target: string;
  routes: readonly string[];
  hangUpAt: number;
  readonly counts: Counts;
}

/** A carrier by UDP or TCP that calls a number, talks, and hangs up. */
export class Carrier {
  readonly #peer: Peer;
  readonly #number: string;
  readonly #calls = new Map<string, Call>();
  readonly #leaving: Call[] = [];
  readonly #repeats = new Repeats();
  readonly #run = Math.random().toString(36).slice(2, 8);
  #serial = 0;
  #heard: ((text: string) => void) | undefined;

  constructor(peer: Peer, number: string) {
    this.#peer = peer;
    this.#number = number;
  }

  get live(): number {
    return this.#calls.size;
  }

  call(counts: Counts, now: number): string {
    this.#serial += 1;
    const id = `${this.#run}-${this.#serial}`;
    counts.offered += 1;
    const to = `<sip:${this.#number}@127.0.0.1>`;
    const call: Call = {
      id,
      startedAt: now,
      state: 'inviting',
      to,
      target: '',
      routes: [],
      hangUpAt: 0,
      counts,
    };
    this.#calls.set(id, call);
    const { host, port } = this.#peer;
    const invite = message(
      `INVITE sip:${this.#number}@127.0.0.1 SIP/2.0`,
      [
        ...this.#common(call, 1, 'INVITE', to),
        `Contact: <sip:carrier@${host}:${port};transport=${this.#peer.transport.toLowerCase()}>`,
        'Content-Type: application/sdp',
      ],
      SDP,
    );
    this.#send(`${id} INVITE`, invite);
    return id;
  }

  #send(key: string, text: string): void {
    if (this.#peer.transport === 'TCP') this.#peer.send(text);
    else this.#repeats.start(key, () => this.#peer.send(text));
  }

  #common(call: Call, cseq: number, method: string, to: string, branch = `${method}${cseq}`): string[] {
    const { transport, host, port } = this.#peer;
    return [
      `Via: SIP/2.0/${transport} ${host}:${port};rport;branch=z9hG4bK${call.id}${branch}`,
      'Max-Forwards: 70',
      `From: <sip:+15550001111@127.0.0.1>;tag=c${call.id}`,
      `To: ${to}`,
      `Call-ID: ${call.id}`,
      `CSeq: ${cseq} ${method}`,
    ];
  }

  #inDialog(call: Call, cseq: number, method: string): string {
    return message(`${method} ${call.target} SIP/2.0`, [
      ...this.#common(call, cseq, method, call.to),
      ...call.routes.map((route) => `Route: ${route}`),
    ]);
  }

  /** OPTIONS in the dialog of a call that is up; `done` hears after how many milliseconds and copies it was answered. */
  options(id: string, cseq: number, done: (ms: number) => void): void {
    const call = this.#calls.get(id);
    if (call?.state !== 'up') return;
    const at = performance.now();
    const key = `${id} ${cseq} OPTIONS`;
    this.#waiting.set(key, () => done(performance.now() - at));
    this.#send(key, this.#inDialog(call, cseq, 'OPTIONS'));
  }

  readonly #waiting = new Map<string, () => void>();

  /** Keeps a call up until `hangUp`. */
  hold(id: string): void {
    const call = this.#calls.get(id);
    if (call !== undefined) call.hangUpAt = Number.POSITIVE_INFINITY;
  }

  isUp(id: string): boolean {
    return this.#calls.get(id)?.state === 'up';
  }

  hangUp(id: string): void {
    const call = this.#calls.get(id);
    if (call?.state === 'up') this.#bye(call);
  }

  #bye(call: Call): void {
    call.state = 'leaving';
    this.#send(`${call.id} BYE`, this.#inDialog(call, 1_000_000, 'BYE'));
  }

  tick(now: number): void {
    this.#repeats.tick();
    while (this.#leaving[0] !== undefined && this.#leaving[0].hangUpAt <= now) {
      const call = this.#leaving.shift()!;
      if (call.state === 'up') this.#bye(call);
    }
  }

  heard(text: string, now: number): void {
    this.#heard?.(text);
    const status = statusOf(text);
    const id = first(text, 'Call-ID');
    const call = this.#calls.get(id);
    if (status === 0) {
      if (methodOf(text) === 'BYE' && call !== undefined) {
        this.#over(call);
        call.counts.hungUp += 1;
      }
      if (methodOf(text) !== 'ACK') this.#peer.send(answer(text, '200 OK', 'x'));
      return;
    }
    const [cseq = '', method = ''] = first(text, 'CSeq').split(' ');
    if (method === 'OPTIONS') {
      const key = `${id} ${cseq} OPTIONS`;
      this.#repeats.stop(key);
      if (status === 200) this.#waiting.get(key)?.();
      this.#waiting.delete(key);
      return;
    }
    if (call === undefined) {
      // A copy of the refusal of a call that is over.
      if (method === 'INVITE' && status >= 300) this.#ackRefusal(id, text);
      return;
    }
    this.#repeats.stop(`${id} ${method}`);
    if (method === 'BYE' && status >= 200) {
      if (status === 200) call.counts.good += 1;
      else call.counts.lost += 1;
      return this.#over(call);
    }
    if (method !== 'INVITE' || status < 200) return;
    if (status >= 300) {
      this.#ackRefusal(id, text);
      call.counts.refused(now - call.startedAt, status, first(text, 'Retry-After') !== '');
      return this.#over(call);
    }
    call.to = first(text, 'To');
    call.target = uriOf(first(text, 'Contact'));
    call.routes = lines(text, 'Record-Route').reverse();
    this.#peer.send(
      message(`ACK ${call.target} SIP/2.0`, [
        ...this.#common(call, 1, 'ACK', call.to),
        ...call.routes.map((route) => `Route: ${route}`),
      ]),
    );
    if (call.state !== 'inviting') return;
    call.state = 'up';
    call.counts.setUp.push(now - call.startedAt);
    if (call.hangUpAt === Number.POSITIVE_INFINITY) return;
    call.hangUpAt = now + TALK_MS;
    this.#leaving.push(call);
  }

  #ackRefusal(id: string, text: string): void {
    const { transport, host, port } = this.#peer;
    this.#peer.send(
      message(`ACK sip:${this.#number}@127.0.0.1 SIP/2.0`, [
        `Via: SIP/2.0/${transport} ${host}:${port};rport;branch=z9hG4bK${id}INVITE1`,
        'Max-Forwards: 70',
        `From: ${first(text, 'From')}`,
        `To: ${first(text, 'To')}`,
        `Call-ID: ${id}`,
        'CSeq: 1 ACK',
      ]),
    );
  }

  #over(call: Call): void {
    call.state = 'over';
    this.#repeats.stop(`${call.id} INVITE`);
    this.#repeats.stop(`${call.id} BYE`);
    this.#calls.delete(call.id);
  }
}

/** A carrier behind a UDP socket of this port. */
export async function udpCarrier(
  port: number,
  server: number,
  number: string,
): Promise<{ readonly carrier: Carrier; readonly close: () => void }> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 23, sendBufferSize: 1 << 22 });
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  const send = (text: string): void => socket.send(text, server, '127.0.0.1');
  const carrier = new Carrier({ transport: 'UDP', host: '127.0.0.1', port, send }, number);
  socket.on('message', (bytes) => carrier.heard(bytes.toString('latin1'), performance.now()));
  return { carrier, close: () => socket.close() };
}

/** A carrier behind one TCP connection. */
export async function tcpCarrier(
  server: number,
  number: string,
): Promise<{ readonly carrier: Carrier; readonly close: () => void }> {
  const socket = connect({ host: '127.0.0.1', port: server, noDelay: true });
  await new Promise((resolve) => socket.once('connect', resolve));
  const port = socket.localPort ?? 0;
  const carrier = new Carrier(
    { transport: 'TCP', host: '127.0.0.1', port, send: (text) => socket.write(text) },
    number,
  );
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    for (;;) {
      const head = rest.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(first(rest.slice(0, head + 2), 'Content-Length'));
      if (rest.length < head + 4 + length) return;
      const whole = rest.slice(0, head + 4 + length);
      rest = rest.slice(whole.length);
      carrier.heard(whole, performance.now());
    }
  });
  return { carrier, close: () => socket.destroy() };
}
