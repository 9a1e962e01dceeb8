import { hexId } from '@sidetone/core';
import type { MediaCommand, MediaReply } from '@sidetone/wire';
import { Descriptions } from './descriptions.ts';
import { DIGITS } from './digit-sender.ts';
import type { Leg } from './leg.ts';
import type { LegWorld } from './leg-world.ts';
import { type OpenLeg, OpenLegs } from './open-legs.ts';
import { FIRST_FEEDER } from './outlet.ts';
import { PacketBuffers } from './packet-buffer.ts';
import { DEFAULT_LIMITS, type MediaEngineOptions, type RecordingPort } from './ports.ts';
import { refuse } from './refusal.ts';
import { ReportLog } from './report-log.ts';
import { SharedSounds } from './shared-sounds.ts';
import { Tick } from './tick.ts';
import { Tracks } from './track.ts';

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

const MAX_ID = 256;
const MAX_FILE = 4096;

/**
 * Commands in, events out. What they do lies in parts: `OpenLegs` (ports, sockets, who hears whom), `Descriptions` (offers and
 * answers), `ReportLog` (what an owner must not miss), `Leg` (all that packets meet).
 */
class Engine implements MediaEngine {
  readonly #options: MediaEngineOptions;
  readonly #reports: ReportLog;
  readonly #legs: OpenLegs;
  readonly #descriptions: Descriptions;
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
      report: (report) => this.#reports.tell(report),
      newFeeder: () => ++feeders,
      cname: hexId(options.random, 8),
    };
    this.#legs = new OpenLegs(options, world);
    this.#descriptions = new Descriptions(this.#legs, options, world.cname);
    this.#tick = new Tick(options.now, options.schedule, (at) => {
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
        return { ok: true, health: { legs: this.#legs.size, portsFree: this.#legs.portsFree } };
      case 'claim':
        return this.#claim(command);
      case 'answer':
        return this.#opening(command.leg, this.#descriptions.answer(command));
      case 'offer':
        return this.#opening(command.leg, this.#descriptions.offer(command));
    }
    if (!('leg' in command)) return refuse('no-room', `there is no room ${command.room}`);
    const open = this.#legs.get(command.leg);
    if (open === undefined) {
      return command.op === 'close' ? { ok: true } : refuse('no-leg', `there is no leg ${command.leg}`);
    }
    const { leg } = open;
    switch (command.op) {
      case 'accept':
        return this.#descriptions.accept(open, command);
      case 'source':
        this.#legs.routes.set(leg, command.source);
        return { ok: true };
      case 'dtmf':
        return dtmf(leg, command);
      case 'play':
        return play(leg, command);
      case 'stop':
        leg.stopPlay(command.id);
        return { ok: true };
      case 'listen':
        leg.listen(command.on === true);
        return { ok: true };
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
    this.#legs.remove(open);
    this.#reports.closed(open.leg.id);
    if (this.#legs.size === 0) this.#tick.stop();
  }

  #claim({ legs, seen }: Of<'claim'>): MediaReply {
    const named = new Set(legs);
    for (const open of [...this.#legs.all()]) if (!named.has(open.leg.id)) this.#remove(open);
    const read = typeof seen === 'object' && seen !== null ? new Map(Object.entries(seen)) : undefined;
    // After the reply: the owner knows then which legs it has.
    this.#options.schedule.at(this.#options.now(), () => {
      for (const id of named) {
        const last = read?.get(id);
        if (last === undefined) this.#legs.get(id)?.leg.tellAgain();
        else this.#reports.tellAgain(id, Number(last) || 0);
      }
      this.#reports.forgetClosed(named);
    });
    return { ok: true, missing: legs.filter((id) => this.#legs.get(id) === undefined) };
  }
}

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

const isCount = (value: number | undefined): boolean =>
  value === undefined || (Number.isFinite(value) && value > 0);

function record(leg: Leg, wish: Of<'record'> & { readonly leg: string }): MediaReply {
  const problem = nameProblem('a recording', wish);
  if (problem !== undefined) return problem;
  if (wish.channels !== 1 && wish.channels !== 2)
    return refuse('wrong-state', 'a recording has 1 or 2 channels');
  if (!['both', 'inbound', 'outbound'].includes(wish.track))
    return refuse('wrong-state', 'track is both, inbound or outbound');
  if (!isCount(wish.maxMs) || !isCount(wish.silenceMs))
    return refuse('wrong-state', 'a limit is a number above 0');
  return leg.record(wish) ? { ok: true } : refuse('wrong-state', 'too much of this leg is recorded already');
}

/** Why the id, or the file, of something can be no such thing. */
function nameProblem(
  what: string,
  { id, file }: { readonly id: string; readonly file: string },
): MediaReply | undefined {
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID)
    return refuse('wrong-state', `the id of ${what} has 1 to ${MAX_ID} characters`);
  if (typeof file !== 'string' || file === '' || file.length > MAX_FILE)
    return refuse('wrong-state', `the name of a file has 1 to ${MAX_FILE} characters`);
  return undefined;
}

function play(leg: Leg, { id, file, loop, overlay, fromMs }: Of<'play'>): MediaReply {
  const problem = nameProblem('a play', { id, file });
  if (problem !== undefined) return problem;
  if (loop !== null && !(Number.isInteger(loop) && loop > 0))
    return refuse('wrong-state', 'loop is a whole number from 1 on, or null');
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
