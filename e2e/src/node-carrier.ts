import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import {
  createUserAgent,
  type Flow,
  parseMessage,
  type UserAgent,
  type UserAgentOut,
  writeMessage,
} from '@sidetone/sip';
import { TelephoneEvents } from './telephone-events.ts';
import { until } from './wait.ts';

/** One call at the carrier, with its plain RTP. */
export class CarrierCall {
  readonly number: string;
  readonly leg: string;
  readonly rtpPort: number;
  /** Directions the other side asked for in re-INVITEs, in order. */
  readonly asked: string[] = [];
  readonly events = new TelephoneEvents();
  over: 'bye' | 'ours' | 'lost' | undefined;
  packets = 0;
  /** Milliseconds between two packets as they arrived: the longest since `forget`. */
  largestGapMs = 0;
  /** By sequence numbers, since the beginning. */
  missing = 0;
  readonly streams = new Set<number>();
  readonly socket: Socket;
  #target: { host: string; port: number } | undefined;
  #lastAt = 0;
  #highest: number | undefined;
  #sequence = 1;
  #timestamp = 0;
  readonly #payload = Buffer.alloc(160, 0x2a);

  constructor(number: string, leg: string, socket: Socket) {
    this.number = number;
    this.leg = leg;
    this.socket = socket;
    this.rtpPort = socket.address().port;
    socket.on('message', (packet) => this.#receive(packet));
  }

  /** Where the other side wants to hear us. */
  aim(sdp: string): void {
    const host = /c=IN IP4 (\S+)/.exec(sdp)?.[1];
    const port = Number(/m=audio (\d+)/.exec(sdp)?.[1]);
    if (host !== undefined && port > 0) this.#target = { host, port };
  }

  description(direction = 'sendrecv'): string {
    return [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.rtpPort} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      `a=${direction}`,
      '',
    ].join('\r\n');
  }

  /** Sends the next 20 ms. */
  frame(): void {
    if (this.#target === undefined || this.over !== undefined) return;
    const packet = Buffer.alloc(172);
    packet[0] = 0x80;
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    packet.writeUInt32BE(this.rtpPort, 8);
    this.#payload.copy(packet, 12);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + 160) >>> 0;
    this.socket.send(packet, this.#target.port, this.#target.host);
  }

  #receive(packet: Buffer): void {
    if (packet.length < 12 || packet[0]! >> 6 !== 2 || (packet[1]! >= 192 && packet[1]! <= 223)) return;
    const now = performance.now();
    if (this.#lastAt > 0) this.largestGapMs = Math.max(this.largestGapMs, now - this.#lastAt);
    this.#lastAt = now;
    this.packets += 1;
    this.streams.add(packet.readUInt32BE(8));
    const sequence = packet.readUInt16BE(2);
    const ahead = this.#highest === undefined ? 1 : (sequence - this.#highest) & 0xffff;
    if (ahead < 0x8000 && ahead > 0) {
      this.missing += ahead - 1;
      this.#highest = sequence;
    }
    if ((packet[1]! & 0x7f) === 101)
      this.events.packet(packet.readUInt32BE(8), packet.readUInt32BE(4), packet.subarray(12));
  }

  /** Measures gaps from here on. */
  forget(): void {
    this.largestGapMs = 0;
    this.#lastAt = performance.now();
  }
}

/** A carrier with many calls: it answers what comes, and speaks as soon as it is answered. Own user agent core, real datagrams. */
export class NodeCarrier {
  readonly calls = new Map<string, CarrierCall>();
  readonly #socket: Socket;
  readonly #agent: UserAgent;
  readonly #timer: NodeJS.Timeout;
  readonly #byLeg = new Map<string, CarrierCall>();
  readonly #results = new Map<string, number>();
  #tokens = 0;

  private constructor(socket: Socket, server: number) {
    this.#socket = socket;
    const { port } = socket.address();
    this.#agent = createUserAgent({
      random: { int: (bound) => randomInt(bound), bytes: (length) => new Uint8Array(randomBytes(length)) },
      sentBy: { host: '127.0.0.1', port },
      contact: () => ({ scheme: 'sip', user: 'carrier', host: '127.0.0.1', port, params: {} }),
      resolve: () => flow(server),
      userAgent: 'Carrier',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS'],
    });
    socket.on('message', (bytes, from) => {
      const parsed = parseMessage(new Uint8Array(bytes));
      if (parsed.ok) this.#do(this.#agent.receive(parsed.value, flow(from.port), now()));
    });
    this.#timer = setInterval(() => {
      const due = this.#agent.deadline();
      if (due !== null && due <= now()) this.#do(this.#agent.tick(now()));
    }, 10);
  }

  static async open(port: number, server: number): Promise<NodeCarrier> {
    return new NodeCarrier(await bound(port), server);
  }

  #do(outs: readonly UserAgentOut[]): void {
    for (const out of outs) {
      switch (out.type) {
        case 'sip': {
          const { host, port } = out.flow as Extract<Flow, { transport: 'udp' }>;
          this.#socket.send(writeMessage(out.message), port, host);
          break;
        }
        case 'incoming':
          void this.#answer(out.leg, out.request.uri.user ?? '', out.sdp ?? '');
          break;
        case 'reinvite': {
          const call = this.#byLeg.get(out.leg);
          if (call === undefined) break;
          const direction = /a=(sendrecv|sendonly|recvonly|inactive)/.exec(out.sdp ?? '')?.[1] ?? 'sendrecv';
          call.asked.push(direction);
          call.aim(out.sdp ?? '');
          const answer = direction === 'sendonly' ? 'recvonly' : direction;
          const sdp = call.description(answer);
          this.#do(this.#agent.respondReinvite(out.leg, out.tx, 200, { sdp }, now()));
          break;
        }
        case 'reinviteResult':
          this.#results.set(out.token, out.status);
          break;
        case 'info':
          this.#do(this.#agent.respondRequest(out.tx, 200, {}, now()));
          break;
        case 'bye':
          this.#end(out.leg, 'bye');
          break;
        case 'ended':
          this.#end(out.leg, out.why === 'bye-done' ? 'ours' : 'lost');
          break;
      }
    }
  }

  #end(leg: string, how: NonNullable<CarrierCall['over']>): void {
    const call = this.#byLeg.get(leg);
    if (call !== undefined) call.over ??= how;
  }

  async #answer(leg: string, number: string, sdp: string): Promise<void> {
    const call = new CarrierCall(number, leg, await bound(0));
    call.aim(sdp);
    this.calls.set(number, call);
    this.#byLeg.set(leg, call);
    this.#do(this.#agent.respond(leg, 180, {}, now()));
    this.#do(this.#agent.respond(leg, 200, { sdp: call.description() }, now()));
  }

  async callOf(number: string): Promise<CarrierCall> {
    return await until(`the call to ${number} at the carrier`, () => this.calls.get(number));
  }

  /** Sends the next 20 ms of every call. */
  frames(): void {
    for (const call of this.calls.values()) call.frame();
  }

  /** A re-INVITE with this direction; the status of its end. */
  async reinvite(call: CarrierCall, direction: string): Promise<number> {
    const token = `re-${++this.#tokens}`;
    this.#do(this.#agent.reinvite(call.leg, call.description(direction), token, now()));
    return await until('the end of a re-INVITE of the carrier', () => this.#results.get(token));
  }

  bye(call: CarrierCall): void {
    this.#do(this.#agent.bye(call.leg, [], now()));
    call.over = 'ours';
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
    for (const call of this.calls.values()) call.socket.close();
  }
}

const now = (): number => performance.now();
const flow = (port: number): Flow => ({ transport: 'udp', host: '127.0.0.1', port });

async function bound(port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => resolve());
  });
  return socket;
}
