import { hexId, type Ms } from '@sidetone/core';
import { type Dialog, nextHop, requestIn } from '../dialog.ts';
import { answerChallenge, chooseChallenge } from '../digest.ts';
import { header, headersNamed, withoutHeader } from '../header-access.ts';
import type { SipRequest, SipResponse } from '../message.ts';
import { formatUri } from '../uri.ts';
import type { ExtraHeaders } from '../user-agent-events.ts';
import { type Agent, type ClientUse, type Leg, requestHeaders, storeDialog } from './agent.ts';

/** How often one request is sent again with new credentials: a stale nonce may follow a stale nonce, but not for ever. */
const MOST_TRIES = 3;

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
  const { credentials } = leg;
  sendRequest(
    agent,
    { purpose, leg: leg.id, token, request, flow, dialog: made.dialog, credentials, tried: [] },
    now,
  );
}

/** Ends a dialog that no leg stands for (any more): a further fork, a crossed CANCEL, a lost peer. */
export function byeQuietly(
  agent: Agent,
  dialog: Dialog,
  of: Pick<Leg, 'credentials'>,
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
      tried: [],
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

/**
 * Sends a challenged request again with credentials (§22.2, §22.3): a new transaction with the next CSeq. Once per nonce; after a wrong
 * password only a challenge marked stale is worth another try. False: the challenge is the final answer.
 */
export function authorizeAgain(
  agent: Agent,
  use: ClientUse,
  response: SipResponse,
  now: Ms,
): { readonly tx: string; readonly request: SipRequest } | null {
  const { credentials, tried } = use;
  if (credentials === undefined || (response.status !== 401 && response.status !== 407)) return null;
  const proxy = response.status === 407;
  const challenge = chooseChallenge(
    headersNamed(response, proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate'),
  );
  const nonce = challenge?.['nonce'];
  if (challenge === null || nonce === undefined || tried.includes(nonce)) return null;
  const name = proxy ? 'Proxy-Authorization' : 'Authorization';
  const answered = header(use.request, name) !== undefined;
  const stale = challenge['stale']?.toLowerCase() === 'true';
  if ((answered && !stale) || tried.length >= MOST_TRIES) return null;
  const value = answerChallenge(challenge, {
    method: use.request.method,
    uri: formatUri(use.request.uri),
    credentials,
    count: 1,
    cnonce: hexId(agent.options.random, 8),
  });
  const leg = use.leg === null ? undefined : agent.legs.get(use.leg);
  const current = leg?.dialog ?? use.dialog;
  const seq = Math.max(use.request.headers.cseq.seq, current?.localSeq ?? 0) + 1;
  const dialog = current === null ? null : { ...current, localSeq: seq };
  if (leg !== undefined && dialog !== null) storeDialog(leg, dialog);
  const plain = withoutHeader(use.request, name);
  const request: SipRequest = {
    ...plain,
    headers: {
      ...plain.headers,
      cseq: { seq, method: plain.method },
      other: [...plain.headers.other, [name, value]],
    },
  };
  const tx = sendRequest(agent, { ...use, request, dialog, tried: [...tried, nonce] }, now);
  return { tx, request };
}
