import { type Ms, uuid } from '@sidetone/core';
import { formatUri, parseUri } from '@sidetone/sip';
import {
  type AfterBridge,
  type Command,
  type CommandResult,
  type DialCommand,
  isBase64,
  CAUSE as KNOWN,
  type LegCommand,
  type LegIds,
  type Refusal,
} from '@sidetone/wire';
import { newPlay } from '../activity/activity.ts';
import { CAUSE, type Ending, why } from '../leg/ending.ts';
import { isEnding, type Leg, mainOf } from '../leg/leg.ts';
import { hookSettings, isDone, newProgram, type OnAnswer, type Program, withHook } from '../leg/program.ts';
import type { Admission } from '../limits/admission.ts';
import { type Bridge, otherOf } from '../place/bridge-draft.ts';
import type { Registry } from '../registry.ts';
import { type Asker, backEndAsks, userAsks } from '../routing/asker.ts';
import type { Transactions } from '../transaction.ts';
import type { VoiceOptions } from '../voice-options.ts';
import type { Beginnings } from './begin.ts';
import { callOut, type Outgoing } from './outgoing.ts';
import type { Remembered } from './remembered.ts';
import { accountOf, connectionOf } from './view.ts';

/*
 * Commands of back ends. One is checked against what is there now; then it changes nothing and is refused, or it becomes messages to
 * machines, in the same input. Who comes second finds what the first has made of it.
 */

interface World {
  readonly options: VoiceOptions;
  readonly registry: Registry;
  readonly legs: Transactions;
  readonly begin: Beginnings;
  readonly admission: Admission;
  readonly remembered: Remembered;
}

/** What is to be done, or why not. */
type Decision = (() => void) | Refusal;
type Of<T extends LegCommand['type']> = Extract<LegCommand, { type: T }>;

const RING_MS: Ms = 30_000;
const PLATFORM = { by: 'platform' } as const;

const refused = (refusal: Refusal): CommandResult => ({ ok: false, refusal });
const isRefusal = (decision: object): decision is Refusal => 'why' in decision;

const unknownLeg = (field?: string): Refusal => ({
  why: 'unknownLeg',
  detail: 'There is no call of this call_control_id.',
  ...(field === undefined ? {} : { field }),
});
const ended = (field?: string): Refusal => ({
  why: 'ended',
  detail: 'This call is no longer active and can no longer be commanded.',
  ...(field === undefined ? {} : { field }),
});
const UNANSWERED: Refusal = { why: 'unanswered', detail: 'This call has not been answered yet.' };

export class Commands {
  readonly #world: World;
  #now: Ms = 0;

  constructor(world: World) {
    this.#world = world;
  }

  execute(command: Command, now: Ms): CommandResult {
    this.#now = now;
    if (command.clientState !== undefined && !isBase64(command.clientState))
      return refused({
        why: 'badClientState',
        field: 'client_state',
        detail: 'client_state must be base64.',
      });
    if (command.type === 'dial') return this.#dial(command);
    const leg = this.#find(command.control, command.account);
    if (isRefusal(leg)) {
      const wasDone =
        leg.why === 'ended' && this.#world.remembered.wasDone(command.control, command.commandId, now);
      return wasDone ? { ok: true } : refused(leg);
    }
    if (isDone(leg.program?.done ?? [], command.commandId, now)) return { ok: true };
    const isOver = isEnding(leg) && command.type !== 'setClientState';
    const decision = isOver ? ended() : this.#decide(command, leg);
    if (isRefusal(decision)) return refused(decision);
    this.#commanded(leg, command);
    decision();
    return { ok: true };
  }

  /** A leg that was called has answered. */
  onAnswer(id: string, { digits, play, bridge }: OnAnswer, now: Ms): void {
    this.#now = now;
    const { registry, legs, options } = this.#world;
    const leg = registry.legs.get(id);
    if (leg === undefined) return;
    if (digits !== undefined) legs.post(id, { type: 'send', digits });
    if (play !== undefined)
      legs.post(id, { type: 'play', play: newPlay(uuid(options.random), play, 1, false) });
    if (bridge === undefined) return;
    const other = registry.legs.get(bridge);
    if (other !== undefined && areTogether(leg, other)) return;
    // Of several that ring for one caller the first has it; who comes later must not take it over.
    if (other === undefined || isEnding(other) || other.place?.in === 'bridge')
      legs.post(id, { type: 'end', ending: { ...CAUSE.normal, ...PLATFORM } });
    else this.#join(leg, other, { onFail: 'after' });
  }

  #find(control: string, account: string, field?: string): Leg | Refusal {
    const { registry, remembered, options } = this.#world;
    const leg = registry.legOfControl(control);
    if (leg !== undefined) return accountOf(leg, options.identity()) === account ? leg : unknownLeg(field);
    return remembered.ended(control)?.account === account ? ended(field) : unknownLeg(field);
  }

  #commanded(leg: Leg, { clientState, commandId, hook, ...command }: LegCommand): void {
    const identity = this.#world.options.identity();
    const after: AfterBridge | undefined =
      command.type === 'bridge' || command.type === 'transfer' ? (command.after ?? 'hangup') : undefined;
    this.#world.legs.post(leg.id, {
      type: 'commanded',
      ...(leg.program === null
        ? {
            program: newProgram({
              account: command.account,
              connection: connectionOf(leg, identity),
              party: mainOf(leg)?.kind === 'trunk' ? 'pstn' : 'sip',
            }),
          }
        : {}),
      ...(commandId === undefined ? {} : { commandId }),
      ...(clientState === undefined ? {} : { clientState }),
      ...(hook === undefined ? {} : { hook }),
      ...(after === undefined ? {} : { after }),
    });
  }

  #decide(command: LegCommand, leg: Leg): Decision {
    const { legs } = this.#world;
    const isUp = leg.state.name === 'up' || leg.state.name === 'answering';
    switch (command.type) {
      case 'answer':
        return this.#answer(command, leg);
      case 'reject':
        return this.#reject(command, leg);
      case 'hangup':
        return () => legs.post(leg.id, { type: 'end', ending: hangupEnding(command, leg) });
      case 'setClientState':
        if (command.clientState === undefined)
          return { why: 'missing', field: 'client_state', detail: 'The parameter client_state is required.' };
        return () => {};
      case 'bridge':
        return this.#bridge(command, leg);
      case 'transfer':
        return this.#transfer(command, leg);
      case 'sendDigits': {
        const { digits, durationMs } = command;
        if (!isUp) return UNANSWERED;
        return () =>
          legs.post(leg.id, { type: 'send', digits, ...(durationMs === undefined ? {} : { durationMs }) });
      }
      case 'sendInfo': {
        const { contentType, body } = command;
        return isUp ? () => legs.post(leg.id, { type: 'sendInfo', contentType, body }) : UNANSWERED;
      }
      case 'play':
        return isUp ? () => this.#play(command, leg) : UNANSWERED;
      case 'stopPlay': {
        const { stop, overlay = true } = command;
        return isUp ? () => legs.post(leg.id, { type: 'stopPlay', stop, overlay }) : UNANSWERED;
      }
      case 'gather': {
        const {
          account: _a,
          control: _c,
          clientState: _s,
          commandId: _i,
          hook: _h,
          type: _t,
          ...ask
        } = command;
        const id = uuid(this.#world.options.random);
        return isUp ? () => legs.post(leg.id, { type: 'gather', id, ask }) : UNANSWERED;
      }
      case 'stopGather':
        return isUp ? () => legs.post(leg.id, { type: 'stopGather' }) : UNANSWERED;
      case 'refer':
        return this.#refer(command, leg);
    }
  }

  #refer({ address, headers = [] }: Of<'refer'>, leg: Leg): Decision {
    if (leg.state.name !== 'up' && leg.state.name !== 'answering') return UNANSWERED;
    const uri = parseUri(address);
    if (!uri.ok || (uri.value.scheme !== 'sip' && uri.value.scheme !== 'sips'))
      return { why: 'badField', field: 'sip_address', detail: 'sip_address must be a SIP URI.' };
    if (leg.program?.referring === true)
      return { why: 'badField', detail: 'This call is being referred already.' };
    return () => this.#world.legs.post(leg.id, { type: 'sendRefer', address: formatUri(uri.value), headers });
  }

  #play({ sound, loop = 1, overlay = false, stop, target = 'self' }: Of<'play'>, leg: Leg): void {
    const { registry, legs, options } = this.#world;
    const other = leg.place?.in === 'bridge' ? otherOf(registry.members(leg.place.id), leg.id) : undefined;
    const heard = target === 'self' ? [leg] : target === 'opposite' ? [other] : [leg, other];
    for (const one of heard) {
      if (one === undefined || isEnding(one)) continue;
      const play = newPlay(uuid(options.random), sound, loop, overlay);
      legs.post(one.id, { type: 'play', play, ...(stop === undefined ? {} : { stop }) });
    }
  }

  #answer({ codecs, headers = [] }: Of<'answer'>, leg: Leg): Decision {
    if (leg.direction === 'ours')
      return {
        why: 'outgoing',
        detail: 'A call that was dialled by the platform is answered by its other end.',
      };
    const own = mainOf(leg)?.codecs ?? [];
    const wanted = codecs?.filter((name) => own.includes(name)) ?? [];
    const about = { codecs: wanted.length > 0 ? wanted : own, opus: {}, headers };
    // One that is answered already stays so.
    return () => this.#world.legs.post(leg.id, { type: 'answer', ...about });
  }

  #reject({ cause }: Of<'reject'>, leg: Leg): Decision {
    if (leg.state.name !== 'offered')
      return { why: 'badField', detail: 'Only a call that comes in and is not answered can be rejected.' };
    const busy = cause === 'USER_BUSY';
    const ending: Ending = { ...why(busy ? KNOWN.userBusy : KNOWN.callRejected), ...PLATFORM };
    return () => this.#world.legs.post(leg.id, { type: 'end', ending });
  }

  #bridge(command: Of<'bridge'>, leg: Leg): Decision {
    const field = 'call_control_id';
    const other = this.#find(command.with, command.account, field);
    if (isRefusal(other)) return other;
    if (isEnding(other)) return ended(field);
    if (other.id === leg.id)
      return { why: 'badField', field, detail: 'A call cannot be bridged with itself.' };
    // Two that ring, and nobody who waits for either.
    if (isRinging(leg) && isRinging(other)) return UNANSWERED;
    if (areTogether(leg, other)) return () => {};
    if (command.preventDouble === true && (leg.place?.in === 'bridge' || other.place?.in === 'bridge'))
      return {
        why: 'badField',
        field: 'prevent_double_bridge',
        detail: 'One of the calls is bridged already.',
      };
    const { muteDigits, ringtone } = command;
    return () =>
      this.#join(leg, other, {
        onFail: 'after',
        ring: ringtone === true ? 'ringback' : 'silence',
        mutes: [
          muteDigits === 'self' || muteDigits === 'both',
          muteDigits === 'opposite' || muteDigits === 'both',
        ],
      });
  }

  /** Two legs leave where they are and become, or are, a conversation. */
  #join(
    leg: Leg,
    other: Leg,
    facts: Partial<Bridge> & { readonly mutes?: readonly [self: boolean, opposite: boolean] },
  ): void {
    const { mutes = [false, false], ...bridge } = facts;
    const id = this.#open(leg.session, bridge);
    for (const [side, one, mute] of [
      ['a', leg, mutes[0]],
      ['b', other, mutes[1]],
    ] as const) {
      this.#leave(one);
      const place = { in: 'bridge', id, side, ...(mute ? { mutes: true as const } : {}) } as const;
      this.#world.legs.post(one.id, { type: 'placed', place });
    }
  }

  #open(session: string, facts: Partial<Bridge>): string {
    const id = uuid(this.#world.options.random);
    this.#world.begin.openBridge({ id, session, ...facts });
    return id;
  }

  #leave({ place }: Leg): void {
    if (place?.in === 'bridge') this.#world.legs.toBridge(place.id, { type: 'leaves' });
  }

  #transfer(command: Of<'transfer'>, leg: Leg): Decision {
    if (leg.direction === 'ours' && leg.state.name !== 'up') return UNANSWERED;
    const asker = this.#asks(leg);
    if (asker === undefined)
      return {
        why: 'badAssociation',
        detail: 'The connection of this call is not there or not active any more.',
      };
    const {
      to,
      from,
      fromName,
      headers = [],
      ringMs = RING_MS,
      limitMs,
      earlyMedia,
      digits,
      play,
      detect,
    } = command;
    const onAnswer = actionsOf({ digits, play, detect });
    const side = this.#open(leg.session, {
      onFail: 'park',
      ring: 'ringback',
      early: earlyMedia !== false,
    });
    const { hook } = leg.program ?? { hook: hookSettings(null) };
    const next = this.#callOut({
      asker,
      to: [to],
      from: from ?? leg.to,
      chosen: from !== undefined,
      ...(fromName === undefined ? {} : { fromName }),
      session: leg.session,
      place: { in: 'bridge', id: side, side: 'b' },
      program: newProgram({
        account: command.account,
        connection: connectionOf(leg, this.#world.options.identity()),
        party: 'sip',
        clientState: command.targetClientState ?? null,
        hook: withHook(hook, command.hook),
        limitMs: limitMs ?? null,
        onAnswer,
      }),
      ringMs,
      headers,
      codecs: mainOf(leg)?.codecs ?? [],
    });
    if (isRefusal(next)) {
      this.#world.registry.bridges.delete(side);
      return next;
    }
    return () => {
      this.#leave(leg);
      this.#world.legs.post(leg.id, { type: 'placed', place: { in: 'bridge', id: side, side: 'a' } });
    };
  }

  /** On whose account a command of this leg calls others. */
  #asks(leg: Leg): Asker | undefined {
    const identity = this.#world.options.identity();
    const account = accountOf(leg, identity) ?? '';
    const connection = connectionOf(leg, identity);
    const user = identity.userByName(leg.userName ?? '');
    return connection === null
      ? user && userAsks(identity, user)
      : backEndAsks(identity, account, connection);
  }

  #callOut(ask: Outgoing): Leg | Refusal {
    const { options, begin, admission } = this.#world;
    return callOut({ options, begin, admission }, ask, this.#now);
  }

  #dial(command: DialCommand): CommandResult {
    const { options, remembered } = this.#world;
    const { account, commandId } = command;
    const before =
      commandId === undefined ? undefined : remembered.dialledBefore(account, commandId, this.#now);
    if (before !== undefined) return { ok: true, ids: before };
    const identity = options.identity();
    const asker = backEndAsks(identity, account, command.connection);
    if (asker === undefined)
      return refused({
        why: 'badAssociation',
        field: 'connection_id',
        detail: 'connection_id names no active connection or application of this account.',
      });
    const linked = command.link === undefined ? undefined : this.#find(command.link, account, 'link_to');
    if (linked !== undefined && isRefusal(linked)) return refused(linked);
    if (linked !== undefined && isEnding(linked)) return refused(ended('link_to'));
    const made = this.#callOut({
      asker,
      to: command.to,
      from: command.bridgeIntent === true && linked !== undefined ? linked.from : command.from,
      chosen: command.bridgeIntent !== true,
      ...(command.fromName === undefined ? {} : { fromName: command.fromName }),
      session: linked?.session ?? uuid(options.random),
      place: null,
      program: this.#dialProgram(command, linked),
      ringMs: command.ringMs ?? RING_MS,
      headers: command.headers ?? [],
      codecs: command.codecs ?? (linked === undefined ? [] : (mainOf(linked)?.codecs ?? [])),
    });
    if (isRefusal(made)) return refused(made);
    // Its back end is at work for this one.
    if (linked?.program?.firstCommandBy != null) this.#world.legs.post(linked.id, { type: 'commanded' });
    const ids: LegIds = { control: made.control, leg: made.id, session: made.session };
    if (commandId !== undefined) remembered.dialled(account, commandId, ids, this.#now);
    return { ok: true, ids };
  }

  #dialProgram(command: DialCommand, linked: Leg | undefined): Program {
    const identity = this.#world.options.identity();
    const { connection, account, clientState, limitMs, hook, after, digits, play, detect } = command;
    const webhook = identity.connection(connection)?.webhook ?? identity.application(connection)?.webhook;
    const bridge = command.bridgeOnAnswer === true ? linked?.id : undefined;
    return newProgram({
      account,
      connection,
      party: 'sip',
      clientState: clientState ?? null,
      hook: withHook(hookSettings(webhook ?? null), hook),
      after: after ?? 'hangup',
      limitMs: limitMs ?? null,
      onAnswer: actionsOf({ digits, play, detect, bridge }),
    });
  }
}

const areTogether = ({ place }: Leg, other: Leg): boolean =>
  place?.in === 'bridge' && other.place?.in === 'bridge' && place.id === other.place.id;

const isRinging = ({ direction, state }: Leg): boolean =>
  direction === 'ours' && (state.name === 'dialling' || state.name === 'accepting');

/** What was named of it; `null`: nothing. */
function actionsOf(named: { readonly [K in keyof OnAnswer]: OnAnswer[K] | undefined }): OnAnswer | null {
  const actions = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  return Object.keys(actions).length === 0 ? null : actions;
}

/** Of a call that comes in and is not answered, hanging up is rejecting. */
function hangupEnding({ headers = [] }: Of<'hangup'>, leg: Leg): Ending {
  const early = leg.direction === 'theirs' && leg.state.name === 'offered';
  return { ...(early ? why(KNOWN.callRejected) : CAUSE.normal), ...PLATFORM, headers };
}
