import { Deadlines, earliest, err, hexId, type Ms, ok, type Random, type Result, uuid } from '@sidetone/core';
import { adopt, snapshot } from './agent/adoption.ts';
import {
  type Agent,
  type ClientUse,
  contactFor,
  type Leg,
  newTag,
  refuse,
  requestHeaders,
  responseTo,
  schedule,
  tagOf,
} from './agent/agent.ts';
import { authorizeAgain, sendRequest } from './agent/client-request.ts';
import { dialogName, legWith } from './agent/dialog-name.ts';
import { leave } from './agent/ending.ts';
import { onInDialogEnd, onInDialogResponse, onRequestInDialog, requestInDialog } from './agent/in-dialog.ts';
import { readSnapshot } from './agent/read-snapshot.ts';
import {
  answerReinvite,
  onReinviteLost,
  onReinviteResponse,
  reinvite,
  retryReinvite,
} from './agent/reinvite.ts';
import { expectStray, forgetStrays, onStray } from './agent/stray.ts';
import { acknowledge, invite, onInviteLost, onInviteResponse } from './agent/uac.ts';
import { answer, forgetChallenged, onAck, onCancel, onInvite } from './agent/uas.ts';
import { repeatAnswer } from './agent/unacked.ts';
import { createRequest } from './build.ts';
import type { Flow } from './flow.ts';
import { assertHeaders } from './header-access.ts';
import type { AdoptProblem, LegId, LegSnapshot } from './leg-snapshot.ts';
import { MergedRequests } from './merged-requests.ts';
import { NO_BODY, type SipMessage, type SipRequest, type SipResponse } from './message.ts';
import { createTransactionLayer } from './transaction/layer.ts';
import type { TransactionOut } from './transport-events.ts';
import type {
  AgentCredentials,
  DialogName,
  ExtraHeaders,
  InviteOptions,
  ResponseOptions,
  UserAgent,
  UserAgentOptions,
  UserAgentOut,
} from './user-agent-events.ts';
import { validateRequest } from './validate.ts';

type Outs = readonly UserAgentOut[];

/** Methods that concern a session and nothing outside of one. */
const ONLY_IN_DIALOG = new Set(['BYE', 'INFO', 'UPDATE', 'PRACK']);

/**
 * A user agent core (RFC 3261 §8, §12 to §15) on a transaction layer of its own. Commands throw `SipWriteError` for headers or addresses
 * that would break a message (`headerProblem` tells beforehand); nothing a peer sends makes it throw.
 */
export const createUserAgent = (options: UserAgentOptions & { readonly random: Random }): UserAgent =>
  new UserAgentCore(options);

class UserAgentCore implements UserAgent {
  readonly #agent: Agent;

  constructor(options: UserAgentOptions & { readonly random: Random }) {
    const agent: Agent = {
      options,
      layer: createTransactionLayer(options),
      legs: new Map(),
      byDialog: new Map(),
      inherited: new Map(),
      clients: new Map(),
      servers: new Map(),
      merged: new MergedRequests(),
      due: new Deadlines(),
      strays: new Map(),
      straysDue: new Deadlines(),
      out: [],
      feed: (events, now) => {
        for (const event of events) onTransaction(agent, event, now);
      },
    };
    this.#agent = agent;
  }

  get size(): number {
    return this.#agent.legs.size + this.#agent.layer.size;
  }

  deadline(): Ms | null {
    const { layer, due, straysDue } = this.#agent;
    return earliest(layer.deadline(), earliest(due.next(), straysDue.next()));
  }

  // ---- from below

  receive(message: SipMessage, flow: Flow, now: Ms): Outs {
    return this.#collect((agent) => agent.feed(agent.layer.receive(message, flow, now), now));
  }

  transportFailed(flow: Flow, now: Ms): Outs {
    return this.#collect((agent) => agent.feed(agent.layer.transportFailed(flow, now), now));
  }

  tick(now: Ms): Outs {
    return this.#collect((agent) => {
      agent.feed(agent.layer.tick(now), now);
      for (let id = agent.due.takeDue(now); id !== undefined; id = agent.due.takeDue(now)) {
        const leg = agent.legs.get(id);
        if (leg === undefined) continue;
        repeatAnswer(agent, leg, now);
        retryReinvite(agent, leg, now);
        schedule(agent, leg);
      }
      forgetStrays(agent, now);
    });
  }

  // ---- legs

  invite(to: InviteOptions, now: Ms): { readonly leg: LegId; readonly out: Outs } {
    const leg = hexId(this.#agent.options.random, 8);
    return { leg, out: this.#collect((agent) => invite(agent, leg, to, now)) };
  }

  respond(id: LegId, status: number, how: ResponseOptions, now: Ms): Outs {
    return this.#onLeg(id, (agent, leg) => answer(agent, leg, status, how, now));
  }

  ack(id: LegId, sdp: string | undefined, now: Ms): Outs {
    return this.#onLeg(id, (agent, leg) => acknowledge(agent, leg, sdp, now));
  }

  cancel(id: LegId, headers: ExtraHeaders, now: Ms): Outs {
    return this.#onLeg(id, (agent, leg) => giveUp(agent, leg, headers, now));
  }

  bye(id: LegId, headers: ExtraHeaders, now: Ms): Outs {
    return this.#onLeg(id, (agent, leg) => {
      if (leg.phase === 'calling') giveUp(agent, leg, headers, now);
      else if (leg.phase === 'ringing') answer(agent, leg, 480, { headers }, now);
      else {
        assertHeaders(headers);
        leave(agent, leg, headers, now);
      }
    });
  }

  reinvite(id: LegId, sdp: string | undefined, token: string, now: Ms, headers: ExtraHeaders = []): Outs {
    return this.#onLeg(id, (agent, leg) => {
      assertHeaders(headers);
      reinvite(agent, leg, sdp, token, headers, now);
    });
  }

  respondReinvite(id: LegId, tx: string, status: number, how: ResponseOptions, now: Ms): Outs {
    return this.#onLeg(id, (agent, leg) => answerReinvite(agent, leg, tx, status, how, now));
  }

  requestInDialog(
    id: LegId,
    request: Parameters<UserAgent['requestInDialog']>[1],
    token: string,
    now: Ms,
  ): Outs {
    return this.#onLeg(id, (agent, leg) => requestInDialog(agent, leg, request, token, now));
  }

  dialogOf(id: LegId): DialogName | null {
    return dialogName(this.#agent, id);
  }

  legWith(name: DialogName): LegId | undefined {
    return legWith(this.#agent, name);
  }

  // ---- requests without a leg

  send(request: Parameters<UserAgent['send']>[0], token: string, now: Ms): Outs {
    return this.#collect((agent) => sendOutside(agent, request, token, now));
  }

  respondRequest(tx: string, status: number, how: ResponseOptions, now: Ms): Outs {
    return this.#collect((agent) => answerRequest(agent, tx, status, how, now));
  }

  // ---- one process after another

  snapshot(id: LegId): LegSnapshot | null {
    const leg = this.#agent.legs.get(id);
    return leg === undefined ? null : snapshot(leg);
  }

  adopt(
    written: unknown,
    now: Ms,
    credentials?: AgentCredentials,
  ): Result<{ readonly leg: LegId; readonly out: Outs }, AdoptProblem> {
    const read = readSnapshot(written);
    if (!read.ok) return err({ problem: 'malformed', what: read.error });
    const { leg } = read.value.snapshot;
    if (this.#agent.legs.has(leg)) return err({ problem: 'duplicate', leg });
    return ok({ leg, out: this.#collect((agent) => adopt(agent, read.value, credentials, now)) });
  }

  early(id: LegId): { readonly callId: string; readonly fromTag: string } | null {
    const leg = this.#agent.legs.get(id);
    return leg?.phase === 'calling' ? { callId: leg.callId, fromTag: leg.localTag } : null;
  }

  expectStray(callId: string, fromTag: string, until: Ms, headers: ExtraHeaders = []): void {
    assertHeaders(headers);
    expectStray(this.#agent, callId, fromTag, until, headers);
  }

  /** Runs a command and gives what it told. */
  #collect(work: (agent: Agent) => void): Outs {
    const agent = this.#agent;
    agent.out = [];
    work(agent);
    const { out } = agent;
    agent.out = [];
    return out;
  }

  #onLeg(id: LegId, work: (agent: Agent, leg: Leg) => void): Outs {
    return this.#collect((agent) => {
      const leg = agent.legs.get(id);
      if (leg !== undefined) work(agent, leg);
    });
  }
}

function answerRequest(agent: Agent, tx: string, status: number, how: ResponseOptions, now: Ms): void {
  const use = agent.servers.get(tx);
  if (use?.purpose !== 'request') return;
  if (status >= 200) agent.servers.delete(tx);
  forgetChallenged(agent, tx, status);
  const refer = use.request.method === 'REFER' && use.leg !== null && status < 300;
  const response = responseTo(agent, use.request, status, how, {
    toTag: newTag(agent),
    ...(refer ? { contact: contactFor(agent, use.leg) } : undefined),
  });
  agent.feed(agent.layer.respond(tx, response, now), now);
}

function sendOutside(agent: Agent, wanted: Parameters<UserAgent['send']>[0], token: string, now: Ms): void {
  const request = createRequest({
    method: wanted.method,
    uri: wanted.requestUri,
    from: {
      ...wanted.from,
      params: { ...wanted.from.params, tag: wanted.from.params['tag'] ?? newTag(agent) },
    },
    to: wanted.to,
    callId: wanted.callId ?? uuid(agent.options.random),
    cseq: wanted.cseq ?? 1,
    headers: requestHeaders(agent, wanted.headers ?? []),
    ...(wanted.contact === undefined ? undefined : { contact: wanted.contact }),
  });
  const flow = wanted.flow ?? agent.options.resolve(wanted.requestUri);
  const { credentials } = wanted;
  sendRequest(
    agent,
    { purpose: 'outside', leg: null, token, request, flow, dialog: null, credentials, proof: null, tries: 0 },
    now,
  );
}

/** CANCEL for a call nobody has answered (§9.1). */
function giveUp(agent: Agent, leg: Leg, headers: ExtraHeaders, now: Ms): void {
  if (leg.phase !== 'calling' || leg.cancelling) return;
  assertHeaders(headers);
  leg.cancelling = true;
  agent.feed(agent.layer.cancel(leg.inviteTx, headers, now), now);
}

function onTransaction(agent: Agent, event: TransactionOut, now: Ms): void {
  switch (event.type) {
    case 'sip':
      agent.out.push(event);
      return;
    case 'request':
      if (event.tx !== null) onRequest(agent, event.tx, event.request, event.flow, now);
      else onAck(agent, event.request, now);
      return;
    case 'response': {
      const use = agent.clients.get(event.tx);
      if (use !== undefined) onResponse(agent, use, event.response, event.flow, now);
      return;
    }
    case 'stray':
      return onStray(agent, event.response, now);
    case 'cancelled':
      return onCancel(agent, event.tx, event.request, now);
    case 'timeout':
    case 'transportError': {
      const use = agent.clients.get(event.tx);
      if (use !== undefined) onLost(agent, use, event.type === 'timeout' ? 'timeout' : 'transport', now);
      return;
    }
    case 'over': {
      // Copies of the 2xx are ACKed, and what further forks answer is ended (§13.2.2.4): that takes no body.
      const use = agent.clients.get(event.tx);
      if (use !== undefined) use.request = { ...use.request, body: NO_BODY };
      return;
    }
    case 'terminated':
      agent.clients.delete(event.tx);
      agent.merged.remove(event.tx);
      return;
  }
}

function onRequest(agent: Agent, tx: string, request: SipRequest, flow: Flow, now: Ms): void {
  const { method } = request;
  if (agent.merged.has(request)) return refuse(agent, tx, request, 482, now);
  agent.merged.add(tx, request);
  const allow = [...new Set([...agent.options.allow, 'OPTIONS', 'CANCEL', 'ACK'])];
  const refusal = validateRequest(request, { role: 'user-agent', allow, supported: [] });
  if (refusal !== null && !(method === 'BYE' && refusal.status !== 420)) {
    const { status, reason, headers } = refusal;
    return refuse(agent, tx, request, status, now, { reason, headers });
  }
  // A CANCEL that comes up here matched no INVITE (§9.2).
  if (method === 'CANCEL') return refuse(agent, tx, request, 481, now);
  if (tagOf(request.headers.to) !== '') return onRequestInDialog(agent, tx, request, flow, now);
  if (method === 'INVITE') return onInvite(agent, tx, request, flow, now);
  if (ONLY_IN_DIALOG.has(method)) return refuse(agent, tx, request, 481, now);
  agent.servers.set(tx, { purpose: 'request', leg: null, request, flow });
  agent.out.push({ type: 'request', tx, request, flow });
}

function onResponse(agent: Agent, use: ClientUse, response: SipResponse, from: Flow, now: Ms): void {
  switch (use.purpose) {
    case 'invite':
      return onInviteResponse(agent, use, response, from, now);
    case 'reinvite':
      return onReinviteResponse(agent, use, response, from, now);
    case 'in-dialog':
    case 'bye':
    case 'quiet':
      return onInDialogResponse(agent, use, response, from, now);
    case 'outside':
      if (response.status < 200 || authorizeAgain(agent, use, response, from, now) !== null) return;
      agent.out.push({ type: 'result', token: use.token, status: response.status, response });
  }
}

function onLost(agent: Agent, use: ClientUse, by: 'timeout' | 'transport', now: Ms): void {
  const status = by === 'timeout' ? 408 : 503;
  switch (use.purpose) {
    case 'invite':
      return onInviteLost(agent, use, by, now);
    case 'reinvite':
      return onReinviteLost(agent, use, status, now);
    case 'in-dialog':
    case 'bye':
    case 'quiet':
      return onInDialogEnd(agent, use, status, undefined, now);
    case 'outside':
      agent.out.push({ type: 'result', token: use.token, status });
  }
}
