import { type JournalEntry, type JournalLine, type LogLine, type Random, ServiceLoop } from '@sidetone/core';
import type { ProxyInput, ProxyOutput } from '@sidetone/proxy';
import { type Flow, header, type LocalNode, parseMessage, writeMessage } from '@sidetone/sip';
import type { Voice, VoiceInput, VoiceOutput } from '@sidetone/voice';
import type { VspInput, VspOutput } from '@sidetone/vsp';
import type { Outcome, Post, Webhooks, WebhooksInput, WebhooksOutput } from '@sidetone/webhooks';
import {
  type CallEvent,
  type CallRecord,
  type Command,
  type CommandResult,
  HEADER,
  type Identity,
  type SoundResult,
} from '@sidetone/wire';
import type { JournalChange } from '../../apps/server/src/journal/journal-format.ts';
import { PretendDisk } from './disk.ts';
import { PretendEngine } from './engine.ts';
import { pretendFile } from './plays.ts';
import { createServices, type Services } from './services.ts';
import type { World } from './world.ts';

type Input = VspInput | VoiceInput | ProxyInput | WebhooksInput;
type Output = VspOutput | VoiceOutput | ProxyOutput | WebhooksOutput;
type Kept = JournalLine | Extract<VoiceOutput, { type: 'record' }>;
type Room = LocalNode | 'webhooks';

export interface HouseOptions {
  readonly world: World;
  readonly random: Random;
  readonly identity: Identity;
  readonly mediaFailureRate: number;
  /** Bytes towards a peer of the network. */
  readonly send: (bytes: Uint8Array, flow: Flow) => void;
  /** A frame towards a client. */
  readonly frame: (socket: string, text: string) => void;
  readonly closeSocket: (socket: string, code: number) => void;
  /** Does the peer with this ICE user name send media? */
  readonly speaks: (ufrag: string) => boolean;
  /** Calls live on this socket: a dead line there is noticed. */
  readonly watch: (socket: string, on: boolean) => void;
  /** A request to a back end, and its end, if there is one. */
  readonly post: (event: CallEvent, post: Post, reply: (outcome: Outcome) => void) => void;
  /** The signalling process has died, and with it every socket. */
  readonly died: () => void;
}

const FAR_MS = 60_000;

/** Thrown out of the loop where the process dies. */
class Killed extends Error {}

interface Run {
  readonly lines: Map<string, JournalChange>;
  readonly records: CallRecord[];
  readonly events: CallEvent[];
  readonly leaving: (() => void)[];
}
const nothing = (): Run => ({ lines: new Map(), records: [], events: [], leaving: [] });

/** One life of the signalling process. */
interface Life extends Services {
  readonly loop: ServiceLoop<Room, Input, Output, Kept>;
}

/** Also that who is dead at the head of a queue is off its list. */
const isOfRefusal = (out: VoiceOutput): boolean =>
  out.type === 'commandDone' ||
  out.type === 'log' ||
  (out.type === 'journal' && out.key.startsWith('queue ') && out.value !== null);

const ROOMS: readonly Room[] = ['voice', 'vsp', 'proxy', 'webhooks'];

/**
 * The whole signalling side of the product on virtual time: vsp, voice and proxy, with a pretend media engine. It can be killed, between
 * two inputs, between two outputs of one, or while it writes its journal, and goes on from what is there; media lives through it.
 */
export class House {
  readonly records: CallRecord[] = [];
  /** What back ends are told, in order. */
  readonly events: CallEvent[] = [];
  /** Events that nobody took for as long as they were tried. */
  readonly givenUp = new Set<string>();
  readonly #eventOf = new Map<string, CallEvent>();
  /** The leg of each branch that was called, by its Call-ID, which media knows it by, too. */
  readonly legOf = new Map<string, string>();
  readonly warnings: LogLine[] = [];
  /** What a refused command has changed. */
  readonly problems: string[] = [];
  readonly engine: PretendEngine;
  readonly #options: HouseOptions;
  readonly #nonceSecret: Uint8Array;
  readonly #disk = new PretendDisk();
  /** Who waits for the answer to a command, in this life. */
  readonly #asked = new Map<string, (result: CommandResult) => void>();
  #requests = 0;
  /** What the run under way has to keep and to send. */
  #run = nothing();
  /** When this life began. */
  bornAt = 0;
  #life: Life | null;
  /** Outputs and writes until the process dies. */
  #diesIn: number | null = null;
  #armedFor: number | null = null;

  constructor(options: HouseOptions) {
    this.#options = options;
    const { world, random } = options;
    this.#nonceSecret = random.bytes(32);
    this.#life = this.#begin();
    this.engine = new PretendEngine(world, random, options.mediaFailureRate, options.speaks, (event) =>
      this.post('voice', { type: 'mediaEvent', event }),
    );
  }

  #begin(): Life {
    const services = createServices(this.#options, this.#nonceSecret);
    const { voice, ...others } = services;
    const loop = new ServiceLoop<Room, Input, Output, Kept>(
      { ...others, voice: this.#checked(voice) },
      {
        isKept: (output): output is Kept => output.type === 'journal' || output.type === 'record',
        keep: (from, unit) => {
          for (const kept of unit) {
            if (kept.type === 'record') this.#run.records.push(kept.record);
            else this.#run.lines.set(`${from} ${kept.key}`, { room: from, ...kept });
          }
        },
        carry: (from, output) => this.#carry(from, output),
        bound: 100_000,
      },
    );
    return { ...services, loop };
  }

  /** A refused command leaves all as it was. */
  #checked(voice: Voice): ConstructorParameters<typeof ServiceLoop<Room, Input, Output, Kept>>[0]['voice'] {
    return {
      name: voice.name,
      deadline: () => voice.deadline(),
      handle: (input, now) => {
        const out = voice.handle(input as VoiceInput, now);
        const isRefused = out.some((one) => one.type === 'commandDone' && !one.result.ok);
        const more = isRefused ? out.filter((one) => !isOfRefusal(one)) : [];
        if (more.length > 0)
          this.problems.push(`a refused command has done ${more.map(({ type }) => type).join(' ')}`);
        return out;
      },
    };
  }

  /**
   * What a run has to keep is one unit, as in the server; what leaves follows. Killed in the one, the process leaves a part of what it was
   * writing; killed in the other, peers hear a part.
   */
  #settle(life: Life): void {
    const { world, random } = this.#options;
    while (this.#life === life) {
      const { lines, records, events, leaving } = this.#run;
      if (lines.size + records.length + events.length + leaving.length === 0) return;
      this.#run = nothing();
      const changes = [...lines.values()];
      if (changes.length + records.length > 0) {
        if (this.#diesNow()) {
          world.note(`journal torn, ${changes.length} lines`);
          this.#disk.tear(changes, random);
          throw new Killed();
        }
        this.#disk.write(changes);
      }
      for (const record of records) {
        world.note(`record ${record.kind} ${record.cause} by ${record.ended_by}`);
        this.records.push(record);
      }
      for (const event of events) {
        this.events.push(event);
        this.#eventOf.set(event.id, event);
      }
      for (const output of leaving) {
        if (this.#life !== life) return;
        if (this.#diesNow()) throw new Killed();
        output();
      }
    }
  }

  #diesNow(): boolean {
    return this.#diesIn !== null && this.#diesIn-- <= 0;
  }

  get alive(): boolean {
    return this.#life !== null;
  }

  /** Ends the process: at once, or when it has written and carried out so much more. Replies on their way to it are lost. */
  kill(after = 0): void {
    if (after > 0) this.#diesIn = after;
    else if (this.#life !== null) this.#die();
  }

  #die(): void {
    this.#life = null;
    this.#run = nothing();
    this.#asked.clear();
    this.#diesIn = null;
    this.#armedFor = null;
    this.#options.world.note('house dies');
    this.#options.died();
  }

  /** The next process, from the journal. */
  revive(): void {
    if (this.#life !== null) return;
    this.#options.world.note('house is back');
    this.bornAt = this.#options.world.now;
    this.#life = this.#begin();
    const entries = this.#disk.read();
    for (const room of ROOMS) this.#life.loop.post(room, { type: 'restore', entries: entries[room] });
    this.#work();
  }

  /** An input for a room; nobody hears it while the process is dead. */
  post(to: Room, input: Input): void {
    this.#life?.loop.post(to, input);
    this.#work();
  }

  /** A back end commands; a process that is dead, or dies of it, answers nothing. */
  command(command: Command, reply: (result: CommandResult) => void): void {
    if (this.#life === null) return;
    const request = `request-${++this.#requests}`;
    this.#asked.set(request, reply);
    this.post('voice', { type: 'command', request, command });
  }

  /** The legs in the journal of voice. */
  get journal(): readonly JournalEntry[] {
    return this.#disk.valuesOf('voice');
  }

  /** A callback that only the process alive now hears. */
  #toThisLife(act: () => void): () => void {
    const life = this.#life;
    return () => {
      if (this.#life === life) act();
    };
  }

  /** Bytes that arrive on our SIP port. */
  datagram(bytes: Uint8Array, flow: Flow): void {
    const parsed = parseMessage(bytes);
    if (parsed.ok) this.post('proxy', { type: 'sip', message: parsed.value, flow });
  }

  /** Calls and transactions still alive, legs media still has, and lines in the journal. */
  leftOver(): {
    vsp: number;
    calls: number;
    voice: number;
    proxy: number;
    events: Webhooks['size'] | null;
    legs: number;
    lines: number;
    deadline: number | null;
  } {
    const { calls, media, dialogs } = this.#life?.voice.size ?? { calls: 0, media: 0, dialogs: 0 };
    return {
      vsp: this.#life?.vsp.size ?? 0,
      calls,
      voice: calls + media + dialogs,
      proxy: this.#life?.proxy.size ?? 0,
      events: this.#life?.webhooks.size ?? null,
      legs: this.engine.legs.size,
      lines: this.#disk.entries,
      deadline: this.#life?.loop.deadline() ?? null,
    };
  }

  #work(): void {
    const { world } = this.#options;
    const life = this.#life;
    if (life === null) return;
    const { loop } = life;
    try {
      loop.run(world.now);
      this.#settle(life);
    } catch (error) {
      if (error instanceof Killed) return this.#die();
      throw error;
    }
    if (this.#life !== life) return;
    const next = loop.deadline();
    // As the server: a deadline far off is looked at again before.
    const due = next === null ? null : Math.min(next, world.now + FAR_MS);
    if (due === null || (this.#armedFor !== null && this.#armedFor <= due && this.#armedFor > world.now))
      return;
    this.#armedFor = due;
    world.after(
      Math.max(0, due - world.now),
      this.#toThisLife(() => {
        this.#armedFor = null;
        this.#work();
      }),
    );
  }

  #carry(from: Room, output: Exclude<Output, Kept>): void {
    const { world } = this.#options;
    switch (output.type) {
      case 'dialog':
        this.#life?.loop.post('proxy', output);
        return;
      // In the same run, so that its line is in the unit of what has changed.
      case 'event':
        this.#run.events.push(output.event);
        this.#life?.loop.post('webhooks', output);
        return;
      case 'sip':
        if (output.flow.transport === 'local') {
          const leg = from === 'voice' ? header(output.message, HEADER.leg) : undefined;
          if (leg !== undefined) this.legOf.set(output.message.headers.callId, leg);
          this.#life?.loop.post(output.flow.node, {
            type: 'sip',
            message: output.message,
            flow: { transport: 'local', node: from as LocalNode },
          });
        } else
          this.#run.leaving.push(() => {
            const { message } = output;
            world.note(
              `house → ${message.kind === 'request' ? message.method : `${message.status} ${message.headers.cseq.method}`}`,
            );
            this.#options.send(writeMessage(message), output.flow);
          });
        return;
      case 'log':
        if (output.level === 'warn' || output.level === 'error') this.warnings.push(output);
        return;
      default:
        this.#run.leaving.push(() => this.#deliver(output));
    }
  }

  #deliver(output: Exclude<Output, Kept | { type: 'sip' | 'dialog' | 'event' | 'log' }>): void {
    const { world, random } = this.#options;
    switch (output.type) {
      case 'frame':
        return this.#options.frame(output.socket, output.text);
      case 'close':
        return this.#options.closeSocket(output.socket, output.code);
      case 'watch':
        return this.#options.watch(output.socket, output.on);
      case 'authenticate': {
        const { credentials } = output;
        const user = credentials.kind === 'password' ? credentials.login : '';
        const known = this.#options.identity.userByName(user);
        const good = credentials.kind === 'password' && known?.password === credentials.password;
        world.after(
          1 + random.int(10),
          this.#toThisLife(() =>
            this.post('vsp', {
              type: 'authenticated',
              request: output.request,
              result: good ? { ok: true, user } : { ok: false, why: 'Login Incorrect' },
            }),
          ),
        );
        return;
      }
      case 'lookup': {
        const password = this.#options.identity.userByName(output.user)?.password;
        world.after(
          1,
          this.#toThisLife(() =>
            this.post('proxy', {
              type: 'credentials',
              request: output.request,
              result: password === undefined ? null : { password },
            }),
          ),
        );
        return;
      }
      case 'media': {
        const life = this.#life;
        return this.engine.command(output.command, (reply) => {
          if (this.#life === life) this.post('voice', { type: 'media', id: output.id, reply });
        });
      }
      case 'sound': {
        const { id } = output;
        const bad = random.int(8);
        const result: SoundResult =
          bad === 0
            ? { ok: false, why: 'not-found', detail: '404' }
            : { ok: true, file: pretendFile(random.int(6_000), bad === 1), ms: 0 };
        const after = random.int(4) === 0 ? random.int(4_000) : 5 + random.int(50);
        const made = (): void => this.post('voice', { type: 'sound', id, result });
        return world.after(after, this.#toThisLife(made));
      }
      case 'commandDone': {
        const reply = this.#asked.get(output.request);
        if (reply === undefined) throw new Error(`an answer to ${output.request}, which nobody waits for`);
        this.#asked.delete(output.request);
        world.after(1 + random.int(20), () => reply(output.result));
        return;
      }
      case 'post': {
        const life = this.#life;
        return this.#options.post(this.#eventOf.get(output.id)!, output, (outcome) => {
          const { id, attempt } = output;
          if (this.#life === life) this.post('webhooks', { type: 'posted', id, attempt, outcome });
        });
      }
      case 'store': {
        const { item } = output;
        if (item.kind === 'settled' && !item.delivered) this.givenUp.add(item.id);
        if (item.kind !== 'event') return;
        const stored = (): void => this.post('webhooks', { type: 'stored', ids: [item.event.id] });
        return world.after(5 + random.int(200), this.#toThisLife(stored));
      }
    }
  }
}
