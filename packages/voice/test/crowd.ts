import assert from 'node:assert/strict';
import { createResponse } from '@sidetone/sip';
import type { Command, CommandResult, MediaCommand, MediaReply, Source } from '@sidetone/wire';
import { readEntry } from '../src/journal/read.ts';
import { endingOf, type Leg, mainOf } from '../src/leg/leg.ts';
import type { Conference } from '../src/place/conference-draft.ts';
import { BACK_ENDS, BackEnd } from './back-end.ts';
import { checkStay, checkSupervised, checkSupervisor } from './rooms-oracle.ts';
import { type Far, people, sdp } from './voice-bench.ts';

/** One thing that happens. Numbers choose among what is there. */
export type Move =
  | { readonly do: 'park' | 'arrive' | 'plain'; readonly offerless: boolean }
  | { readonly do: 'dial'; readonly link: number | null; readonly flags: number; readonly commandId: number }
  | {
      readonly do: 'command';
      readonly what:
        | 'answer'
        | 'reject'
        | 'hangup'
        | 'bridge'
        | 'take'
        | 'enqueue'
        | 'leave'
        | 'transfer'
        | 'state'
        | 'digits'
        | 'create'
        | 'join'
        | 'part'
        | 'mute'
        | 'hold'
        | 'role'
        | 'endAll';
      readonly leg: number;
      readonly other: number;
      readonly flags: number;
      readonly commandId: number;
    }
  | { readonly do: 'again' }
  | { readonly do: 'respond'; readonly which: number; readonly status: number }
  | { readonly do: 'bye' | 'cancel' | 'hold' | 'resume'; readonly which: number }
  | { readonly do: 'refer' | 'attended'; readonly which: number }
  | { readonly do: 'media'; readonly which: number; readonly why: 'ice' | 'rtp' }
  | { readonly do: 'fault'; readonly op: 'offer' | 'answer' | 'accept'; readonly lost: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' | 'dying' };

/** At most so many calls of the account at a time. */
export const MOST_CALLS = 8;

const identity = people({
  ...BACK_ENDS,
  accounts: [{ id: 'default', concurrentCalls: MOST_CALLS }],
});

type Side = { readonly far: Far; readonly dialog: string };

/** Among what is there; large numbers mean anything that ever was. */
const ANYTHING = 27;
const at = <T>(items: readonly T[], n: number): T | undefined =>
  items.length === 0 ? undefined : items[n % items.length];

/** Back ends, peers, media and deaths that do anything at any time; what must hold is looked at behind each move. */
export class Crowd extends BackEnd {
  readonly peers: Side[] = [];
  readonly controls: string[] = [];
  readonly rooms: string[] = [];
  readonly seen = {
    parked: 0,
    bridged: 0,
    queued: 0,
    transferred: 0,
    joined: 0,
    supervised: 0,
    refused: 0,
    taken: 0,
    deaths: 0,
    again: 0,
  };
  #fault: { op: MediaCommand['op']; lost: boolean } | null = null;
  #last: { command: Command; result: CommandResult; at: number } | null = null;
  /** When each command id was taken first. */
  readonly #said = new Map<string, number>();
  #known = 0;
  /** Who has not answered us yet, and who is there. */
  readonly #ringing: Side[] = [];
  #there: Side[] = [];

  constructor() {
    super({ identity, ringMs: 20_000 });
    this.mediaReply = ({ op }): MediaReply | null | undefined => {
      if (this.#fault?.op !== op) return undefined;
      const { lost } = this.#fault;
      this.#fault = null;
      return lost ? null : { ok: false, error: 'no-codec', message: '' };
    };
  }

  move(move: Move): void {
    this.#do(move);
    this.settle();
    this.check();
  }

  #peer(n: number): Side | undefined {
    return n >= ANYTHING || this.#there.length === 0 ? at(this.peers, n) : at(this.#there, n);
  }

  #control(n: number): string | undefined {
    const alive = this.controls.filter((control) => this.voice.legOf(control)?.alive === true);
    return n >= ANYTHING || alive.length === 0 ? at(this.controls, n) : at(alive, n);
  }

  #add(peer: Side): void {
    this.peers.push(peer);
    this.#there.push(peer);
  }

  #do(move: Move): void {
    switch (move.do) {
      case 'park':
      case 'plain':
      case 'arrive':
        return this.#arrive(move);
      case 'dial':
        return this.#dial(move);
      case 'command':
        return this.#command(move);
      case 'again':
        return this.#again();
      case 'respond': {
        const peer = at(this.#ringing, move.which);
        if (peer === undefined) return;
        if (move.status >= 200) this.#ringing.splice(this.#ringing.indexOf(peer), 1);
        this.answers(peer, move.status);
        return;
      }
      case 'bye':
      case 'cancel': {
        const peer = this.#peer(move.which);
        if (peer === undefined) return;
        return move.do === 'bye' ? this.hangsUp(peer) : this.givesUp(peer);
      }
      case 'hold':
      case 'resume': {
        const peer = this.#peer(move.which);
        if (peer !== undefined) this.holds(peer, move.do === 'hold');
        return;
      }
      case 'refer':
      case 'attended':
        return this.#refer(move);
      case 'media': {
        const leg = at([...this.engine], move.which);
        if (leg !== undefined)
          this.tell({ type: 'mediaEvent', event: { event: 'failed', leg, why: move.why } });
        return;
      }
      case 'fault':
        this.#fault = { op: move.op, lost: move.lost };
        return;
      case 'wait':
        return this.advance(move.ms);
      case 'restart':
        return this.#restart();
      case 'dying':
        this.seen.deaths += 1;
        this.dying = true;
    }
  }

  #arrive({ do: kind, offerless }: Extract<Move, { do: 'park' | 'arrive' | 'plain' }>): void {
    const offer = offerless ? null : sdp();
    const { far, dialog } =
      kind === 'arrive'
        ? this.arrived('+13125550190', offer)
        : this.parked(kind === 'park' ? 'line1' : 'line5', [], offer);
    this.#add({ far, dialog });
  }

  #dial({ link, flags, commandId }: Extract<Move, { do: 'dial' }>): void {
    const linked = link === null ? undefined : this.#control(link);
    const dying = this.dying;
    const sessions = this.#sessions();
    const command = this.dialCommand({
      to: [['+15550122', 'sip:line2@sip.localhost', 'sip:nobody@sip.localhost'][flags % 3]!],
      ...(linked === undefined ? {} : { link: linked, bridgeOnAnswer: (flags & 4) > 0 }),
      ...((flags & 8) > 0 ? { after: 'park' as const } : {}),
      ...((flags & 16) > 0 ? { limitMs: 60_000 } : {}),
      ...this.#brings(flags, linked),
      ...(commandId > 5 ? {} : { commandId: `dial-${commandId}` }),
    });
    const result = this.#say(command);
    const brings = command.conference !== undefined || command.supervise !== undefined;
    if (dying || result === null || linked !== undefined || commandId <= 5 || brings) return;
    // 8: counts are those of sessions with a live leg.
    if (!result.ok) {
      assert.equal(result.refusal.why, 'accountFull');
      assert.ok(sessions >= MOST_CALLS, `refused with ${sessions} calls`);
    }
    // Of a callee that does not exist the leg ends at once.
    else if (flags % 3 !== 2) assert.ok(sessions < MOST_CALLS, `${sessions} calls, and one more`);
  }

  /** What a call is for: a conference, by id or name, or to supervise. */
  #brings(flags: number, linked: string | undefined): Partial<Extract<Command, { type: 'dial' }>> {
    const stay = { earlyMedia: (flags & 1) > 0 };
    const room = this.rooms.at(-1);
    if ((flags & 7) === 1 && room !== undefined) return { conference: { conference: room, ...stay } };
    if ((flags & 7) === 2) return { conference: { name: 'room 1', ...stay } };
    const role = (['monitor', 'whisper', 'barge'] as const)[flags % 3]!;
    return (flags & 7) === 3 && linked !== undefined ? { supervise: { control: linked, role } } : {};
  }

  /** Mostly one that is not over. */
  #room(n: number): string {
    const isOpen = (id: string): boolean =>
      this.voice.conferences.viewOf('default', id)?.status !== 'completed';
    const open = this.rooms.filter(isOpen);
    return at(open.length === 0 || n >= ANYTHING ? this.rooms : open, n) ?? 'none';
  }

  #command({ what, leg, other, flags, commandId }: Extract<Move, { do: 'command' }>): void {
    const conference = this.#room(other);
    const here = this.voice.conferences.membersOf('default', conference) ?? [];
    const control = ['part', 'role', 'mute', 'hold'].includes(what)
      ? (at(here, leg)?.control ?? this.#control(leg))
      : this.#control(leg);
    if (control === undefined) return;
    const own = { account: flags === 31 ? 'other' : 'default', control };
    const about = {
      ...own,
      ...(commandId > 3 ? {} : { commandId: `c-${commandId}` }),
      ...((flags & 16) > 0 ? { clientState: 'aGk=' } : {}),
    };
    const after = (flags & 8) > 0 ? { after: 'park' as const } : {};
    const queue = (flags & 2) > 0 ? 'first' : 'second';
    const member = { ...about, conference };
    const { control: _, ...all } = member;
    const some = this.#control(other)!;
    const controls = (flags & 3) === 0 ? [] : [control];
    const commands: Record<typeof what, Command> = {
      answer: { type: 'answer', ...about },
      reject: { type: 'reject', ...about, cause: 'USER_BUSY' },
      hangup: { type: 'hangup', ...about },
      bridge: {
        type: 'bridge',
        ...about,
        with: this.#control(other)!,
        ...after,
        preventDouble: (flags & 7) === 7,
        ringtone: (flags & 1) > 0,
      },
      take: { type: 'bridge', ...about, with: { queue }, ...after },
      enqueue: {
        type: 'enqueue',
        ...about,
        queue,
        ...((flags & 1) > 0 ? { maxWaitMs: 20_000 } : {}),
      },
      leave: { type: 'leaveQueue', ...about },
      transfer: {
        type: 'transfer',
        ...about,
        to: ['+15550133', 'sip:line2@sip.localhost', 'sip:nobody@sip.localhost'][flags % 3]!,
        earlyMedia: (flags & 4) > 0,
        ...after,
      },
      state: { type: 'setClientState', ...about, clientState: 'aGk=' },
      digits: { type: 'sendDigits', ...about, digits: '1' },
      create: {
        type: 'createConference',
        ...about,
        name: `room ${flags & 3}`,
        startOnCreate: (flags & 4) > 0,
        beep: 'always',
        maxMembers: 3,
      },
      join: {
        type: 'joinConference',
        ...member,
        muted: (flags & 1) > 0,
        held: (flags & 6) === 6,
        startOnEnter: (flags & 4) > 0,
        endOnExit: (flags & 24) === 24,
        softEndOnExit: (flags & 24) === 8,
        ...((flags & 2) > 0 ? { role: 'whisper', whisperTo: [some] } : {}),
      },
      part: { type: 'leaveConference', ...member },
      mute: { type: 'muteMembers', ...all, controls, muted: (flags & 4) > 0 },
      hold: { type: 'holdMembers', ...all, controls, held: (flags & 4) > 0 },
      role:
        (flags & 1) > 0
          ? { type: 'switchRole', ...about, role: (['monitor', 'whisper', 'barge'] as const)[flags % 3]! }
          : {
              type: 'setRole',
              ...member,
              role: (['monitor', 'whisper', 'barge'] as const)[flags % 3]!,
              whisperTo: [some],
            },
      endAll: { type: 'endConference', ...all },
    };
    this.#say(commands[what]);
  }

  /** Commands; `null`: the process died of it. A refused command changes nothing. */
  #say(command: Command): CommandResult | null {
    const dying = this.dying;
    const seen = (): string =>
      JSON.stringify([
        [...this.journal],
        this.media.length,
        this.news.length,
        this.records.length,
        this.voice.size,
      ]);
    const before = dying ? '' : seen();
    let result: CommandResult;
    try {
      result = this.command(command);
    } catch (error) {
      if (!dying) throw error;
      return null;
    }
    this.seen[result.ok ? 'taken' : 'refused'] += 1;
    if (command.type === 'transfer' && result.ok) this.seen.transferred += 1;
    if (result.ok && result.conference !== undefined) this.rooms.push(result.conference);
    if (!result.ok) assert.equal(seen(), before, `${command.type} is refused and has changed something`);
    if ('commandId' in command && command.commandId !== undefined) {
      const on = 'control' in command ? command.control : 'conference' in command ? command.conference : '';
      const key = `${command.account} ${on} ${command.commandId}`;
      const known = this.#said.get(key);
      const first = known !== undefined && this.now - known < 60_000 ? known : this.now;
      if (result.ok) this.#said.set(key, first);
      this.#last = { command, result, at: first };
    }
    return result;
  }

  /** The last command with an id comes again: the answer it had, and nothing else. */
  #again(): void {
    if (this.dying || this.#last === null || !this.#last.result.ok || this.now - this.#last.at >= 60_000)
      return;
    const before = [...this.journal];
    const { length } = this.media;
    assert.deepEqual(this.command(this.#last.command), this.#last.result);
    assert.deepEqual([...this.journal], before, 'it had an effect again');
    assert.equal(this.media.length, length);
    this.seen.again += 1;
  }

  #refer({ do: kind, which }: Extract<Move, { do: 'refer' | 'attended' }>): void {
    const peer = this.#peer(which);
    if (peer === undefined || peer.far.agent.dialogOf(peer.dialog) === null) return;
    const other = this.#peer(which + 1);
    const dialog = kind === 'refer' ? null : (other?.far.agent.dialogOf(other.dialog) ?? null);
    const replaces =
      dialog === null
        ? ''
        : `?Replaces=${encodeURIComponent(`${dialog.callId};to-tag=${dialog.remoteTag};from-tag=${dialog.localTag}`)}`;
    const headers = [['Refer-To', `<sip:+15550144@sip.localhost${replaces}>`]] as const;
    peer.far.act(
      peer.far.agent.requestInDialog(peer.dialog, { method: 'REFER', headers }, 'refer', this.now),
    );
  }

  /** What the peers heard is answered. */
  settle(): void {
    for (let round = 0; round < 5; round++) {
      let quiet = true;
      for (const far of [this.vsp, this.proxy])
        for (const event of far.events.splice(0)) {
          quiet = false;
          if (event.type === 'incoming') {
            this.#add({ far, dialog: event.leg });
            this.#ringing.push(this.peers.at(-1)!);
          } else if (['bye', 'cancelled', 'failed', 'ended'].includes(event.type) && 'leg' in event)
            this.#there = this.#there.filter(({ dialog }) => dialog !== event.leg);
          else if (event.type === 'reinvite')
            far.act(far.agent.respondReinvite(event.leg, event.tx, 200, { sdp: sdp() }, this.now));
          else if (event.type === 'info') far.act(far.agent.respondRequest(event.tx, 200, {}, this.now));
          else if (event.type === 'accepted' && event.sdp !== undefined)
            far.act(far.agent.ack(event.leg, sdp(), this.now));
          else if (event.type === 'request') {
            if (event.request.method !== 'OPTIONS')
              far.act(far.agent.respondRequest(event.tx, 200, {}, this.now));
            else {
              const uri = { scheme: 'sip', user: 's1', host: 'vsp.sidetone.invalid', params: {} };
              const phone = { scheme: 'sip', user: 'desk', host: '192.0.2.7', params: {} };
              const contact = [uri, phone].map((one) => ({ uri: one, params: {} }));
              const message = createResponse(event.request, 200, { contact });
              this.tell({ type: 'sip', message, flow: { transport: 'local', node: far.node } });
            }
          }
        }
      if (quiet) break;
    }
    for (const { what, leg } of this.news.slice(this.#known)) {
      if (what.type === 'initiated') this.controls.push(leg.control);
      if (what.type === 'initiated' && what.state === 'parked') this.seen.parked += 1;
      if (what.type === 'bridged') this.seen.bridged += 1;
      if (what.type === 'dequeued') this.seen.queued += 1;
      if (what.type === 'joined') this.seen.joined += 1;
    }
    this.#known = this.news.length;
  }

  /** The legs that the journal says there are. */
  legs(): readonly Leg[] {
    const legs: Leg[] = [];
    for (const [key, text] of this.journal) {
      if (!key.startsWith('leg ')) continue;
      const read = readEntry(JSON.parse(text));
      assert.ok(read.ok, `${key} is unreadable: ${read.ok ? '' : read.error}`);
      if (read.value.kind === 'leg') legs.push(read.value.leg);
    }
    return legs;
  }

  conferences(): ReadonlyMap<string, Conference> {
    return new Map(
      [...this.journal].flatMap(([key, text]) =>
        key.startsWith('conference ')
          ? [[key.slice('conference '.length), JSON.parse(text) as Conference] as const]
          : [],
      ),
    );
  }

  #sessions(): number {
    return new Set(
      this.legs()
        .filter(({ counts }) => counts.includes('account default'))
        .map(({ session }) => session),
    ).size;
  }

  /** 9: the answered legs go on where they are. */
  #restart(): void {
    if (this.dying) return;
    const before = this.legs();
    const halls = this.conferences();
    this.restart();
    this.seen.deaths += 1;
    const after = new Map(this.legs().map((leg) => [leg.id, leg]));
    for (const leg of before) {
      if (leg.state.name !== 'up' || mainOf(leg)?.exchange.connected !== true) continue;
      const { place } = leg;
      const others =
        place?.in === 'bridge'
          ? before.filter((o) => o !== leg && o.place?.in === 'bridge' && o.place.id === place.id)
          : [];
      const talks =
        place === null ||
        place.in === 'queue' ||
        (place.in === 'conference' && halls.get(place.id)?.state !== 'ending') ||
        others.some((o) => o.state.name === 'up' && mainOf(o)?.exchange.connected === true);
      const now = after.get(leg.id);
      // Nobody would look after a plain call; and who is left of one that talked goes by its own rule.
      const isRouted = place?.in === 'bridge' && place.side !== 'supervisor' && place.routed === true;
      const isLeft = !others.some((o) => o.place?.in === 'bridge' && o.place.side !== 'next');
      const talked = others.some((o) => o.state.name === 'up') || (isLeft && leg.program?.after === 'hangup');
      if (!talks && (leg.program === null || isRouted || talked)) continue;
      assert.ok(
        now !== undefined && endingOf(now) === undefined,
        `an answered leg ended: ${JSON.stringify(leg)}`,
      );
      assert.equal(now.program?.clientState, leg.program?.clientState);
      assert.deepEqual(now.program?.done, leg.program?.done);
      if (talks) assert.deepEqual(now.place, place);
      else assert.equal(now.place, null);
    }
  }

  /** What must hold whenever nothing is under way. */
  check(): void {
    const legs = this.legs();
    const heard = new Map<string, Source>();
    for (const command of this.media) {
      if (command.op === 'source') heard.set(command.leg, command.source);
      if (command.op === 'close') heard.delete(command.leg);
    }
    const sides = new Map<string, Leg>();
    const tickets = new Set<string>();
    for (const leg of legs) {
      const { place } = leg;
      if (place?.in === 'queue') {
        assert.ok(!tickets.has(`${place.id} ${place.ticket}`), 'two legs with one ticket');
        tickets.add(`${place.id} ${place.ticket}`);
        assert.equal(endingOf(leg), undefined, 'a leg that ends is in a queue');
      }
      if (place?.in !== 'bridge' || endingOf(leg) !== undefined) continue;
      // 1: one leg a side.
      if (place.side === 'supervisor') continue;
      const key = `${place.id} ${place.side}`;
      assert.ok(!sides.has(key), `two legs at side ${place.side}`);
      sides.set(key, leg);
    }
    const halls = this.conferences();
    const owner = new Map(legs.flatMap((leg) => leg.branches.map(({ id }) => [id, leg] as const)));
    for (const leg of legs) {
      const main = mainOf(leg);
      for (const { id } of leg.branches) {
        const source = heard.get(id);
        if (source?.kind !== 'leg' || endingOf(leg) !== undefined) continue;
        // 2: nobody hears a leg of another place.
        const other = owner.get(source.leg);
        const together =
          leg.place?.in === 'bridge' && other?.place?.in === 'bridge' && leg.place.id === other.place.id;
        assert.ok(together, `a leg hears one that is elsewhere: ${leg.place?.in} ${other?.place?.in}`);
      }
      if (leg.state.name !== 'up' || main === undefined || main.media.phase !== 'open') continue;
      const source = heard.get(main.id);
      if (main.exchange.holding) assert.equal(source?.kind, 'silence', 'who holds hears something');
      else if (leg.place === null || leg.place.in === 'queue')
        assert.equal(source?.kind, 'silence', 'who is parked hears something');
      else if (leg.place.in === 'bridge') this.#checkBridged(leg, source, sides, legs);
      if (leg.place?.in === 'conference') checkStay(leg, source, halls.get(leg.place.id), legs);
    }
    this.#checkHalls(halls, legs);
    // 3: no ghost in media.
    for (const id of this.engine) assert.ok(owner.has(id), 'media has a leg of nobody');
    this.lanes();
  }

  /** 1: no conference without a leg lives on, but a fresh one; a name is of one that is active. */
  #checkHalls(halls: ReadonlyMap<string, Conference>, legs: readonly Leg[]): void {
    const names = new Set<string>();
    for (const { id, name, state, joined, maxMembers } of halls.values()) {
      const here = legs.filter(({ place }) => place?.in === 'conference' && place.id === id);
      assert.ok(here.length <= maxMembers, 'more are in it than may be');
      if (state === 'over') assert.equal(here.length, 0);
      if (state !== 'init' && state !== 'in-progress') continue;
      assert.ok(!joined || here.length > 0, 'a conference without a leg lives on');
      assert.ok(!names.has(name), 'two conferences with one name');
      names.add(name);
    }
  }

  #checkBridged(
    leg: Leg,
    source: Source | undefined,
    sides: ReadonlyMap<string, Leg>,
    legs: readonly Leg[],
  ): void {
    if (leg.place?.in !== 'bridge') return;
    if (leg.place.side === 'supervisor') {
      this.seen.supervised += 1;
      return checkSupervisor(leg, source, legs);
    }
    const { id, side } = leg.place;
    if (sides.has(`${id} next`)) return;
    const other = sides.get(`${id} ${side === 'a' ? 'b' : 'a'}`);
    assert.ok(other !== undefined, 'a bridge of one that is up');
    const theirs = mainOf(other);
    if (other.state.name !== 'up' || theirs === undefined) return;
    if (theirs.exchange.holding) assert.equal(source?.kind, 'music');
    else if (checkSupervised(leg, other, source, legs)) return;
    else if (theirs.media.phase === 'open')
      assert.deepEqual([source?.kind, source?.kind === 'leg' && source.leg], ['leg', theirs.id]);
  }

  /** Everybody hangs up, and nothing is left; then as many calls may begin as there may be. */
  finish(): void {
    this.dying = false;
    this.#fault = null;
    for (const control of this.controls) {
      const view = this.voice.legOf(control);
      if (view?.alive === true) this.command({ type: 'hangup', account: view.account, control });
    }
    for (let i = 0; i < 4; i++) {
      this.settle();
      for (const peer of this.peers) {
        this.hangsUp(peer);
        this.givesUp(peer);
        this.answers(peer, 487);
      }
      this.advance(10_000);
    }
    this.advance(700_000);
    this.advance(3_600_000);
    assert.deepEqual(this.voice.size, { calls: 0, media: 0, dialogs: 0 });
    assert.equal(this.voice.deadline(), null);
    assert.deepEqual([...this.journal.keys()], []);
    assert.deepEqual([...this.engine], []);
    this.lanes();
    this.laneEnds();
    const recorded = this.records.map((record) => record.leg_id);
    assert.equal(new Set(recorded).size, recorded.length, 'a leg is recorded twice');
    for (const { far, dialog } of this.peers)
      assert.equal(far.agent.snapshot(dialog), null, 'a peer has a ghost');
    for (let i = 0; i < MOST_CALLS; i++) this.dialled();
    assert.equal(this.refusal(this.dialCommand()), 'accountFull');
  }
}
