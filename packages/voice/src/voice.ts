import { earliest, type JournalEntry, type Ms, uuid } from '@sidetone/core';
import type { LegId, UserAgent, UserAgentOut } from '@sidetone/sip';
import type { LegView, MediaEvent, MediaReply } from '@sidetone/wire';
import { Beginnings } from './command/begin.ts';
import { Commands } from './command/execute.ts';
import { Remembered } from './command/remembered.ts';
import { Telling } from './command/telling.ts';
import { connectionOf, viewOf } from './command/view.ts';
import { LegJournal } from './journal/journal.ts';
import { inheritedMedia, restoreLegs } from './journal/restore.ts';
import { restoreOthers, restorePlaces } from './journal/restore-places.ts';
import { CAUSE, type Ending, type Why } from './leg/ending.ts';
import { isEnding, type Leg } from './leg/leg.ts';
import { Admission, isRefused } from './limits/admission.ts';
import { countedUser } from './limits/counters.ts';
import { mediaInput, roomInput, roomReply } from './media/from-media.ts';
import { asideOf, MediaDesk } from './media/media-desk.ts';
import type { Wish } from './message.ts';
import { Conferences } from './place/conferences.ts';
import type { QueueReads } from './place/queue.ts';
import { Queues } from './place/queues.ts';
import { Recordings } from './recordings.ts';
import { Registry } from './registry.ts';
import { createVoiceAgent, PROXY } from './sip/agent.ts';
import { Dialogs } from './sip/dialogs.ts';
import { boundContacts, type LegEvent, legInput } from './sip/from-sip.ts';
import { InDialog } from './sip/in-dialog.ts';
import { commandLeg, DIGIT, REFERRED } from './sip/leg-wishes.ts';
import { inviteFor, lookupFor } from './sip/to-sip.ts';
import { type ConferenceWish, Transactions } from './transaction.ts';
import type { VoiceInput, VoiceOutput } from './voice-events.ts';
import { TIMERS, type Voice, type VoiceOptions, type VoiceTimers } from './voice-options.ts';

/**
 * The call brain: a B2BUA (RFC 7092) between `vsp` and `proxy` that owns every media leg. Legs and places are machines
 * (`transaction.ts`); this service finds the leg that an event belongs to and spells what a leg wants.
 */
export function createVoice(options: VoiceOptions): Voice {
  return new CallService(options);
}

const NO_ENGINE: Ending = { ...CAUSE.mediaEngine, by: 'platform' };

class CallService implements Voice {
  readonly name = 'voice';
  readonly #options: VoiceOptions;
  readonly #timers: VoiceTimers;
  readonly #agent: UserAgent;
  readonly #registry = new Registry();
  readonly #legs: Transactions;
  readonly #admission: Admission;
  readonly #begin: Beginnings;
  readonly #commands: Commands;
  readonly #telling: Telling;
  readonly conferences = new Conferences(this.#registry);
  readonly #remembered = new Remembered();
  readonly #recordings: Recordings;
  readonly #queues: Queues;
  readonly queues = (now: Ms): QueueReads => this.#queues.at(now);
  readonly #media: MediaDesk;
  readonly #journal: LegJournal;
  readonly #dialogs: Dialogs;
  readonly #requests: InDialog;
  readonly #lookups = new Map<string, { readonly leg: string; readonly target: number }>();
  #lookupId = 0;
  #engineSeen = false;
  #now: Ms = 0;
  #out: VoiceOutput[] = [];

  constructor(options: VoiceOptions) {
    this.#options = options;
    this.#timers = { ...TIMERS, ...options.timers };
    const { callMs, cancelMs, mediaMs, parkMs } = this.#timers;
    const { speechToText } = options;
    const speech = speechToText === undefined ? {} : { speechToText };
    this.#media = new MediaDesk(mediaMs);
    this.#agent = createVoiceAgent(options);
    this.#dialogs = new Dialogs(this.#agent);
    this.#legs = new Transactions(
      this.#registry,
      this.conferences,
      { callMs, cancelMs, parkMs, heldHears: options.heldHears ?? 'music', ...speech },
      {
        wish: (wish) => this.#carry(wish),
        dial: (wish) => this.#begin.transfer(wish, this.#now),
        conference: (id, wish) => this.#carryConference(id, wish),
      },
    );
    this.#admission = new Admission(this.#registry, options.limits);
    const out = (line: VoiceOutput): void => void this.#out.push(line);
    const registry = this.#registry;
    const world = { options, registry, legs: this.#legs, admission: this.#admission };
    this.#begin = new Beginnings({ ...world, log: out });
    const { random, epoch, identity } = options;
    const ofLeg = (leg: Leg): string | null => connectionOf(leg, identity());
    this.#queues = new Queues({ registry, random, epoch, connectionOf: ofLeg });
    const places = { queues: this.#queues, conferences: this.conferences };
    this.#telling = new Telling({ ...world, ...places, out });
    this.#commands = new Commands({ ...world, ...places, begin: this.#begin, remembered: this.#remembered });
    this.#recordings = new Recordings({ ...world, ...places, out });
    const sip = { agent: this.#agent, dialogs: this.#dialogs, isOwnHost: this.#begin.isOwnHost };
    this.#requests = new InDialog({ ...world, ...sip });
    this.#journal = new LegJournal(this.#agent, this.#dialogs.dialogOf);
  }

  get size(): Voice['size'] {
    return { calls: this.#registry.sessions, media: this.#media.size, dialogs: this.#agent.size };
  }

  get early(): number {
    return this.#registry.earlySessions;
  }

  legOf(control: string): LegView | undefined {
    const leg = this.#registry.legOfControl(control);
    return leg === undefined ? this.#remembered.ended(control) : viewOf(leg, this.#options.identity());
  }

  legsOf(connection: string): readonly LegView[] {
    const identity = this.#options.identity();
    return [...this.#registry.legs.values()]
      .filter((leg) => !isEnding(leg) && connectionOf(leg, identity) === connection)
      .map((leg) => viewOf(leg, identity));
  }

  deadline(): Ms | null {
    const rooms = [this.#agent, this.#legs, this.#media, this.#queues, this.#remembered, this.#recordings];
    return rooms.reduce<Ms | null>((next, room) => earliest(next, room.deadline()), null);
  }

  handle(input: VoiceInput, now: Ms): readonly VoiceOutput[] {
    this.#out = [];
    this.#now = now;
    switch (input.type) {
      case 'sip':
        this.#hear(this.#agent.receive(input.message, input.flow, now));
        break;
      case 'media':
        this.#mediaReply(input.id, input.reply);
        break;
      case 'mediaEvent':
        this.#mediaEvent(input.event);
        break;
      case 'command': {
        const { request, command } = input;
        this.#out.push({ type: 'commandDone', request, result: this.#commands.execute(command, now) });
        break;
      }
      case 'sound':
        this.#telling.heard(input.id, input.result);
        break;
      case 'saved':
        this.#recordings.saved(input.id, input.result);
        break;
      case 'tick':
        this.#tick();
        break;
      case 'restore':
        this.#restore(input.entries);
        break;
      case 'refuse':
        this.#admission.closed ??= 'handover';
        break;
      case 'revoked':
        this.#end(
          this.#legsOf((user) => input.users.has(user)),
          CAUSE.revoked,
        );
        break;
      case 'drain':
        this.#admission.closed = 'drain';
        this.#end([...this.#registry.legs.values()], CAUSE.drain);
        break;
    }
    this.#legs.run(now);
    for (const leg of this.#legs.over.splice(0)) this.#forget(leg);
    // What a peer is told is known afterwards, whatever happens to this process.
    const lines = this.#journal.take(this.#legs.touched, (id) => this.#registry.legs.get(id));
    this.#legs.touched.clear();
    const rooms = [this.#remembered, this.#queues, this.conferences, this.#recordings];
    const others = rooms.flatMap((room) => room.takeLines());
    const isSame = lines.length + others.length === 0;
    const out = isSame ? this.#out : [...lines, ...others, ...this.#out];
    this.#out = [];
    return out;
  }

  #tick(): void {
    const now = this.#now;
    this.#hear(this.#agent.tick(now));
    for (let id = this.#media.takeOverdue(now); id !== undefined; id = this.#media.takeOverdue(now))
      this.#mediaReply(id, { ok: false, error: 'engine', message: 'no reply in time' });
    this.#media.tick(now, this.#out);
    for (const room of [this.#legs, this.#remembered, this.#recordings, this.#queues]) room.tick(now);
  }

  /** Ends these legs and whoever is with them. */
  #end(legs: readonly Leg[], why: Why): void {
    const ending: Ending = { ...why, by: 'platform' };
    const bridges = new Set<string>();
    for (const { id, place } of legs) {
      if (place?.in === 'bridge' && place.side !== 'supervisor') bridges.add(place.id);
      else this.#legs.post(id, { type: 'end', ending });
    }
    for (const bridge of bridges) this.#legs.toBridge(bridge, { type: 'end', ending });
  }

  /** Legs of such a user, and those on its account that it has handed over to others. */
  #legsOf(isWanted: (user: string) => boolean): readonly Leg[] {
    const isTheirs = (user: string | undefined): boolean => user !== undefined && isWanted(user);
    return [...this.#registry.legs.values()].filter(
      (leg) =>
        !isEnding(leg) &&
        leg.branches.length > 0 &&
        (isTheirs(leg.userName) || leg.counts.some((count) => isTheirs(countedUser(count)))),
    );
  }

  #forget(leg: Leg): void {
    this.#recordings.legOver(leg);
    if (leg.program !== null)
      this.#remembered.over(viewOf(leg, this.#options.identity()), leg.program.done, this.#now);
    this.#journal.over(leg.id, this.#dialogs.forget(leg));
  }

  #legOfDialog(dialog: LegId | undefined): Leg | undefined {
    return this.#registry.legOfBranch(this.#dialogs.branchOf(dialog) ?? '');
  }

  // ---- media

  #mediaReply(id: number, reply: MediaReply): void {
    const asked = this.#media.answered(id);
    if (asked === undefined) {
      for (const branch of this.#media.claimed(id, reply, this.#now, this.#out)) {
        const leg = this.#registry.legOfBranch(branch);
        // Of a branch that lost, media has been told to let go.
        if (leg?.main === branch) this.#end([leg], CAUSE.mediaEngine);
      }
      return;
    }
    if ('conference' in asked) {
      const input = roomReply(asked, reply);
      if (input !== undefined) this.#legs.toConference(asked.conference, input);
      return;
    }
    this.#toBranch(asked.branch, () => ({ type: 'media', ...asked, reply }));
  }

  #toBranch(branch: string, input: (branch: string) => Parameters<Transactions['post']>[1]): void {
    const leg = this.#registry.legOfBranch(branch);
    if (leg !== undefined) this.#legs.post(leg.id, input(branch));
  }

  #mediaEvent(event: MediaEvent): void {
    if (event.event === 'engine') {
      // A second `up` without a `down` is a restart, too: its legs are gone.
      if (event.state === 'down' || this.#engineSeen) this.#engineLost();
      this.#engineSeen = event.state === 'up';
      return;
    }
    if (event.event === 'recorded') this.#recordings.closed(event);
    if ('room' in event) {
      const speaker = 'leg' in event ? this.#registry.legOfBranch(event.leg ?? '') : undefined;
      this.#legs.toConference(event.room, roomInput(event, speaker));
      return;
    }
    this.#toBranch(event.leg, () => mediaInput(event));
  }

  #engineLost(): void {
    const ids = this.#media.open;
    const known = [...this.#registry.legs.values()].filter(({ branches }) =>
      branches.some(({ media }) => media.phase !== 'none'),
    );
    this.#end(known, NO_ENGINE);
    for (const { id } of this.conferences.all) this.#legs.toConference(id, { type: 'mediaLost' });
    this.#legs.run(this.#now);
    this.#recordings.mediaLost();
    for (const id of [...ids, ...this.#media.open])
      this.#mediaReply(id, { ok: false, error: 'engine', message: 'engine lost' });
  }

  // ---- the process before

  #restore(entries: readonly JournalEntry[]): void {
    const legs = restoreLegs(
      entries,
      {
        agent: this.#agent,
        cancelMs: this.#timers.cancelMs,
        begin: (leg, asked) => {
          this.#journal.inherited(leg.id, asked);
          this.#legs.begin(leg);
        },
        bind: (branch, dialog) => this.#dialogs.bind(branch, dialog),
        hear: (out) => this.#hear(out),
        post: (leg, input) => this.#legs.post(leg, input),
        leaving: (leg, byes) => this.#journal.over(leg, byes),
        tell: (out) => this.#out.push(out),
      },
      this.#now,
    );
    const places = { queues: this.#queues, conferences: this.conferences };
    const others = { ...places, remembered: this.#remembered, recordings: this.#recordings };
    const foreign = restoreOthers(entries, others, this.#now);
    if (foreign !== null) this.#out.push(foreign);
    const registry = this.#registry;
    restorePlaces(legs, { ...places, registry, begin: this.#begin, legs: this.#legs });
    this.#queues.restored(this.#now);
    const { identity, epoch } = this.#options;
    const refused = this.#legsOf((user) => isRefused(identity(), user, epoch()));
    this.#end(refused, CAUSE.revoked);
    const inherited = inheritedMedia(legs, this.conferences.all);
    this.#media.claim(this.#recordings.inherited(inherited), this.#now, this.#out);
    for (const command of this.#recordings.resume())
      this.#media.ask(asideOf(command), command, this.#now, this.#out);
  }

  // ---- SIP in

  /** Sends what the user agent wants sent, and turns the rest into inputs of legs. */
  #hear(outs: readonly UserAgentOut[]): void {
    for (const out of outs) {
      switch (out.type) {
        case 'sip':
        case 'dialog':
          this.#out.push(out);
          break;
        case 'incoming':
          this.#incoming(out);
          break;
        case 'request':
          this.#hear(this.#requests.request(out, this.#now));
          break;
        case 'result':
          this.#lookedUp(out);
          break;
        case 'info':
          this.#hear(this.#requests.info(out, this.#now));
          break;
        case 'refreshed': {
          const leg = this.#legOfDialog(out.leg);
          if (leg !== undefined) this.#legs.touched.add(leg.id);
          break;
        }
        default:
          this.#legEvent(out);
      }
    }
  }

  #incoming(out: Extract<UserAgentOut, { type: 'incoming' }>): void {
    const node = out.flow.transport === 'local' ? out.flow.node : undefined;
    if (node !== 'vsp' && node !== 'proxy') {
      this.#hear(this.#agent.respond(out.leg, 403, {}, this.#now));
      return;
    }
    this.#dialogs.bind(this.#begin.incoming(out.request, out.sdp, node, this.#now), out.leg);
  }

  #lookedUp(out: Extract<UserAgentOut, { type: 'result' }>): void {
    const asked = this.#lookups.get(out.token);
    if (asked === undefined) return;
    this.#lookups.delete(out.token);
    const { random } = this.#options;
    const contacts = boundContacts(out).map((contact) => ({ branch: uuid(random), ...contact }));
    const { leg, target } = asked;
    this.#legs.post(leg, { type: 'bindings', target, status: out.status, contacts });
  }

  #legEvent(out: LegEvent): void {
    const branch = this.#dialogs.branchOf(out.leg);
    const leg = branch === undefined ? undefined : this.#registry.legOfBranch(branch);
    if (branch === undefined || leg === undefined) {
      // The leg is over; a late 2xx must not leave a peer talking to nobody.
      if (out.type === 'accepted') this.#hear(this.#agent.bye(out.leg, [], this.#now));
      else if (this.#agent.snapshot(out.leg) === null) this.#journal.gone(out.leg);
      return;
    }
    this.#legs.touched.add(leg.id);
    if (out.type === 'inDialogResult' && out.token !== DIGIT && out.token !== REFERRED) return;
    this.#legs.post(leg.id, legInput(out, branch));
  }

  // ---- what legs and places want

  #carryConference(id: string, wish: ConferenceWish): void {
    if (wish.type === 'recorded') return this.#recordings.beginOfConference(id, wish, this.#now);
    if (wish.type === 'over') return this.#recordings.conferenceOver(id);
    if (wish.type !== 'room') return this.#telling.conference(id, wish);
    const { type: _, command, ...about } = wish;
    this.#media.ask({ conference: id, ...about }, command, this.#now, this.#out);
  }

  #carry(wish: Wish): void {
    switch (wish.type) {
      case 'record':
        this.#out.push({ type: 'record', record: wish.record });
        return;
      case 'log':
        this.#out.push(wish);
        return;
      case 'news':
        return this.#telling.news(wish, this.#now);
      case 'sound':
        return this.#telling.sound(wish);
      case 'recorded':
        return this.#recordings.begin(wish, this.#now);
      case 'keptInQueue': {
        const leg = this.#registry.legs.get(wish.leg);
        if (leg !== undefined) this.#queues.keep(leg, wish.place, this.#now);
        return;
      }
      case 'leftUntold':
        return this.#queues.left(wish.place, this.#now);
      case 'onAnswer':
        return this.#commands.onAnswer(wish.leg, wish.actions, this.#now);
      case 'media':
        this.#media.ask({ branch: wish.branch, tag: wish.tag }, wish.command, this.#now, this.#out);
        return;
      case 'lookup': {
        const token = `lookup-${++this.#lookupId}`;
        this.#lookups.set(token, wish);
        const { domain } = this.#options.identity();
        this.#hear(this.#agent.send(lookupFor(wish.user, domain, PROXY), token, this.#now));
        return;
      }
      case 'invite': {
        const leg = this.#registry.legs.get(wish.leg);
        const options = leg === undefined ? null : inviteFor(leg, wish, PROXY);
        if (options === null) return;
        const { leg: dialog, out } = this.#agent.invite(options, this.#now);
        this.#dialogs.bind(wish.branch, dialog);
        this.#hear(out);
        return;
      }
      case 'answerRefer':
        this.#hear(this.#agent.respondRequest(wish.tx, wish.status, {}, this.#now));
        return;
      default: {
        const dialog = this.#dialogs.dialogOf(wish.branch);
        const leg = this.#registry.legs.get(wish.leg);
        if (dialog === undefined || leg === undefined) return;
        this.#hear(commandLeg(this.#agent, leg, dialog, wish, this.#options.random, this.#now));
      }
    }
  }
}
