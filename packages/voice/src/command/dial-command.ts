import { uuid } from '@sidetone/core';
import type { CommandResult, DialCommand, LegIds } from '@sidetone/wire';
import { newPlay } from '../activity/activity.ts';
import { CAUSE } from '../leg/ending.ts';
import { isEnding, type Leg, mainOf } from '../leg/leg.ts';
import { hookSettings, newProgram, type OnAnswer, type Program, withHook } from '../leg/program.ts';
import { backEndAsks } from '../routing/asker.ts';
import { type Desk, findLiveLeg, isRefusal, RING_MS, refused } from './desk.ts';
import { conferenceFor, joinOnAnswer } from './joining.ts';
import { areTogether, join } from './moving.ts';
import { callOut } from './outgoing.ts';
import { beginRecording, begunBefore } from './recording.ts';
import { noEngine, streamInput, transcribeInput } from './streaming.ts';
import { supervise, supervisedBy } from './supervising.ts';

/* A command that calls somebody, and what happens when the leg has answered. */

export function dial(desk: Desk, command: DialCommand): CommandResult {
  const { options, remembered } = desk;
  const { account, commandId } = command;
  const before = commandId === undefined ? undefined : remembered.dialledBefore(account, commandId, desk.now);
  if (before !== undefined) {
    const leg = desk.registry.legs.get(before.leg);
    return { ok: true, ids: before, ...(leg === undefined ? {} : begunBefore(leg)) };
  }
  const missing = command.transcribe === undefined ? null : noEngine(desk, 'transcription');
  if (missing !== null) return refused(missing);
  const identity = options.identity();
  const asker = backEndAsks(identity, account, command.connection);
  if (asker === undefined)
    return refused({
      why: 'badAssociation',
      field: 'connection_id',
      detail: 'connection_id names no active connection or application of this account.',
    });
  const linked = command.link === undefined ? undefined : findLiveLeg(desk, command.link, account, 'link_to');
  if (linked !== undefined && isRefusal(linked)) return refused(linked);
  const conference = command.conference && conferenceFor(desk, account, command.conference);
  if (conference !== undefined && isRefusal(conference)) return refused(conference);
  const supervised = command.supervise && supervisedBy(desk, account, command.supervise.control);
  if (supervised !== undefined && isRefusal(supervised)) return refused(supervised);
  // With its early media it is there from the beginning.
  const isEarly = command.conference?.earlyMedia !== false && conference?.there !== undefined;
  const entry = isEarly ? conference?.entry(conference.there) : undefined;
  const made = callOut(desk, {
    asker,
    to: command.to,
    from: command.bridgeIntent === true && linked !== undefined ? linked.from : command.from,
    chosen: command.bridgeIntent !== true,
    ...(command.fromName === undefined ? {} : { fromName: command.fromName }),
    session: linked?.session ?? uuid(options.random),
    place: entry?.place ?? null,
    program: dialProgram(desk, command, linked, isEarly, supervised?.id),
    ringMs: command.ringMs ?? RING_MS,
    headers: command.headers ?? [],
    codecs: command.codecs ?? (linked === undefined ? [] : (mainOf(linked)?.codecs ?? [])),
  });
  if (isRefusal(made)) return refused(made);
  entry?.tell();
  if (command.stream !== undefined) desk.legs.post(made.id, streamInput(desk, command.stream));
  if (command.transcribe !== undefined) desk.legs.post(made.id, transcribeInput(desk, command.transcribe));
  beginRecording(desk, made, command.record, 'OutboundAPI');
  // Its back end is at work for this one.
  if (linked?.program?.firstCommandBy != null) desk.legs.post(linked.id, { type: 'commanded' });
  const ids: LegIds = { control: made.control, leg: made.id, session: made.session };
  if (commandId !== undefined) remembered.dialled(account, commandId, ids, desk.now);
  return { ok: true, ids, ...desk.begun };
}

function dialProgram(
  desk: Desk,
  command: DialCommand,
  linked: Leg | undefined,
  isThere: boolean,
  supervised: string | undefined,
): Program {
  const identity = desk.options.identity();
  const { connection, account, clientState, limitMs, hook, after, digits, play, detect } = command;
  const webhook = identity.connection(connection)?.webhook ?? identity.application(connection)?.webhook;
  const join = isThere ? undefined : command.conference;
  const supervise =
    supervised === undefined || command.supervise === undefined
      ? undefined
      : { leg: supervised, role: command.supervise.role };
  const bridge = command.bridgeOnAnswer === true ? linked?.id : undefined;
  return newProgram({
    account,
    connection,
    party: 'sip',
    clientState: clientState ?? null,
    hook: withHook(hookSettings(webhook ?? null), hook),
    after: after ?? 'hangup',
    limitMs: limitMs ?? null,
    onAnswer: actionsOf({ digits, play, detect, bridge, join, supervise }),
  });
}

/** What was named of it; `null`: nothing. */
export function actionsOf(
  named: { readonly [K in keyof OnAnswer]: OnAnswer[K] | undefined },
): OnAnswer | null {
  const actions = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  return Object.keys(actions).length === 0 ? null : actions;
}

/** A leg that was called has answered. */
export function actOnAnswer(
  desk: Desk,
  id: string,
  { digits, play, bridge, join: ask, supervise: over }: OnAnswer,
): void {
  const { registry, legs, options } = desk;
  const leg = registry.legs.get(id);
  if (leg === undefined) return;
  if (digits !== undefined) legs.post(id, { type: 'send', digits });
  if (play !== undefined)
    legs.post(id, { type: 'play', play: newPlay(uuid(options.random), play, 1, false) });
  if (ask !== undefined && !joinOnAnswer(desk, leg, ask)) endUnjoined(desk, id);
  if (over !== undefined && !supervise(desk, leg, over)) endUnjoined(desk, id);
  if (bridge === undefined) return;
  const other = registry.legs.get(bridge);
  if (other !== undefined && areTogether(leg, other)) return;
  // Of several that ring for one caller the first has it; who comes later must not take it over.
  if (other === undefined || isEnding(other) || other.place?.in === 'bridge') endUnjoined(desk, id);
  else join(desk, leg, other, { onFail: 'after' });
}

/** Who was called to be with somebody who is not there any more is hung up. */
const endUnjoined = ({ legs }: Desk, id: string): void =>
  legs.post(id, { type: 'end', ending: { ...CAUSE.normal, by: 'platform' } });
