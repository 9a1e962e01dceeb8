import { hexId } from '@sidetone/core';
import type { MediaCommand, MediaReply, RecordCommand, RoomCommand } from '@sidetone/wire';
import { Descriptions } from './descriptions.ts';
import { DIGITS } from './digit-sender.ts';
import type { Leg } from './leg.ts';
import type { LegWorld } from './leg-world.ts';
import { type OpenLeg, OpenLegs } from './open-legs.ts';
import { FIRST_FEEDER } from './outlet.ts';
import { PacketBuffers } from './packet-buffer.ts';
import { DEFAULT_LIMITS, type MediaEngineOptions, type RecordingPort } from './ports.ts';
import { refuse } from './refusal.ts';
import { MediaStreams } from './remote/media-streams.ts';
import { ReportLog } from './report-log.ts';
import { Rooms } from './room/rooms.ts';
import { SharedSounds } from './shared-sounds.ts';
import { Tick } from './tick.ts';
import { Tracks } from './track.ts';
import { badPlay, badRecording } from './wish.ts';

/** B2BUA-RTC as its owner commands it. */
export interface MediaEngine {
  /** Never rejects. Commands for one leg take effect in the order they were given. */
  command(command: MediaCommand): Promise<MediaReply>;
  /** Ends all legs at once. */
  closeAll(): void;
}

type Of<Op extends MediaCommand['op']> = Extract<MediaCommand, { op: Op }>;

/** Makes an engine. It owns nothing of the process: sockets, time, randomness, files and DTLS come in by `options`. */
export function createMediaEngine(options: MediaEngineOptions): MediaEngine {
  return new Engine(options);
}

/**
 * Commands in, events out. What they do lies in parts: `OpenLegs` (ports, sockets, who hears whom), `Descriptions` (offers and
 * answers), `MediaStreams` (WebSockets), `ReportLog` (what an owner must not miss), `Leg` (all that packets meet).
 */
class Engine implements MediaEngine {
  readonly #options: MediaEngineOptions;
  readonly #reports: ReportLog;
  readonly #rooms: Rooms;
  readonly #legs: OpenLegs;
  readonly #descriptions: Descriptions;
  readonly #streams: MediaStreams;
  readonly #tick: Tick;
  /** The last command of each leg that is not finished. */
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(options: MediaEngineOptions) {
    this.#options = options;
    this.#reports = new ReportLog(options.emit);
    let feeders = FIRST_FEEDER;
    const world: LegWorld = {
      now: options.now,
      random: options.random,
      opus: options.opus,
      tracks: new Tracks(options.opus),
      sounds: new SharedSounds(options.sounds, options.opus),
      recordings: options.recordings ?? NO_RECORDINGS,
      buffers: new PacketBuffers(),
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      emit: options.emit,
      report: (report) => {
        if (report.event === 'dtmf') this.#streams.digit(report.leg, report.digit);
        return this.#reports.tell(report);
      },
      newFeeder: () => ++feeders,
      cname: hexId(options.random, 8),
    };
    this.#rooms = new Rooms(world, this.#reports);
    this.#legs = new OpenLegs(options, world, this.#rooms);
    this.#descriptions = new Descriptions(this.#legs, options, world.cname);
    this.#streams = new MediaStreams(world, options.remote);
    this.#tick = new Tick(options.now, options.schedule, (at) => {
      this.#streams.tick(at);
      this.#rooms.tick(at);
      for (const { leg } of this.#legs.all()) leg.tick(at, this.#counterpart(leg));
    });
  }

  command(command: MediaCommand): Promise<MediaReply> {
    if (command.op === 'health' || command.op === 'claim') return this.#safely(command);
    const leg = 'leg' in command ? command.leg : command.room;
    const before = this.#queues.get(leg);
    const result = before === undefined ? this.#safely(command) : before.then(() => this.#safely(command));
    this.#queues.set(leg, result);
    void result.then(() => {
      if (this.#queues.get(leg) === result) this.#queues.delete(leg);
    });
    return result;
  }

  closeAll(): void {
    for (const open of [...this.#legs.all()]) this.#remove(open);
    this.#legs.closeSockets();
  }

  #counterpart({ source }: Leg): Leg | undefined {
    return source.kind === 'leg' ? this.#legs.get(source.leg)?.leg : undefined;
  }

  async #safely(command: MediaCommand): Promise<MediaReply> {
    try {
      return await this.#run(command);
    } catch (error) {
      return refuse('engine', error instanceof Error ? error.message : 'internal error');
    }
  }

  async #run(command: MediaCommand): Promise<MediaReply> {
    switch (command.op) {
      case 'health':
        return { ok: true, health: this.#health() };
      case 'claim':
        return this.#claim(command);
      case 'answer':
        return this.#opening(command.leg, this.#descriptions.answer(command));
      case 'offer':
        return this.#opening(command.leg, this.#descriptions.offer(command));
    }
    if (!('leg' in command)) return isOfRoom(command) ? this.#inRoom(command) : this.#record(command);
    const open = this.#legs.get(command.leg);
    if (open === undefined) {
      return command.op === 'close' ? { ok: true } : refuse('no-leg', `there is no leg ${command.leg}`);
    }
    const { leg } = open;
    switch (command.op) {
      case 'accept':
        return this.#descriptions.accept(open, command);
      case 'source': {
        const why = this.#legs.routes.set(leg, command.source);
        return why === undefined ? { ok: true } : refuse('wrong-state', why);
      }
      case 'dtmf':
        return dtmf(leg, command);
      case 'play':
        return play(leg, command);
      case 'stop':
        leg.stopPlays((id) => id === command.id);
        return { ok: true };
      case 'keep': {
        const ids = new Set(command.ids);
        leg.stopPlays((id) => !ids.has(id));
        this.#streams.keep(leg.id, ids);
        return { ok: true };
      }
      case 'listen':
        leg.listen(command.on === true);
        return { ok: true };
      case 'stream':
      case 'streamBegin':
      case 'streamDigits':
      case 'streamStop':
      case 'transcribe':
      case 'transcribeStop':
      case 'fork':
      case 'forkStop':
        return this.#streams.command(leg, command);
      case 'record':
        return record(leg, command);
      case 'recordPause':
      case 'recordResume':
        leg.pauseRecording(command.id, command.op === 'recordPause');
        return { ok: true };
      case 'recordStop':
        leg.stopRecording(command.id);
        return { ok: true };
      case 'stats':
        return { ok: true, stats: leg.stats() };
      case 'close': {
        const stats = leg.stats();
        this.#remove(open);
        return { ok: true, stats };
      }
      default:
        return refuse('engine', 'unknown command');
    }
  }

  #inRoom(command: RoomCommand): MediaReply {
    const why = command.op === 'roomPlay' ? badPlay(command) : undefined;
    if (why !== undefined) return why;
    return this.#rooms.command(command)
      ? { ok: true }
      : refuse('no-room', `there is no room ${command.room}`);
  }

  #record(command: RecordCommand & { readonly room: string }): MediaReply {
    const why = command.op === 'record' ? badRecording(command) : undefined;
    if (why !== undefined) return why;
    const done = this.#rooms.record(command);
    if (done === undefined) return refuse('no-room', `there is no room ${command.room}`);
    return done ? { ok: true } : refuse('wrong-state', 'too much of this room is recorded already');
  }

  #health(): Extract<MediaReply, { ok: true }>['health'] & {} {
    return { legs: this.#legs.size, rooms: this.#rooms.size, portsFree: this.#legs.portsFree };
  }

  /** A command that may open a leg. */
  async #opening(id: string, reply: Promise<MediaReply>): Promise<MediaReply> {
    const done = await reply;
    if (this.#legs.get(id) !== undefined) {
      this.#reports.opened(id);
      this.#tick.start();
    }
    return done;
  }

  #remove(open: OpenLeg): void {
    this.#streams.closing(open.leg.id);
    this.#legs.remove(open);
    this.#reports.closed(open.leg.id);
    if (this.#legs.size > 0) return;
    this.#rooms.closeEmpty();
    this.#tick.stop();
  }

  #claim({ legs, seen }: Of<'claim'>): MediaReply {
    const named = new Set(legs);
    for (const open of [...this.#legs.all()]) if (!named.has(open.leg.id)) this.#remove(open);
    const read = typeof seen === 'object' && seen !== null ? new Map(Object.entries(seen)) : undefined;
    this.#rooms.closeEmpty(new Set(read?.keys()));
    // After the reply: the owner knows then which legs it has.
    this.#options.schedule.at(this.#options.now(), () => {
      for (const id of named) if (read?.has(id) !== true) this.#legs.get(id)?.leg.tellAgain();
      const asked = [...(read ?? [])].filter(([name]) => named.has(name) || this.#reports.isOfRoom(name));
      for (const [name, last] of asked) this.#reports.tellAgain(name, Number(last) || 0);
      this.#reports.forgetClosed(new Set([...named, ...asked.map(([name]) => name)]));
    });
    return { ok: true, missing: legs.filter((id) => this.#legs.get(id) === undefined) };
  }
}

const isOfRoom = (command: RoomCommand | RecordCommand): command is RoomCommand =>
  command.op.startsWith('room');

function dtmf(leg: Leg, command: Of<'dtmf'>): MediaReply {
  const digits = command.digits.toUpperCase();
  for (const digit of digits) {
    if (!DIGITS.includes(digit)) return refuse('wrong-state', 'a digit is 0-9, *, #, A-D');
  }
  for (const digit of digits) {
    if (!leg.digits.add(digit, command.durationMs ?? 100, command.gapMs ?? 80)) {
      return refuse('wrong-state', 'too many digits are waiting');
    }
  }
  return { ok: true };
}

/** Where nothing can be written: each recording fails. */
const NO_RECORDINGS: RecordingPort = {
  open: (_file, _form, failed) => {
    void Promise.resolve().then(failed);
    return { write: () => false, close: async () => ({ frames: 0, failed: true }) };
  },
};

function record(leg: Leg, wish: Of<'record'> & { readonly leg: string }): MediaReply {
  const why = badRecording(wish);
  if (why !== undefined) return why;
  return leg.record(wish) ? { ok: true } : refuse('wrong-state', 'too much of this leg is recorded already');
}

function play(leg: Leg, command: Of<'play'>): MediaReply {
  const { id, file, loop, overlay, fromMs } = command;
  const why = badPlay(command);
  if (why !== undefined) return why;
  if (fromMs !== undefined && !(Number.isFinite(fromMs) && fromMs >= 0))
    return refuse('wrong-state', 'fromMs is a number from 0 on');
  leg.play({
    id,
    file,
    loop,
    ...(overlay === true ? { overlay } : {}),
    ...(fromMs === undefined ? {} : { fromMs }),
  });
  return { ok: true };
}
