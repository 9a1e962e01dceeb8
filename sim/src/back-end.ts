import type { Random } from '@sidetone/core';
import type { CallCommand, CallEvent, LegCommand, StayAsk } from '@sidetone/wire';
import { LegActivities } from './activities.ts';
import { ACCOUNT, Commander, type Said } from './commander.ts';
import { APPLICATION, type BackEndHabits } from './habits.ts';
import type { House } from './house.ts';
import type { World } from './world.ts';

/** Behind the end of its legs it takes those off the list that were to stay there. */
const CLEARED_MS = 60_000;
const QUEUE = 'line';

const PLATFORM_BRIDGES: ReadonlySet<BackEndHabits['plan']> = new Set([
  'on answer',
  'ring group',
  'transfer',
  'conference',
  'meet',
  'menu',
]);

/** What is said to a conference. */
type Directed = 'join' | 'part' | 'mute' | 'hold' | 'play into' | 'end';

/** A leg as its events tell it. */
interface Known {
  readonly control: string;
  readonly parked: boolean;
  answered: boolean;
  overAt: number | null;
  /** Whom it was called for. */
  for: string | undefined;
  tries: number;
}

const SOUND = { kind: 'url', url: 'https://files.test/a.wav' } as const;

const encoded = (text: string): string => Buffer.from(text).toString('base64');

/**
 * An application as people write them: it parks calls, dials others and puts them together; now and then late, twice, without looking, or
 * not at all.
 */
export class PretendBackEnd {
  readonly #counts = {
    parked: 0,
    joined: 0,
    queued: 0,
    supervised: 0,
    bridged: 0,
    transferred: 0,
    told: 0,
    again: 0,
    played: 0,
    gathered: 0,
    referred: 0,
  };
  readonly #world: World;
  readonly #random: Random;
  readonly #habits: BackEndHabits;
  readonly #house: House;
  /** By `call_control_id`. */
  readonly #legs = new Map<string, Known>();
  /** Whom a transfer is for, by the client state of its leg. */
  readonly #transfers = new Map<string, string>();
  /** Conferences that it made, or has heard of. */
  readonly #rooms: string[] = [];
  /** Legs that were to stay listed in their queue when they are over. */
  readonly keeps = new Set<string>();
  readonly #heard = new Set<string>();
  readonly #commands: Commander;
  readonly activities: LegActivities;
  #closed = false;

  constructor(world: World, random: Random, habits: BackEndHabits, house: House) {
    this.#world = world;
    this.#random = random;
    this.#habits = habits;
    this.#house = house;
    const overAt = (control: string): number | null | undefined => this.#legs.get(control)?.overAt;
    this.#commands = new Commander(world, random, habits.twice, house, overAt);
    this.activities = new LegActivities(world, random, house, this.#commands);
  }

  get counts() {
    const { taken, refused } = this.#commands;
    return { ...this.#counts, taken, refused, pressed: this.activities.presses };
  }

  get problems(): string[] {
    return this.#commands.problems;
  }

  /** An event is told, maybe not for the first time. */
  hear(event: CallEvent): void {
    const { control } = event.leg;
    const isNew = !this.#heard.has(event.id);
    this.#heard.add(event.id);
    this.#counts[isNew ? 'told' : 'again'] += 1;
    if (isNew) this.#note(event);
    if (!isNew && !this.#habits.forgetful) return;
    this.#world.note(`back end ← ${event.what.type}`);
    if (this.#closed) return this.#end(control);
    this.#world.after(this.#habits.thinks, () => this.#react(event));
  }

  hasHeard(id: string): boolean {
    return this.#heard.has(id);
  }

  /** It takes no more calls, and ends those that there are. */
  close(): void {
    this.#closed = true;
    for (const [control, { overAt }] of this.#legs) if (overAt === null) this.#end(control);
    this.#world.after(CLEARED_MS, () => this.#clear());
  }

  #note({ leg, what, clientState }: CallEvent): void {
    const known = this.#legs.get(leg.control);
    if (what.type === 'initiated') {
      const parked = what.state === 'parked';
      if (parked) this.#counts.parked += 1;
      const fresh = { control: leg.control, parked, answered: false, overAt: null, for: undefined, tries: 0 };
      // What was dialled may be known by its reply already.
      this.#legs.set(leg.control, known ?? fresh);
      this.#legs.get(leg.control)!.for ??= this.#transfers.get(clientState ?? '');
      return;
    }
    if (what.type === 'conferenceCreated' && !this.#rooms.includes(what.conference))
      this.#rooms.push(what.conference);
    if (known === undefined) return;
    if (what.type === 'joined') this.#counts.joined += 1;
    if (what.type === 'dequeued') this.#counts.queued += 1;
    if (what.type === 'answered') known.answered = true;
    if (what.type === 'bridged') this.#counts.bridged += 1;
    if (what.type === 'hangup') known.overAt = this.#world.now;
    if (what.type === 'playEnded' || what.type === 'speakEnded') this.#counts.played += 1;
    if (what.type === 'gathered') this.#counts.gathered += 1;
    if (what.type === 'referCompleted' || what.type === 'referFailed') this.#counts.referred += 1;
  }

  #react({ leg, what }: CallEvent): void {
    const known = this.#legs.get(leg.control);
    if (known === undefined || this.#closed) return;
    if (what.type === 'initiated' && known.parked) return this.#begin(known);
    if (what.type === 'answered' && known.for !== undefined && this.#habits.plan === 'queue')
      return this.#random.int(2) === 0 ? this.#take(known.control) : this.#enqueue(known.control);
    if (what.type === 'answered' && known.for !== undefined && !PLATFORM_BRIDGES.has(this.#habits.plan))
      return this.#bridge(known.control, known.for);
    if (what.type === 'dequeued' && what.reason === 'timeout' && this.#random.int(2) === 0)
      return this.#enqueue(known.control);
    if (what.type === 'hangup' && known.for !== undefined) this.#lost(known.for);
    if (this.#habits.plan !== 'menu' || !known.parked) return;
    if (what.type === 'answered') this.activities.gather(known.control);
    if (what.type !== 'gathered' || what.status === 'call_hangup') return;
    this.activities.play(known.control);
    this.#connect(known.control);
  }

  /** A call is parked: what is made of it. */
  #begin({ control }: Known): void {
    const { plan, answers } = this.#habits;
    if (this.#habits.confused) this.#stray(control);
    if (plan === 'nothing') return;
    if (plan === 'reject')
      return this.#commands.say({ type: 'reject', ...this.#commands.to(control), cause: 'USER_BUSY' });
    if (answers || ['conference', 'meet', 'queue', 'menu'].includes(plan))
      this.#commands.say({ type: 'answer', ...this.#commands.to(control), clientState: encoded('caller') });
    if (plan !== 'menu') this.#connect(control);
    for (const { after, what } of this.#habits.meddles)
      this.#world.after(after, () => this.#meddle(control, what));
  }

  /** Somebody is found for a caller. */
  #connect(control: string): void {
    const { plan } = this.#habits;
    if (plan === 'transfer') return this.#transfer(control);
    if (plan === 'conference') this.#confer(control);
    if (plan === 'queue') this.#enqueue(control);
    if (plan === 'meet') return this.#dial(control, false, { conference: { name: 'hall' } });
    const most = plan === 'ring group' || plan === 'queue' ? 3 : 1;
    const byItself = plan === 'on answer' || plan === 'ring group' || plan === 'menu';
    for (let i = 0; i < most; i++) this.#dial(control, byItself);
  }

  #transfer(control: string): void {
    const { park } = this.#habits;
    const id = this.#commands.id();
    this.#transfers.set(encoded(id), control);
    this.#commands.say(
      {
        type: 'transfer',
        ...this.#commands.to(control),
        commandId: id,
        to: this.#target(),
        targetClientState: encoded(id),
        ...(park ? { after: 'park' as const } : {}),
      },
      () => (this.#counts.transferred += 1),
    );
  }

  /** A conference with the caller; who is dialled goes into it. */
  #confer(control: string): void {
    const name = `hall ${this.#commands.id()}`;
    const command: Said = {
      type: 'createConference',
      ...this.#commands.to(control),
      name,
      startOnCreate: this.#random.int(3) > 0,
      beep: 'always',
      maxMembers: 5,
      ...(this.#random.int(2) === 0 ? { hold: SOUND } : {}),
    };
    this.#commands.say(command, (result) => {
      if (!result.ok || result.conference === undefined) return;
      const { conference } = result;
      const ask = { conference, startOnEnter: true, earlyMedia: this.#random.int(2) === 0 };
      for (let i = 0; i <= this.#random.int(2); i++)
        this.#dial(control, false, { conference: { ...ask, ...this.#stay() } });
    });
  }

  #enqueue(control: string): void {
    const random = this.#random;
    const keepAfterHangup = random.int(4) === 0;
    if (keepAfterHangup) this.keeps.add(control);
    this.#commands.say({
      ...{ type: 'enqueue', ...this.#commands.to(control), queue: QUEUE, keepAfterHangup },
      ...(random.int(3) === 0 ? { maxWaitMs: 1_000 + random.int(20_000) } : {}),
      ...(random.int(3) === 0 ? { maxSize: 2 } : {}),
    });
  }

  /** The first of the queue is for this one. */
  #take(control: string): void {
    this.#commands.say({
      ...{ type: 'bridge', ...this.#commands.to(control), with: { queue: QUEUE } },
      ...(this.#habits.park ? { after: 'park' as const } : {}),
    });
  }

  #clear(): void {
    for (const control of this.keeps)
      this.#house.command(
        { type: 'queue', account: ACCOUNT, queue: QUEUE, ask: { do: 'remove', control } },
        () => {},
      );
  }

  #stay(): StayAsk {
    const random = this.#random;
    return {
      muted: random.int(5) === 0,
      held: random.int(6) === 0,
      endOnExit: random.int(5) === 0,
      softEndOnExit: random.int(6) === 0,
      ...(random.int(5) === 0 ? { role: 'monitor' } : {}),
    };
  }

  #dial(
    link: string,
    bridgeOnAnswer: boolean,
    more: Partial<Extract<CallCommand, { type: 'dial' }>> = {},
  ): void {
    const id = this.#commands.id();
    const command: CallCommand = {
      type: 'dial',
      account: ACCOUNT,
      commandId: id,
      clientState: encoded(id),
      connection: APPLICATION.id,
      to: [this.#target()],
      from: APPLICATION.number,
      link,
      bridgeOnAnswer,
      ringMs: 25_000,
      ...(this.#habits.park ? { after: 'park' as const } : {}),
      ...more,
    };
    this.#commands.say(command, (result) => {
      if (!result.ok || result.ids === undefined) return;
      const { control } = result.ids;
      const known = this.#legs.get(control);
      const fresh = { control, parked: false, answered: false, overAt: null, tries: 0 };
      if (known === undefined) this.#legs.set(control, { ...fresh, for: link });
      else known.for ??= link;
      if (this.#habits.plan === 'at once') this.#bridge(control, link);
    });
  }

  #bridge(control: string, other: string): void {
    const turned = this.#random.int(2) === 0;
    this.#commands.say({
      type: 'bridge',
      ...this.#commands.to(turned ? other : control),
      with: turned ? control : other,
      ...(this.#habits.park ? { after: 'park' as const } : {}),
    });
  }

  /** The one that was called for this caller is gone: another one, or the end. */
  #lost(control: string): void {
    const known = this.#legs.get(control);
    if (known === undefined || known.overAt !== null) return;
    known.tries += 1;
    if (known.tries > 2) return this.#end(control);
    const { plan } = this.#habits;
    const room = this.#rooms.at(-1);
    if (plan === 'transfer') this.#transfer(control);
    else if (plan === 'conference' && room !== undefined)
      this.#dial(control, false, { conference: { conference: room } });
    else if (plan === 'meet') this.#dial(control, false, { conference: { name: 'hall' } });
    else this.#dial(control, true);
  }

  /** Something that has nothing to do with where the call is. */
  #meddle(caller: string, what: BackEndHabits['meddles'][number]['what']): void {
    if (this.#closed) return;
    const alive = [...this.#legs.values()].filter(({ overAt }) => overAt === null);
    const some = alive[this.#random.int(Math.max(1, alive.length))]?.control ?? caller;
    const other = alive[this.#random.int(Math.max(1, alive.length))]?.control ?? caller;
    switch (what) {
      case 'hangup':
        return this.#end(some);
      case 'bridge':
        return some === other ? undefined : this.#bridge(some, other);
      case 'transfer':
        return this.#transfer(some);
      case 'steal':
        return this.#dial(caller, false);
      case 'answer':
        return this.#commands.say({ type: 'answer', ...this.#commands.to(some) });
      case 'enqueue':
        return this.#enqueue(some);
      case 'leave':
        return this.#commands.say({ type: 'leaveQueue', ...this.#commands.to(some) });
      case 'take':
        return this.#take(some);
      case 'supervise': {
        const role = (['monitor', 'whisper', 'barge'] as const)[this.#random.int(3)]!;
        this.#counts.supervised += 1;
        return this.#dial(some, false, { supervise: { control: some, role } });
      }
      case 'late': {
        const over = [...this.#legs.values()].filter(({ overAt }) => overAt !== null);
        const late = over[this.#random.int(Math.max(1, over.length))]?.control ?? caller;
        return this.activities.asks(late, (['play', 'gather', 'refer'] as const)[this.#random.int(3)]!);
      }
      case 'join':
      case 'part':
      case 'mute':
      case 'hold':
      case 'play into':
      case 'end':
        return this.#direct(some, what);
      default:
        return this.activities.asks(some, what);
    }
  }

  /** Something that is said to a conference. */
  #direct(control: string, what: Directed): void {
    const conference = this.#rooms[this.#random.int(Math.max(1, this.#rooms.length))];
    if (conference === undefined) return;
    const on = { account: ACCOUNT, conference, commandId: this.#commands.id() };
    const flag = this.#random.int(2) === 0;
    switch (what) {
      case 'join':
        return this.#commands.say({ type: 'joinConference', ...on, control, ...this.#stay() });
      case 'part':
        return this.#commands.say({ type: 'leaveConference', ...on, control });
      case 'mute':
        return this.#commands.say({
          type: 'muteMembers',
          ...on,
          controls: flag ? [] : [control],
          muted: flag,
        });
      case 'hold':
        return this.#commands.say({
          ...{ type: 'holdMembers', ...on, controls: flag ? [] : [control], held: flag },
          ...(this.#random.int(2) === 0 ? { hold: SOUND } : {}),
        });
      case 'play into':
        return this.#commands.say({ type: 'playInto', ...on, controls: flag ? [] : [control], sound: SOUND });
      case 'end':
        return this.#commands.say({ type: 'endConference', ...on });
    }
  }

  /** Commands that nobody may have: a leg that is none, an account that is not its own. */
  #stray(control: string): void {
    const strays: LegCommand[] = [
      { type: 'hangup', account: ACCOUNT, control: 'v3:nobody' },
      { type: 'hangup', account: 'another', control },
    ];
    for (const command of strays)
      this.#house.command(command, (result) => {
        if (result.ok || result.refusal.why !== 'unknownLeg')
          this.#commands.problems.push(`a stray command: ${JSON.stringify(result)}`);
      });
  }

  #end(control: string): void {
    this.#commands.say({ type: 'hangup', ...this.#commands.to(control) });
  }

  #target(): string {
    return this.#random.int(2) === 0 ? '+18005550123' : 'sip:line2@sip.test';
  }
}
