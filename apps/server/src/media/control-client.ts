import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { MediaCommand, MediaEvent, MediaReply } from '@sidetone/wire';
import { GatheredWrites } from '../net/gathered-writes.ts';
import { jsonLines } from './json-lines.ts';

/*
 * The control connection, seen from signalling. A connection that breaks is no death of the media process: its packets flow
 * on. So each end names itself, and the same two go on where they were.
 *
 *   we ── {hello: our name, seen: last event} ──▶ media            media ── {event: engine, state: up, engine: its name, again?} ──▶ we
 *
 * Events are counted on the connection (`n`), apart from the number that a report has in its leg (`report`).
 *
 *   connecting ──the engine's name──▶ up ──connection lost──▶ interrupted ──the same name, `again`──▶ up, as if nothing had been:
 *                                      ▲                        │            what was not answered is asked again under its number
 *                                      └── a name ──── lost ◀───┴── nobody listens there any more, another name, 10 s
 *
 * `lost` is a death: commands are answered with `engine`, and the owner hears `down`.
 */

export interface MediaClientOptions {
  /** Path of the media process's Unix socket. */
  readonly socketPath: string;
  readonly onEvent: (event: MediaEvent) => void;
  /** `up` when an engine can be commanded; `down` when that engine is lost. */
  readonly onState: (state: 'up' | 'down') => void;
  /** Milliseconds that an engine may be out of reach. */
  readonly patienceMs?: number;
}

export interface MediaClient {
  /** Never rejects: when the media process is away the reply is the error `engine`. */
  command(command: MediaCommand): Promise<MediaReply>;
  /** For how many milliseconds the command that was asked first has been waiting for its reply; 0: none waits. */
  lag(): number;
  close(): void;
}

const RETRY_MS = 200;
const PATIENCE_MS = 10_000;
/** What an engine of a release before is called, which does not name itself: a broken connection is its end. */
const NAMELESS = '';
const away: MediaReply = { ok: false, error: 'engine', message: 'the media process is away' };

interface Asked {
  readonly line: string;
  readonly answer: (reply: MediaReply) => void;
  readonly at: number;
}

/** The signalling side of the control connection. Reconnects for as long as it is open. */
export function createMediaClient(options: MediaClientOptions): MediaClient {
  return new ControlClient(options);
}

/** A command as a line says it: `id` is its number on the connection, and `play` the id of the play that it is about. */
function lineOf(command: MediaCommand, id: number, from: number): object {
  if (!('id' in command)) return { ...command, id, from };
  return { ...command, id, from, play: command.id };
}

class ControlClient implements MediaClient {
  readonly #options: MediaClientOptions;
  /** Ours: another one for each engine that is lost, since nothing is left then to go on with. */
  #name = '';
  /** Commands without an answer, in the order of their numbers. */
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #seen = 0;
  #socket: Socket | undefined;
  #writes: GatheredWrites | undefined;
  /** The engine that is commanded, in reach or not. */
  #engine: string | undefined;
  #inReach = false;
  /** Commands wait for an engine: at the start, until the first try has failed, and while one is out of reach. */
  #hopeful = true;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;

  constructor(options: MediaClientOptions) {
    this.#options = options;
    this.#open();
  }

  command(command: MediaCommand): Promise<MediaReply> {
    if (!this.#hopeful) return Promise.resolve(away);
    return new Promise((answer) => {
      const id = ++this.#lastId;
      const [oldest = id] = this.#asked.keys();
      // Media forgets its answers to what lies before `from`.
      const line = `${JSON.stringify(lineOf(command, id, oldest))}\n`;
      this.#asked.set(id, { line, answer, at: performance.now() });
      if (this.#inReach) this.#writes?.write(line);
    });
  }

  lag(): number {
    for (const { at } of this.#asked.values()) return performance.now() - at;
    return 0;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#patience);
    this.#writes?.flush();
    this.#socket?.destroy();
    this.#giveUp();
  }

  #open(): void {
    const socket = connect(this.#options.socketPath);
    this.#socket = socket;
    this.#writes = new GatheredWrites(socket);
    let nobodyListens = false;
    socket.setEncoding('utf8');
    socket.on('connect', () => {
      if (this.#engine === undefined) this.#name = randomUUID();
      socket.write(`${JSON.stringify({ hello: this.#name, seen: this.#seen })}\n`);
    });
    socket.on(
      'data',
      jsonLines(
        (object) => this.#received(object),
        () => socket.destroy(),
      ),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      nobodyListens = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
    });
    socket.on('close', () => {
      this.#inReach = false;
      if (this.#closed) return;
      if (nobodyListens || this.#engine === undefined || this.#engine === NAMELESS) this.#giveUp();
      else this.#patience ??= setTimeout(() => this.#giveUp(), this.#options.patienceMs ?? PATIENCE_MS);
      this.#retry = setTimeout(() => this.#open(), RETRY_MS);
    });
  }

  #received(object: Readonly<Record<string, unknown>>): void {
    if (object['event'] === 'engine')
      return this.#met(String(object['engine'] ?? NAMELESS), object['again'] === true);
    if (typeof object['event'] === 'string') {
      const { n, report, ...event } = object;
      if (typeof n === 'number') this.#seen = n;
      const told = report === undefined ? event : { ...event, n: report };
      return this.#options.onEvent(told as unknown as MediaEvent);
    }
    const { id, ...reply } = object;
    // The engine of a release before does not understand our greeting.
    if (id === undefined) return this.#met(NAMELESS, false);
    const asked = this.#asked.get(id as number);
    this.#asked.delete(id as number);
    asked?.answer(reply as unknown as MediaReply);
  }

  /** An engine has named itself; `again`: it knows us. */
  #met(name: string, again: boolean): void {
    if (this.#inReach) return;
    const before = this.#engine;
    if (before !== undefined && (before !== name || !again)) this.#giveUp();
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#inReach = true;
    this.#hopeful = true;
    if (this.#engine === undefined) {
      this.#engine = name;
      this.#options.onEvent({ event: 'engine', state: 'up' });
      this.#options.onState('up');
    }
    for (const { line } of this.#asked.values()) this.#writes?.write(line);
  }

  /** The engine is lost, or was never there. */
  #giveUp(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#hopeful = false;
    const wasThere = this.#engine !== undefined;
    this.#engine = undefined;
    this.#seen = 0;
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { answer } of asked) answer(away);
    if (!wasThere || this.#closed) return;
    this.#options.onEvent({ event: 'engine', state: 'down' });
    this.#options.onState('down');
  }
}
