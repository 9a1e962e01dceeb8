import { Deadlines, earliest, err, hexId, type Ms, ok, type Random, uuid } from '@sidetone/core';
import { adopt, snapshot } from './agent/adoption.ts';
import {
  type Agent,
  type ClientUse,
  contactFor,
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
import type { LegId } from './leg-snapshot.ts';
import { MergedRequests } from './merged-requests.ts';
import { NO_BODY, type SipRequest, type SipResponse } from './message.ts';
import { createTransactionLayer } from './transaction/layer.ts';
import type { TransactionOut } from './transport-events.ts';
import type { ExtraHeaders, UserAgent, UserAgentOptions, UserAgentOut } from './user-agent-events.ts';
import { validateRequest } from './validate.ts';

/** Methods that concern a session and nothing outside of one. */
const ONLY_IN_DIALOG = new Set(['BYE', 'INFO', 'UPDATE', 'PRACK']);

/**
 * A user agent core (RFC 3261 §8, §12 to §15) on a transaction layer of its own. Commands throw `SipWriteError` for headers or addresses
 * that would break a message (`headerProblem` tells beforehand); nothing a peer sends makes it throw.
 */
export function createUserAgent(options: UserAgentOptions & { readonly random: Random }): UserAgent {
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

  /** Runs a command and gives what it told. */
  const collect = (work: () => void): readonly UserAgentOut[] => {
    agent.out = [];
    work();
    const { out } = agent;
    agent.out = [];
    return out;
  };
  const onLeg = (id: LegId, work: (leg: NonNullable<ReturnType<Agent['legs']['get']>>) => void) =>
    collect(() => {
      const leg = agent.legs.get(id);
      if (leg !== undefined) work(leg);
    });

  return {
    receive: (message, flow, now) => collect(() => agent.feed(agent.layer.receive(message, flow, now), now)),
    transportFailed: (flow, now) => collect(() => agent.feed(agent.layer.transportFailed(flow, now), now)),
    tick: (now) =>
      collect(() => {
        agent.feed(agent.layer.tick(now), now);
        for (let id = agent.due.takeDue(now); id !== undefined; id = agent.due.takeDue(now)) {
          const leg = agent.legs.get(id);
          if (leg === undefined) continue;
          repeatAnswer(agent, leg, now);
          retryReinvite(agent, leg, now);
          schedule(agent, leg);
        }
        forgetStrays(agent, now);
      }),
    deadline: () => earliest(agent.layer.deadline(), earliest(agent.due.next(), agent.straysDue.next())),
    invite: (to, now) => {
      const leg = hexId(options.random, 8);
      return { leg, out: collect(() => invite(agent, leg, to, now)) };
    },
    respond: (id, status, how, now) => onLeg(id, (leg) => answer(agent, leg, status, how, now)),
    ack: (id, sdp, now) => onLeg(id, (leg) => acknowledge(agent, leg, sdp, now)),
    cancel: (id, headers, now) => onLeg(id, (leg) => giveUp(agent, leg.id, headers, now)),
    bye: (id, headers, now) =>
      onLeg(id, (leg) => {
        if (leg.phase === 'calling') giveUp(agent, id, headers, now);
        else if (leg.phase === 'ringing') answer(agent, leg, 480, { headers }, now);
        else {
          assertHeaders(headers);
          leave(agent, leg, headers, now);
        }
      }),
    reinvite: (id, sdp, token, now, headers = []) =>
      onLeg(id, (leg) => {
        assertHeaders(headers);
        reinvite(agent, leg, sdp, token, headers, now);
      }),
    respondReinvite: (id, tx, status, how, now) =>
      onLeg(id, (leg) => answerReinvite(agent, leg, tx, status, how, now)),
    requestInDialog: (id, request, token, now) =>
      onLeg(id, (leg) => requestInDialog(agent, leg, request, token, now)),
    respondRequest: (tx, status, how, now) =>
      collect(() => {
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
      }),
    snapshot: (id) => {
      const leg = agent.legs.get(id);
      return leg === undefined ? null : snapshot(leg);
    },
    adopt: (written, now, credentials) => {
      const read = readSnapshot(written);
      if (!read.ok) return err({ problem: 'malformed', what: read.error });
      const { leg } = read.value.snapshot;
      if (agent.legs.has(leg)) return err({ problem: 'duplicate', leg });
      return ok({ leg, out: collect(() => adopt(agent, read.value, credentials, now)) });
    },
    early: (id) => {
      const leg = agent.legs.get(id);
      return leg?.phase === 'calling' ? { callId: leg.callId, fromTag: leg.localTag } : null;
    },
    expectStray: (callId, fromTag, until, headers = []) => {
      assertHeaders(headers);
      expectStray(agent, callId, fromTag, until, headers);
    },
    send: (request, token, now) => collect(() => sendOutside(agent, request, token, now)),
    dialogOf: (id) => dialogName(agent, id),
    legWith: (name) => legWith(agent, name),
    get size() {
      return agent.legs.size + agent.layer.size;
    },
  };
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
function giveUp(agent: Agent, id: LegId, headers: ExtraHeaders, now: Ms): void {
  const leg = agent.legs.get(id);
  if (leg?.phase !== 'calling' || leg.cancelling) return;
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
