import { randomUUID } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { MediaEngine } from '@sidetone/media';
import type { MediaCommand, MediaEvent } from '@sidetone/wire';
import { GatheredWrites } from '../net/gathered-writes.ts';
import { jsonLines } from './json-lines.ts';

/** Legs without an owner live this long: a signalling process may be restarted under its calls. */
const ORPHANS_MS = 120_000;
/** An owner who does not read its events is cut off; it may come back, and hears what it missed. */
const MAX_UNREAD = 4 * 1024 * 1024;
/** Events that an owner hears again when its connection broke. */
const MOST_KEPT = 4096;
/** Owners that may come back: the one in service, and those it took the place of. */
const MOST_OWNERS = 4;

export interface ControlServer {
  event(event: MediaEvent): void;
  /** Resolved as soon as no owner is connected. */
  unowned(): Promise<void>;
  close(): void;
}

interface Kept {
  /** Counts the events of this engine, for owners whose connection breaks. */
  readonly n: number;
  readonly event: MediaEvent;
}

/** An event as a line says it: `n` is its number on the connection, as ever, and `report` the number that it has in its leg. */
function numbered({ n, event }: Kept): object {
  if (!('n' in event)) return { ...event, n };
  const { n: report, ...rest } = event;
  return { ...rest, n, report };
}

/** Who commands the engine: a signalling process, over one connection after another. */
interface Owner {
  /** Its name for itself; `null`: it gave none, so its connection is all there is of it. */
  readonly name: string | null;
  socket: Socket;
  writes: GatheredWrites;
  /** Answers that it may not have read, by the number of the command: it asks again under the same number, and nothing is done twice. */
  readonly answers: Map<number, Promise<object>>;
}

/**
 * The media side of the control connection (`control-client.ts` has its states): one owner at a time, the newest wins. Commands
 * run at once and may finish out of order; each reply carries its command's id. An owner whose connection broke goes on with the next.
 */
export function listenControl(
  path: string,
  engine: MediaEngine,
  log: (event: string) => void,
  orphansMs = ORPHANS_MS,
): Promise<ControlServer> {
  rmSync(path, { force: true });
  const server = new Control(engine, log, orphansMs);
  return server.listen(path);
}

class Control implements ControlServer {
  readonly #engine: MediaEngine;
  readonly #log: (event: string) => void;
  readonly #orphansMs: number;
  /** This engine, for as long as it lives. */
  readonly #name = randomUUID();
  readonly #server = createServer((socket) => this.#connected(socket));
  readonly #waiting: (() => void)[] = [];
  /** Legs by the owner that last commanded them. A room is of its members' owner: it ends with the last of them. */
  readonly #ownerOf = new Map<string, Owner>();
  #owner: Owner | undefined;
  /** Those that named themselves, the newest first. */
  #owners: readonly Owner[] = [];
  #orphaned: NodeJS.Timeout | undefined;
  #events = 0;
  #kept: Kept[] = [];
  #path = '';

  constructor(engine: MediaEngine, log: (event: string) => void, orphansMs: number) {
    this.#engine = engine;
    this.#log = log;
    this.#orphansMs = orphansMs;
  }

  listen(path: string): Promise<ControlServer> {
    this.#path = path;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, () => {
        chmodSync(path, 0o600);
        resolve(this);
      });
    });
  }

  event(event: MediaEvent): void {
    const kept = { n: ++this.#events, event };
    if (this.#kept.push(kept) > 2 * MOST_KEPT) this.#kept = this.#kept.slice(-MOST_KEPT);
    if (this.#owner !== undefined) this.#say(this.#owner, numbered(kept));
  }

  unowned(): Promise<void> {
    return new Promise((told) => (this.#isOwned ? this.#waiting.push(told) : told()));
  }

  close(): void {
    clearTimeout(this.#orphaned);
    const last = this.#owner;
    this.#owner = undefined;
    last?.writes.flush();
    last?.socket.destroy();
    this.#server.close();
    rmSync(this.#path, { force: true });
  }

  get #isOwned(): boolean {
    return this.#owner !== undefined && !this.#owner.socket.destroyed;
  }

  #connected(socket: Socket): void {
    let owner: Owner | undefined;
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on(
      'data',
      jsonLines(
        (object) => {
          const { hello, seen } = object;
          if (owner === undefined) {
            owner = this.#entered(socket, typeof hello === 'string' ? hello : null, Number(seen));
            if (hello !== undefined) return;
          }
          this.#asked(owner, object);
        },
        (why) => {
          this.#log(`control connection broken: ${why}`);
          socket.destroy();
        },
      ),
    );
    socket.on('close', () => {
      if (owner === undefined || this.#owner !== owner || owner.socket !== socket) return;
      for (const told of this.#waiting.splice(0)) told();
      clearTimeout(this.#orphaned);
      this.#orphaned = setTimeout(() => {
        this.#log('no owner: all legs closed');
        this.#engine.closeAll();
      }, this.#orphansMs);
    });
  }

  /** The first line of a connection says whose it is. */
  #entered(socket: Socket, name: string | null, seen: number): Owner {
    const known = name === null ? undefined : this.#owners.find((owner) => owner.name === name);
    const writes = new GatheredWrites(socket);
    const owner = known ?? { name, socket, writes, answers: new Map() };
    const isFirst = this.#owner === undefined;
    clearTimeout(this.#orphaned);
    this.#owner?.writes.flush();
    this.#owner?.socket.destroy();
    this.#owner = owner;
    owner.socket = socket;
    owner.writes = writes;
    if (name !== null)
      this.#owners = [owner, ...this.#owners.filter((o) => o !== owner)].slice(0, MOST_OWNERS);
    this.#log(known === undefined ? 'owner connected' : 'owner connected again');
    this.#say(owner, {
      event: 'engine',
      state: 'up',
      engine: this.#name,
      ...(known === undefined ? {} : { again: true }),
    });
    if (known !== undefined) {
      for (const kept of this.#kept) if (kept.n > seen) this.#say(owner, numbered(kept));
    } else if (!isFirst) this.#adoptOrForget(owner);
    return owner;
  }

  /** A new owner that never asks for the legs of the last one does not know of them. */
  #adoptOrForget(owner: Owner): void {
    this.#orphaned = setTimeout(() => {
      for (const [leg, by] of this.#ownerOf) {
        if (by === owner) continue;
        this.#ownerOf.delete(leg);
        void this.#engine.command({ op: 'close', leg });
      }
    }, this.#orphansMs);
  }

  #asked(owner: Owner, { id, from, play, ...rest }: Readonly<Record<string, unknown>>): void {
    // `id` is the number on the connection; a play has an id of its own.
    const command = play === undefined ? rest : { ...rest, id: play };
    for (const read of owner.answers.keys()) {
      if (read >= Number(from)) break;
      owner.answers.delete(read);
    }
    const number = Number(id);
    const answer = owner.answers.get(number) ?? this.#run(owner, command as unknown as MediaCommand);
    if (owner.name !== null) owner.answers.set(number, answer);
    void answer.then((reply) => this.#say(owner, { id, ...reply }));
  }

  async #run(owner: Owner, command: MediaCommand): Promise<object> {
    if (command.op === 'health') return this.#engine.command(command);
    if (command.op === 'claim') {
      clearTimeout(this.#orphaned);
      this.#ownerOf.clear();
      for (const leg of command.legs) this.#ownerOf.set(leg, owner);
      return this.#engine.command(command);
    }
    if (!('leg' in command)) return this.#engine.command(command);
    const { leg } = command;
    const known = this.#ownerOf.has(leg);
    if (command.op === 'answer' || command.op === 'offer' || known) this.#ownerOf.set(leg, owner);
    const reply = await this.#engine.command(command);
    if (command.op === 'close' || (!reply.ok && !known)) this.#ownerOf.delete(leg);
    return reply;
  }

  #say({ socket, writes }: Owner, message: object): void {
    if (socket.destroyed) return;
    writes.write(`${JSON.stringify(message)}\n`);
    if (socket.writableLength > MAX_UNREAD) socket.destroy();
  }
}
