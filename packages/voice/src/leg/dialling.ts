import { formatCaller, type MediaReply } from '@sidetone/wire';
import type { LegInput } from '../message.ts';
import { tellAnswer, upUntil } from './answered.ts';
import { type Branch, mediaKind, newBranch, offerFamily, rings, signalledFrom } from './branch.ts';
import { calleeCodecs } from './codecs.ts';
import { sendNext } from './digits.ts';
import { CAUSE, causeOfStatus, type Ending, rank } from './ending.ts';
import { branchGone, endBranch, endLeg, isPeers, mediaEnding, unanswered } from './finish.ts';
import { type Dial, isEnding, type TrunkFacts, targetOf } from './leg.ts';
import type { LegDraft } from './leg-draft.ts';
import { nextRun } from './trunk-runs.ts';

/*
 * A leg that we call: find where the callee is, ring it everywhere, keep the first that answers.
 *
 *   dial   ──▶ a branch per contact (or one for the trunk) ──▶ media offer ──▶ INVITE
 *   18x    ──▶ told to the place; with SDP: media accept, and the place may hear it
 *   2xx    ──▶ cancel the other branches, media accept, up
 *   ≥ 300  ──▶ wait for the other branches; behind the last the best refusal is the leg's ending
 *
 * `arrived` looks at what is known and does the next thing, so that replies may come in any order.
 */

/** A user with more bindings than this is rung at the latest ones. */
const MAX_FORKS = 8;

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

const dialling = (draft: LegDraft): Dial | null =>
  draft.leg.state.name === 'dialling' ? draft.leg.dial : null;

export function onDial(draft: LegDraft): void {
  const dial = dialling(draft);
  if (dial === null || draft.leg.branches.length > 0) return;
  const until = draft.now + dial.ringMs;
  const looking = dial.targets.filter(({ callee }) => callee.to === 'user').length;
  draft.to({ name: 'dialling', until, looking });
  for (const [of, { callee, branch }] of dial.targets.entries()) {
    if (callee.to === 'trunk') prepareTrunk(draft, dial, callee.trunks[0]!, branch, of);
    else draft.emit({ type: 'lookup', leg: draft.leg.id, user: callee.userName, target: of });
  }
}

function prepareTrunk(draft: LegDraft, dial: Dial, first: TrunkFacts, id: string, callee: number): void {
  const { name, codecs, dtmf, policy, family = null } = first;
  const facts = {
    id,
    callee,
    kind: 'trunk',
    phase: 'preparing',
    trunk: name,
    codecs,
    dtmf,
    policy,
    family,
  } as const;
  prepare(draft, dial, newBranch(facts));
}

function prepare(draft: LegDraft, dial: Dial, branch: Branch): void {
  draft.add({ ...branch, media: { ...branch.media, phase: 'asked' } });
  draft.media('first', {
    op: 'offer',
    leg: branch.id,
    kind: mediaKind(branch),
    codecs: branch.codecs,
    opus: dial.opus,
    ...offerFamily(branch),
  });
}

export function onBindings(draft: LegDraft, input: Of<'bindings'>): void {
  const { state, dial } = draft.leg;
  if (state.name !== 'dialling' || state.looking === 0 || dial === null) return;
  const { callee, branch } = dial.targets[input.target] ?? dial.targets[0];
  if (callee.to !== 'user') return;
  const looking = state.looking - 1;
  draft.to({ ...state, looking });
  if (input.contacts.length === 0) {
    // The others may answer yet.
    if (looking > 0 || draft.leg.branches.some(rings)) return;
    const cause =
      input.status === 404
        ? CAUSE.unknownUser
        : input.status < 300 || input.status === 480
          ? CAUSE.notRegistered
          : CAUSE.drain;
    endLeg(draft, { ...cause, by: 'platform' });
    return;
  }
  const ringMs = Math.min(callee.ringMs, dial.ringMs);
  const until = draft.now + ringMs;
  draft.to({
    name: 'dialling',
    until: dial.targets.length === 1 ? until : Math.max(until, state.until),
    looking,
  });
  const codecs = calleeCodecs(callee.codecs, callee.policy, dial.codecs);
  for (const [i, contact] of input.contacts.slice(0, callee.ringAll ? MAX_FORKS : 1).entries())
    prepare(
      draft,
      dial,
      newBranch({
        id: i === 0 ? branch : contact.branch,
        callee: input.target,
        kind: contact.client ? 'client' : 'phone',
        webrtc: contact.webrtc,
        phase: 'preparing',
        codecs,
        dtmf: contact.client ? 'rfc4733' : callee.dtmf,
        family: contact.family,
        target: contact.uri,
      }),
    );
}

/**
 * A trunk, and a user of another account, see a number that belongs to the caller (or its name); users of the same account see what the caller
 * gave. Users are told numbers in the format of their connection.
 */
function shown(dial: Dial, branch: Branch): { readonly name?: string; readonly number: string } {
  const { callee } = targetOf(dial, branch);
  const { name, number, numbers, userName } = dial.caller;
  const display = name === undefined ? {} : { name };
  // No carrier is shown a name where there is a number.
  const proven = numbers.includes(number) || (branch.kind !== 'trunk' && number === userName);
  const owned = proven ? number : (numbers[0] ?? userName ?? number);
  if (callee.to !== 'user') return { ...display, number: owned };
  const { format, country } = callee.ani;
  return { ...display, number: formatCaller(callee.foreign ? owned : number, format, country) };
}

/** Media's answer to the first description of a branch that is to be called. */
export function onFirstOffer(draft: LegDraft, branch: Branch, reply: MediaReply): void {
  const { dial } = draft.leg;
  if (branch.media.phase !== 'asked' || branch.phase !== 'preparing' || dial === null) return;
  if (!reply.ok || reply.sdp === undefined) {
    const error = reply.ok ? 'engine' : reply.error;
    draft.log('warn', 'no media', { error });
    endBranch(draft, branch, mediaEnding(error));
    onLost(draft);
    return;
  }
  draft.part(branch.id, 'media', { phase: 'open', sdp: reply.sdp, codec: reply.codec ?? branch.media.codec });
  draft.change(branch.id, { phase: 'calling' });
  draft.emit({
    type: 'invite',
    leg: draft.leg.id,
    branch: branch.id,
    sdp: reply.sdp,
    shown: shown(dial, branch),
    headers: dial.caller.headers,
  });
}

/** Gives the peer's answer to media, unless it is the one media has. */
export function accept(draft: LegDraft, branch: Branch, sdp: string): void {
  const { remote, accepting } = branch.exchange;
  if (sdp === remote) return;
  draft.part(branch.id, 'exchange', { remote: sdp, accepting: accepting + 1 });
  draft.media('accept', { op: 'accept', leg: branch.id, sdp, ...signalledFrom(branch) });
}

/** Media's answer to the peer's, also to that of the ACK to our offer. */
export function onAccept(draft: LegDraft, branch: Branch, reply: MediaReply): void {
  const accepting = branch.exchange.accepting - 1;
  if (reply.ok) {
    const moved = branch.exchange.moved || reply.moved === true;
    draft.part(branch.id, 'exchange', { accepting, connected: true, moved });
    draft.part(branch.id, 'media', { codec: reply.codec ?? branch.media.codec });
    if (draft.leg.early === null && dialling(draft) !== null) draft.set({ early: branch.id });
    arrived(draft);
    return;
  }
  draft.log('warn', 'answer refused by media', { error: reply.error });
  draft.part(branch.id, 'exchange', { accepting, connected: false, remote: null });
  if (branch.phase !== 'up' || accepting > 0) return;
  if (draft.leg.direction === 'theirs' && isPeers(reply.error)) unanswered(draft);
  else endLeg(draft, mediaEnding(reply.error));
}

function answeredBy(draft: LegDraft, branch: Branch, trunk: string | undefined): void {
  const { dial } = draft.leg;
  const callee = dial === null ? undefined : targetOf(dial, branch).callee;
  if (trunk === undefined || callee?.to !== 'trunk') return;
  const facts = callee.trunks.find((t) => t.name === trunk);
  draft.change(branch.id, {
    trunk,
    ...(facts === undefined ? {} : { dtmf: facts.dtmf, policy: facts.policy }),
  });
}

export function onProgress(draft: LegDraft, input: Of<'progress'>): void {
  const branch = draft.branch(input.branch);
  if (branch?.phase !== 'calling' || dialling(draft) === null) return;
  answeredBy(draft, branch, input.trunk);
  const described = input.sdp !== undefined;
  if (input.status > 100) draft.set({ progressed: true });
  draft.tell({
    type: 'progress',
    leg: draft.leg.id,
    status: input.status,
    described,
    headers: input.headers,
  });
  if (input.sdp !== undefined && (draft.leg.early === null || draft.leg.early === branch.id))
    accept(draft, draft.heardFrom(branch, input.from), input.sdp);
}

export function onAccepted(draft: LegDraft, input: Of<'accepted'>): void {
  const branch = draft.branch(input.branch);
  if (branch === undefined) return;
  if (branch.phase === 'cancelling') {
    // RFC 3261 §9.1: the 2xx crossed our CANCEL.
    const ending: Ending = branch.ending ?? { ...CAUSE.loseRace, by: 'platform' };
    draft.emit({ type: 'bye', leg: draft.leg.id, branch: branch.id, ending });
    branchGone(draft, branch.id, null);
    return;
  }
  if (branch.phase !== 'calling' || dialling(draft) === null) return;
  answeredBy(draft, branch, input.trunk);
  draft.change(branch.id, { phase: 'up' });
  draft.set({
    state: { name: 'accepting' },
    main: branch.id,
    early: null,
    answeredAt: draft.now,
    answerHeaders: input.headers,
  });
  chosen(draft, branch);
  for (const other of draft.leg.branches)
    if (other.id !== branch.id) endBranch(draft, other, { ...CAUSE.loseRace, by: 'callee' });
  if (input.sdp !== undefined) accept(draft, draft.heardFrom(branch, input.from), input.sdp);
  else if (branch.exchange.remote === null) {
    // RFC 3261 §13.2.1: a 2xx to an offer carries the answer, unless a reliable 18x did.
    endLeg(draft, { ...CAUSE.noCodec, by: 'platform' });
    return;
  }
  arrived(draft);
}

/** Of several who were called the leg is the one who answered. */
function chosen(draft: LegDraft, branch: Branch): void {
  const { dial } = draft.leg;
  if (dial === null || dial.targets.length === 1) return;
  const { callee, dialled } = targetOf(dial, branch);
  const party = callee.to === 'user' ? callee.userName : callee.number;
  draft.set({
    to: dialled,
    party: { number: party },
    ...(callee.to === 'user' ? { userName: callee.userName } : {}),
  });
}

/** The branch that answered has its media: the leg is up. */
function arrived(draft: LegDraft): void {
  const { main } = draft;
  if (draft.leg.state.name !== 'accepting' || main === undefined) return;
  if (!main.exchange.connected || main.exchange.accepting > 0) return;
  draft.set({ state: { name: 'up', until: upUntil(draft) }, dial: null });
  tellAnswer(draft, draft.leg.answerHeaders);
  sendNext(draft);
}

function refusal(draft: LegDraft, branch: Branch, input: Of<'failed'>): Ending {
  if (input.by === 'timeout') return { ...CAUSE.noResponse, by: 'platform' };
  if (input.by === 'transport') return { ...causeOfStatus(503), by: 'platform' };
  const { dial } = draft.leg;
  const callee = dial === null ? undefined : targetOf(dial, branch).callee;
  const named = input.cause === undefined ? {} : { cause: input.cause.name, code: input.cause.code };
  // Statuses a caller must not see as they are: redirects and challenges end here.
  const sip = input.status < 400 ? 480 : input.status === 401 || input.status === 407 ? 403 : input.status;
  const ending: Ending = { ...causeOfStatus(sip), ...named, by: 'callee', headers: input.headers };
  if (ending.cause !== 'rejected') return ending;
  // A client that rejects without a word of its own: the connection says what its callers see.
  return { ...ending, code: 21, sip: callee?.to === 'user' ? callee.rejectCode : sip };
}

export function onFailed(draft: LegDraft, input: Of<'failed'>): void {
  const branch = draft.branch(input.branch);
  if (branch === undefined || !(branch.phase === 'calling' || branch.phase === 'cancelling')) return;
  answeredBy(draft, branch, input.trunk);
  const ending = refusal(draft, branch, input);
  const wasCalling = branch.phase === 'calling';
  const { dial } = draft.leg;
  const next =
    dial === null
      ? undefined
      : nextRun(targetOf(dial, branch).callee, draft.branch(branch.id)?.trunk, input, draft.leg.progressed);
  branchGone(draft, branch.id, ending);
  if (wasCalling && next !== undefined && dialling(draft) !== null)
    return prepareTrunk(draft, dial!, next, next.branch, branch.callee);
  // RFC 3261 §16.7 item 5: a 6xx speaks for every device of the callee.
  if (wasCalling && ending.sip >= 600) endLeg(draft, ending);
  else onLost(draft);
}

/** Behind the last branch the leg ends with the best refusal. */
export function onLost(draft: LegDraft): void {
  if (dialling(draft) === null) return;
  const { early } = draft.leg;
  if (early !== null && draft.branch(early)?.phase !== 'calling') draft.set({ early: null });
  const { state } = draft.leg;
  if (draft.leg.branches.some(rings) || (state.name === 'dialling' && state.looking > 0)) return;
  let best: Ending | null = null;
  for (const { ending } of draft.leg.branches)
    if (ending !== null && (best === null || rank(ending) < rank(best))) best = ending;
  endLeg(draft, best ?? { ...CAUSE.drain, by: 'platform' });
}

/** Time is over: of the ring, of the call, of a peer that has not answered our offer, or of a back end that commands nothing. */
export function onLimit(draft: LegDraft): void {
  const { state, program } = draft.leg;
  if (isEnding(draft.leg)) return;
  const first = program?.firstCommandBy ?? null;
  const uncommanded = first !== null && first <= draft.now;
  const until = 'until' in state ? state.until : undefined;
  if (!uncommanded && (until === undefined || until > draft.now)) return;
  const heard = draft.main?.exchange.connected === true ? CAUSE.tooLong : CAUSE.noCodec;
  endLeg(draft, { ...(state.name === 'up' ? heard : CAUSE.noAnswer), by: 'platform' });
}
