import { type LogLine, type Ms, uuid } from '@sidetone/core';
import type { UserAgent, UserAgentOut } from '@sidetone/sip';
import { type ClientFrame, FrameWriter, REFER, RPC_ERROR } from '@sidetone/wire';
import { type Call, type CallInput, type ClientWish, callDeadline, isTold, type LegWish } from './call.ts';
import { type CallBook, type CallRef, keyOf } from './call-book.ts';
import { stepCall } from './call-step.ts';
import { branchId, callIds, readHeard } from './from-sip.ts';
import type { Journal } from './journal.ts';
import { commandLeg } from './leg-commands.ts';
import { type LegEvent, legInput } from './leg-events.ts';
import { inboundCall, outboundCall } from './new-calls.ts';
import { readNotify, referToCall, referToDestination } from './refer.ts';
import type { Session } from './session.ts';
import { CALLS_PER_SESSION } from './settings.ts';
import type { Times } from './times.ts';
import { tryLater } from './to-client.ts';
import { endingHeaders, inviteFor } from './to-sip.ts';
import type { VspOptions, VspOutput } from './vsp-events.ts';

type Invite = Extract<ClientFrame, { kind: 'invite' }>;
type Incoming = Extract<UserAgentOut, { type: 'incoming' }>;
/** What the user agent tells of calls that are there. */
type Heard = LegEvent | Extract<UserAgentOut, { type: 'request' | 'info' }>;

/** What calls want, in order. What the user agent gives for their commands stands where the command was. */
export type DeskOut =
  | UserAgentOut
  | Extract<VspOutput, { type: 'frame' }>
  /** The client of this contact is to hear it. */
  | { readonly type: 'tell'; readonly ref: CallRef; readonly call: Call; readonly wish: ClientWish }
  /** A call of this contact came, went, or is another. */
  | { readonly type: 'changed'; readonly contact: string }
  /** voice heard the client of this contact so long ago. */
  | { readonly type: 'heard'; readonly contact: string; readonly msAgo: Ms }
  | LogLine;

/** What the desk works on; all of it belongs to the service. */
export interface DeskTools {
  readonly agent: UserAgent;
  readonly calls: CallBook;
  readonly journal: Journal;
  readonly times: Times;
}

/** The calls of all sessions: finds the machine (`call-step.ts`) that an event belongs to, runs it, and commands its leg. */
export class CallDesk {
  readonly #options: VspOptions;
  readonly #tools: DeskTools;
  #closed = false;

  constructor(options: VspOptions, tools: DeskTools) {
    this.#options = options;
    this.#tools = tools;
  }

  /** No new calls any more. */
  close(): void {
    this.#closed = true;
  }

  /** A client calls somebody. */
  invite(session: Session, frame: Invite, now: Ms): readonly DeskOut[] {
    const { socket, login, contact } = session;
    if (login.name !== 'ready') return [];
    const { agent, calls, journal } = this.#tools;
    const writer = new FrameWriter(session);
    const ref = { contact, callId: frame.call.callId };
    const say = (text: string): readonly DeskOut[] => [{ type: 'frame', socket, text }];
    const refuse = (why: string) => say(writer.error(frame.id, RPC_ERROR.callFailed, why));
    if (calls.get(ref) !== undefined) return refuse('A call with this callID exists already');
    if (this.#full(contact)) return refuse('Too many calls on this connection');
    const { random, domain } = this.#options;
    if (this.#closed) return say(tryLater(session, frame.id, 'restarting', random));
    const { call } = frame;
    const client = frame.agent.text === '' ? session.agent : frame.agent;
    const ids = { session: uuid(random), leg: uuid(random) };
    calls.set(ref, outboundCall(frame, session.agent, login.user, ids));
    const { leg, out } = agent.invite(inviteFor(call, frame.sdp, login.user, domain, client), now);
    calls.bind(ref, leg);
    journal.touch(ref);
    // The reply goes before everything else about the call: a late one would drag an active call back.
    return [...say(writer.callCreated(frame.id, ref.callId)), { type: 'changed', contact }, ...out];
  }

  #full(contact: string): boolean {
    return this.#tools.calls.count(contact) >= (this.#options.limits?.callsPerSession ?? CALLS_PER_SESSION);
  }

  /** Runs the call's machine. */
  call(ref: CallRef, input: CallInput, now: Ms): readonly DeskOut[] {
    const { agent, calls, journal, times } = this.#tools;
    const before = calls.get(ref);
    if (before === undefined) return [];
    const { state, out: wishes } = stepCall(before, input, now);
    const leg = calls.legOf(ref);
    const over = state.phase === 'over';
    journal.touch(ref);
    if (over) calls.delete(ref);
    else calls.set(ref, state);
    times.set(`call ${keyOf(ref)}`, over ? null : callDeadline(state));
    const out: DeskOut[] = [{ type: 'changed', contact: ref.contact }];
    for (const wish of wishes) {
      if (wish.type === 'log') out.push(wish);
      else if (isTold(wish)) out.push({ type: 'tell', ref, call: state, wish });
      else if (wish.type === 'refer') out.push(...this.#refer(ref, wish.to, now));
      else if (leg !== undefined) out.push(...commandLeg(agent, leg, wish, now));
    }
    if (!over) return out;
    const bye = wishes.find((wish) => wish.type === 'hangUp');
    const written = leg === undefined || bye === undefined ? null : agent.snapshot(leg);
    const headers = bye === undefined ? [] : endingHeaders(bye.cause, undefined, bye.customHeaders);
    journal.over(ref, written === null ? null : { leg: written, headers });
    return out;
  }

  /** The user agent tells something of a call, or asks. */
  hear(out: Heard, now: Ms): readonly DeskOut[] {
    switch (out.type) {
      case 'request':
        return this.#request(out, now);
      case 'info':
        return this.#info(out, now);
      default:
        return this.#legEvent(out, now);
    }
  }

  /** voice tells when it heard a client last. Nothing else that it sends in an INFO means anything to a client. */
  #info({ request, tx, leg }: Extract<Heard, { type: 'info' }>, now: Ms): readonly DeskOut[] {
    const { agent, calls } = this.#tools;
    const msAgo = readHeard(request);
    const ref = calls.refOf(leg);
    const answer = agent.respondRequest(tx, msAgo === null ? 415 : 200, {}, now);
    if (msAgo === null || ref === undefined) return answer;
    return [...answer, { type: 'heard', contact: ref.contact, msAgo }];
  }

  /** voice tells how a transfer gets on. */
  #request({ request, tx, leg }: Extract<Heard, { type: 'request' }>, now: Ms): readonly DeskOut[] {
    const { agent, calls } = this.#tools;
    const news = request.method === 'NOTIFY' && leg !== undefined ? readNotify(request) : null;
    const status = news !== null || request.method === 'OPTIONS' ? 200 : 405;
    const answer = agent.respondRequest(tx, status, {}, now);
    const ref = leg === undefined ? undefined : calls.refOf(leg);
    if (ref === undefined || news === null) return answer;
    return [...answer, ...this.call(ref, { type: 'transferred', ...news }, now)];
  }

  #refer(ref: CallRef, to: Extract<LegWish, { type: 'refer' }>['to'], now: Ms): readonly DeskOut[] {
    const { agent, calls } = this.#tools;
    const { domain } = this.#options;
    const leg = calls.legOf(ref);
    const other =
      'otherCallId' in to ? calls.legOf({ contact: ref.contact, callId: to.otherCallId }) : undefined;
    const dialog = other === undefined ? null : agent.dialogOf(other);
    const headers =
      'destination' in to
        ? referToDestination(to.destination, domain)
        : dialog === null
          ? null
          : referToCall(dialog, domain);
    return leg === undefined || headers === null
      ? this.call(ref, { type: 'referred', status: 404 }, now)
      : agent.requestInDialog(leg, { method: 'REFER', headers }, REFER.event, now);
  }

  #legEvent(out: LegEvent, now: Ms): readonly DeskOut[] {
    const { agent, calls, journal } = this.#tools;
    const ref = calls.refOf(out.leg);
    if (ref !== undefined) {
      journal.touch(ref);
      const input = legInput(out);
      return input === null ? [] : this.call(ref, input, now);
    }
    // An answer that crossed our CANCEL is hung up (RFC 3261 §9.1); a re-INVITE in a dialog we left is refused.
    if (out.type === 'bye' || out.type === 'ended') journal.gone(out.leg);
    else if (out.type === 'accepted') return agent.bye(out.leg, [], now);
    else if (out.type === 'reinvite') return agent.respondReinvite(out.leg, out.tx, 481, {}, now);
    return [];
  }

  /** A call for the client of `session`, whose contact is the user part of the request URI. */
  incoming({ request, leg, sdp }: Incoming, session: Session | undefined, now: Ms): readonly DeskOut[] {
    const { agent, calls, journal } = this.#tools;
    const refuse = (status: number): readonly DeskOut[] => agent.respond(leg, status, {}, now);
    if (session?.login.name !== 'ready') return refuse(480);
    const { contact } = session;
    if (this.#closed) return refuse(503);
    if (sdp === undefined) return refuse(488);
    if (this.#full(contact)) return refuse(486);
    const { random } = this.#options;
    const ids = callIds(request) ?? { session: uuid(random), leg: uuid(random) };
    // A leg may ring in several places: its branch names the call here.
    const ref = { contact, callId: branchId(request) ?? ids.leg };
    if (calls.get(ref) !== undefined) return refuse(482);
    const call = inboundCall(request, ref.callId, sdp, ids, session.agent);
    calls.set(ref, call);
    calls.bind(ref, leg);
    journal.touch(ref);
    const out: DeskOut[] = [{ type: 'changed', contact }];
    if (call.ring !== null) out.push({ type: 'tell', ref, call, wish: { type: 'invite', ring: call.ring } });
    return [...out, ...agent.respond(leg, 180, {}, now)];
  }
}
