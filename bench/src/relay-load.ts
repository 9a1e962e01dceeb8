import { createSocket, type Socket } from 'node:dgram';
import { createSrtpSession, writeRtp } from '@sidetone/rtc';
import { KEY_TO_ENGINE } from './relay-keys.ts';

/** One call as the generator sees it: an SRTP end and an RTP end, and where the engine hears each. */
export interface Call {
  readonly secure: Socket;
  readonly plain: Socket;
  secureTarget: number;
  plainTarget: number;
}

const PAYLOAD = 160;
const FRAME_MS = 20;
/** Calls do not send in step: the frame is divided into so many moments. */
const PHASES = 10;

function lookup(
  host: string,
  _options: unknown,
  done: (error: Error | null, address: string, family: number) => void,
): void {
  done(null, host, 4);
}

async function open(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  socket.setRecvBufferSize(1 << 19);
  return socket;
}

export async function openCalls(count: number): Promise<Call[]> {
  const calls: Call[] = [];
  for (let i = 0; i < count; i++) {
    calls.push({ secure: await open(), plain: await open(), secureTarget: 0, plainTarget: 0 });
  }
  return calls;
}

/** Sends both ways on all calls at 50 packets a second, counts what comes through. */
export class Load {
  sent = 0;
  received = 0;
  readonly #calls: readonly Call[];
  readonly #secure: Buffer[] = [];
  readonly #plain: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #heard: { first: number; last: number; packets: number }[] = [];
  #next = 0;
  #started = 0;

  /** Packets for `seconds` are made beforehand: one stream, the same on every call. */
  constructor(calls: readonly Call[], seconds: number) {
    this.#calls = calls;
    const session = createSrtpSession({
      profile: 'AES_CM_128_HMAC_SHA1_80',
      keys: { local: KEY_TO_ENGINE, remote: KEY_TO_ENGINE },
    });
    for (let i = 0; i < seconds * 50; i++) {
      const packet = Buffer.alloc(12 + PAYLOAD + 16, 0x5a);
      writeRtp(packet, 0, 0, i === 0, i + 1, i * PAYLOAD, 0x51de);
      this.#plain.push(Buffer.from(packet.subarray(0, 12 + PAYLOAD)));
      this.#secure.push(packet.subarray(0, session.protectRtp(packet, 12 + PAYLOAD)));
    }
    for (const call of calls) {
      this.#count(call.secure);
      this.#count(call.plain);
    }
  }

  /** Missing sequence numbers on all streams heard; they are in the clear in SRTP too. */
  get lost(): number {
    return this.#heard.reduce((sum, h) => sum + (h.last === -1 ? 0 : h.last - h.first + 1 - h.packets), 0);
  }

  /** Ends that heard nothing at all. */
  get deaf(): number {
    return this.#heard.filter((h) => h.packets === 0).length;
  }

  #count(socket: Socket): void {
    const heard = { first: 0, last: -1, packets: 0 };
    this.#heard.push(heard);
    socket.on('message', (packet: Buffer) => {
      // RTP only, and not the silence that an engine fills in before the load begins.
      if ((packet[0]! & 0xc0) !== 0x80 || (packet[1]! & 0x7f) !== 0 || this.#next === 0) return;
      const seq = packet.readUInt16BE(2);
      if (heard.last === -1) {
        heard.first = seq;
        heard.last = seq;
      } else {
        // Streams may begin anywhere: the number is unwrapped from the last one.
        heard.last = Math.max(heard.last, heard.last + ((((seq - heard.last) & 0xffff) << 16) >> 16));
      }
      heard.packets++;
      this.received++;
    });
  }

  start(): void {
    this.#started = performance.now();
    const beat = (): void => {
      const step = FRAME_MS / PHASES;
      const due = Math.floor((performance.now() - this.#started) / step);
      while (this.#next <= due) this.#send(this.#next++);
      this.#timer = setTimeout(beat, Math.max(0, this.#started + this.#next * step - performance.now()));
    };
    beat();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #send(moment: number): void {
    const frame = Math.floor(moment / PHASES);
    const secure = this.#secure[frame];
    const plain = this.#plain[frame];
    if (secure === undefined || plain === undefined) return;
    for (let i = moment % PHASES; i < this.#calls.length; i += PHASES) {
      const call = this.#calls[i]!;
      call.secure.send(secure, call.secureTarget, '127.0.0.1');
      call.plain.send(plain, call.plainTarget, '127.0.0.1');
      this.sent += 2;
    }
  }
}
