import { hexId, type Ms } from '@sidetone/core';
import { authorize, realmsAnswered } from '../authorize.ts';
import { type Dialog, nextHop, requestIn } from '../dialog.ts';
import type { Flow } from '../flow.ts';
import { headersNamed } from '../header-access.ts';
import type { SipRequest, SipResponse } from '../message.ts';
import { sameFlow } from '../transaction/matching.ts';
import type { ExtraHeaders } from '../user-agent-events.ts';
import { type Agent, type ClientUse, type Leg, type Proof, requestHeaders, storeDialog } from './agent.ts';

/** Starts a client transaction and remembers what it is for. */
export function sendRequest(agent: Agent, use: Omit<ClientUse, 'acks'>, now: Ms): string {
  const { tx, out } = agent.layer.request(use.request, use.flow, now);
  agent.clients.set(tx, { ...use, acks: new Map() });
  agent.feed(out, now);
  return tx;
}

/** Sends a request inside a leg's dialog. */
export function sendInDialog(
  agent: Agent,
  leg: Leg,
  dialog: Dialog,
  purpose: ClientUse['purpose'],
  parts: Parameters<typeof requestIn>[1],
  token: string,
  now: Ms,
): void {
  const made = requestIn(dialog, { ...parts, headers: requestHeaders(agent, parts.headers ?? []) });
  storeDialog(leg, made.dialog);
  const flow = agent.options.resolve(nextHop(dialog));
  const { request } = made;
  const { credentials, proof } = leg;
  sendRequest(
    agent,
    { purpose, leg: leg.id, token, request, flow, dialog: made.dialog, credentials, proof, tries: 0 },
    now,
  );
}

/** Ends a dialog that no leg stands for (any more): a further fork, a crossed CANCEL, a lost peer. */
export function byeQuietly(
  agent: Agent,
  dialog: Dialog,
  of: Pick<Leg, 'credentials' | 'proof'>,
  headers: ExtraHeaders,
  now: Ms,
): void {
  const made = requestIn(dialog, { method: 'BYE', headers: requestHeaders(agent, headers) });
  const flow = agent.options.resolve(nextHop(dialog));
  sendRequest(
    agent,
    {
      purpose: 'quiet',
      leg: null,
      token: '',
      request: made.request,
      flow,
      dialog: made.dialog,
      credentials: of.credentials,
      proof: of.proof,
      tries: 0,
    },
    now,
  );
}

/** The ACK of a 2xx (§13.2.2.4): CSeq number and credentials of its INVITE. Kept for copies of the 2xx. */
export function sendAck(
  agent: Agent,
  use: ClientUse,
  dialog: Dialog,
  body: { contentType?: string; body?: string },
  now: Ms,
): { readonly request: SipRequest; readonly flow: ReturnType<Agent['options']['resolve']> } {
  const invite = use.request;
  const { request } = requestIn(
    dialog,
    { method: 'ACK', headers: requestHeaders(agent, credentialsOf(invite)), ...body },
    invite.headers.cseq.seq,
  );
  const ack = { request, flow: agent.options.resolve(nextHop(dialog)) };
  use.acks.set(dialog.remote.params['tag'] ?? '', ack);
  agent.feed(agent.layer.ack(ack.request, ack.flow), now);
  return ack;
}

const credentialsOf = (request: SipRequest): ExtraHeaders =>
  (['Authorization', 'Proxy-Authorization'] as const).flatMap((name) =>
    headersNamed(request, name).map((value): readonly [string, string] => [name, value]),
  );

/** Whether a challenge may have credentials: it comes from where the request went, and they were given for it. */
function isFor({ credentials, proof, purpose, flow }: ClientUse, from: Flow, realm: string): boolean {
  if (!sameFlow(from, flow)) return false;
  // The first request goes where the user sends it. In a dialog the peer decides where to (§12.2.1.1).
  if (purpose === 'invite' || purpose === 'outside') return credentials?.realms?.includes(realm) ?? true;
  return proof !== null && sameFlow(proof.hop, flow) && (credentials?.realms ?? proof.realms).includes(realm);
}

/**
 * Sends a challenged request again with credentials (§22.2, §22.3): a new transaction with the next CSeq. `null`: the challenge is the
 * final answer.
 */
export function authorizeAgain(
  agent: Agent,
  use: ClientUse,
  response: SipResponse,
  from: Flow,
  now: Ms,
): { readonly tx: string; readonly request: SipRequest } | null {
  const { credentials, tries } = use;
  if (credentials === undefined) return null;
  const authorized = authorize(use.request, response, {
    credentials,
    isFor: (realm) => isFor(use, from, realm),
    tries,
    cnonce: () => hexId(agent.options.random, 8),
  });
  if (authorized === null) return null;
  const leg = use.leg === null ? undefined : agent.legs.get(use.leg);
  const current = leg?.dialog ?? use.dialog;
  const seq = Math.max(use.request.headers.cseq.seq, current?.localSeq ?? 0) + 1;
  const dialog = current === null ? null : { ...current, localSeq: seq };
  if (leg !== undefined && dialog !== null) storeDialog(leg, dialog);
  const request: SipRequest = {
    ...authorized,
    headers: { ...authorized.headers, cseq: { seq, method: authorized.method } },
  };
  if (leg !== undefined && use.purpose === 'invite') leg.proof = proofOf({ ...use, request });
  const tx = sendRequest(agent, { ...use, request, dialog, tries: tries + 1 }, now);
  return { tx, request };
}

/** What an INVITE shows of where its credentials may go. */
export const proofOf = ({
  credentials,
  flow,
  request,
}: Pick<ClientUse, 'credentials' | 'flow' | 'request'>): Proof | null =>
  credentials === undefined ? null : { hop: flow, realms: realmsAnswered(request) };
