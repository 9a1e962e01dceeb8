import type { Ms } from '@sidetone/core';
import type { Datagrams, Receive, SchedulePort, SocketPort } from './ports.ts';
import { type Sender, Senders, ssrcOf } from './senders.ts';

/** A sender that was silent for so long has ended: what comes from there afterwards is new. */
export const QUIET_MS: Ms = 1000;
/** A port without a leg is watched until it was silent for this long. */
const REST_MS: Ms = 5000;

/** A socket of a leg. */
export interface LegSocket extends Datagrams {
  /** Who sent to this port when it was given to the leg, and may go on: the peers of the leg before. */
  readonly before: Senders;
  /** Gives the port back. `heard`: who was sending to it. */
  close(heard?: Iterable<Sender>): void;
}

interface Slot {
  readonly socket: Datagrams;
  receive: Receive;
  /** Set while it rests. */
  senders: Senders | undefined;
  restsSince: Ms;
}

/**
 * The sockets of legs. Many peers go on sending when a call is over, so a port without a leg keeps its socket and notes who sends
 * there, until that ends:
 *
 *   bound ──close──▶ resting ──silent for 5 s──▶ closed
 *     ▲                 │ bind
 *     └─────────────────┘ with those who still send
 */
export class RestingSockets {
  readonly #sockets: SocketPort;
  readonly #schedule: SchedulePort;
  readonly #now: () => Ms;
  /** By port, then by address: only those that rest. */
  readonly #resting = new Map<number, Map<string, Slot>>();
  #cancel: (() => void) | undefined;

  constructor(sockets: SocketPort, schedule: SchedulePort, now: () => Ms) {
    this.#sockets = sockets;
    this.#schedule = schedule;
    this.#now = now;
  }

  async bind(address: string, port: number, receive: Receive): Promise<LegSocket | undefined> {
    const rested = this.#wake(address, port);
    if (rested !== undefined) {
      rested.slot.receive = receive;
      return this.#legSocket(rested.slot, rested.before);
    }
    let slot: Slot | undefined;
    const socket = await this.#sockets.bind(address, port, (packet, from, fromPort) =>
      slot?.receive(packet, from, fromPort),
    );
    if (socket === undefined) return undefined;
    slot = { socket, receive, senders: undefined, restsSince: 0 };
    return this.#legSocket(slot, new Senders());
  }

  /** Is somebody still sending to this port, as far as is known? */
  isNoisy(port: number): boolean {
    const slots = this.#resting.get(port);
    if (slots === undefined) return false;
    const since = this.#now() - QUIET_MS;
    for (const { senders } of slots.values()) if (senders?.heardSince(since) === true) return true;
    return false;
  }

  closeAll(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const slots of this.#resting.values()) for (const { socket } of slots.values()) socket.close();
    this.#resting.clear();
  }

  #wake(address: string, port: number): { readonly slot: Slot; readonly before: Senders } | undefined {
    const slots = this.#resting.get(port);
    const slot = slots?.get(address);
    if (slots === undefined || slot === undefined) return undefined;
    slots.delete(address);
    if (slots.size === 0) this.#resting.delete(port);
    const before = new Senders();
    const since = this.#now() - QUIET_MS;
    for (const sender of slot.senders?.all() ?? []) if (sender.at >= since) before.take(sender);
    slot.senders = undefined;
    return { slot, before };
  }

  #legSocket(slot: Slot, before: Senders): LegSocket {
    const { socket } = slot;
    let open = true;
    return {
      address: socket.address,
      port: socket.port,
      before,
      send: (packet, address, port) => {
        if (open) socket.send(packet, address, port);
      },
      close: (heard = []) => {
        if (!open) return;
        open = false;
        this.#rest(slot, heard);
      },
    };
  }

  #rest(slot: Slot, heard: Iterable<Sender>): void {
    const senders = new Senders();
    for (const sender of heard) senders.take(sender);
    slot.senders = senders;
    slot.restsSince = this.#now();
    slot.receive = (packet, address, port) => senders.note(address, port, ssrcOf(packet), this.#now());
    const { address, port } = slot.socket;
    const slots = this.#resting.get(port) ?? new Map<string, Slot>();
    slots.set(address, slot);
    this.#resting.set(port, slots);
    this.#cancel ??= this.#schedule.at(this.#now() + REST_MS, () => this.#sweep());
  }

  #sweep(): void {
    this.#cancel = undefined;
    const since = this.#now() - REST_MS;
    for (const [port, slots] of this.#resting) {
      for (const [address, { socket, senders, restsSince }] of slots) {
        if (restsSince > since || senders?.heardSince(since) === true) continue;
        slots.delete(address);
        socket.close();
      }
      if (slots.size === 0) this.#resting.delete(port);
    }
    if (this.#resting.size > 0) this.#cancel = this.#schedule.at(this.#now() + REST_MS, () => this.#sweep());
  }
}
