import { type Deadlines, earliest, hexId, type Ms, type Random } from '@sidetone/core';
import { sessionDescription } from '../body.ts';
import { createResponse, type ResponseParts } from '../build.ts';
import { type Dialog, remoteTag } from '../dialog.ts';
import type { Flow } from '../flow.ts';
import type { LegId } from '../leg-snapshot.ts';
import type { MergedRequests } from '../merged-requests.ts';
import type { NameAddr, SipMessage, SipRequest, SipResponse } from '../message.ts';
import type { TransactionLayer, TransactionOut } from '../transport-events.ts';
import type {
  AgentCredentials,
  ExtraHeaders,
  ResponseOptions,
  UserAgentOptions,
  UserAgentOut,
} from '../user-agent-events.ts';

/** Our 2xx to an INVITE, repeated until its ACK (RFC 3261 §13.3.1.4). */
export interface Unacked {
  /** Its server transaction; `null` when that died with the process that had it. */
  readonly tx: string | null;
  /** Where it goes. */
  readonly flow: Flow;
  readonly seq: number;
  readonly response: SipResponse;
  readonly reinvite: boolean;
  /** The INVITE had no offer, so the ACK carries the answer. */
  readonly offerless: boolean;
  readonly interval: Ms;
  readonly retransmitAt: Ms;
  readonly giveUpAt: Ms;
}

/** A re-INVITE we send: queued, on its way, or waiting out a 491. */
export interface Reinvite {
  readonly token: string;
  readonly sdp: string | undefined;
  readonly headers: ExtraHeaders;
  /** Its CSeq once it was sent. */
  readonly seq: number;
  readonly collisions: number;
  /** §14.1: when to try again after a 491; `null` while it is on its way. */
  readonly retryAt: Ms | null;
}

/** Where credentials were given to, and the realms that asked for them there. */
export interface Proof {
  readonly hop: Flow;
  readonly realms: readonly string[];
}

/** One call leg. Plain data; `phase` says what may happen next. */
export interface Leg {
  readonly id: LegId;
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  /** calling: our INVITE is out; ringing: we are invited; confirmed: 2xx; leaving: our BYE is out. */
  phase: 'calling' | 'ringing' | 'confirmed' | 'leaving';
  /** The dialog: from the start as UAS, from the 2xx as UAC. */
  dialog: Dialog | null;
  /** Early dialogs of a UAC by To tag. */
  forks: Map<string, Dialog>;
  readonly credentials: AgentCredentials | undefined;
  /** Of the first INVITE: what credentials may go to in the dialog. `null` without any. */
  proof: Proof | null;
  /** The transaction of the first INVITE. */
  inviteTx: string;
  /** `cancel` was called; its headers are on the CANCEL. */
  cancelling: boolean;
  unacked: Unacked | null;
  /** A 2xx to an offerless INVITE of ours waits for `ack`. */
  pendingAck: ClientUse | null;
  /** The last ACK we sent, for copies of its 2xx. */
  lastAck: { readonly request: SipRequest; readonly flow: Flow } | null;
  /** The CSeq of a re-INVITE that a dead process sent: its 2xx is ACKed. */
  inheritedSeq: number | null;
  /** `bye` before the ACK of our 2xx: held back (§15). */
  byeWhenAcked: ExtraHeaders | null;
  reinvite: Reinvite | null;
  readonly queue: Reinvite[];
  /** The peer's re-INVITE or UPDATE that waits for `respondReinvite`. */
  peerOffer: string | null;
}

/** What a client transaction of ours is for. */
export interface ClientUse {
  readonly purpose: 'invite' | 'reinvite' | 'in-dialog' | 'bye' | 'outside' | 'quiet';
  readonly leg: LegId | null;
  readonly token: string;
  /** As it was sent; without its body when the transaction is over. */
  request: SipRequest;
  readonly flow: Flow;
  /** The dialog a request inside one was made from. */
  readonly dialog: Dialog | null;
  readonly credentials: AgentCredentials | undefined;
  /** Of a request in a dialog: what credentials may go to. */
  readonly proof: Proof | null;
  /** How often it was sent again with credentials. */
  readonly tries: number;
  /** ACKs by To tag of the 2xx, so that copies get the same. */
  readonly acks: Map<string, { readonly request: SipRequest; readonly flow: Flow }>;
}

/** A request of the peer that waits for our answer. */
export interface ServerUse {
  readonly purpose: 'invite' | 'reinvite' | 'update' | 'request';
  readonly leg: LegId | null;
  readonly request: SipRequest;
  /** Where our response goes. */
  readonly flow: Flow;
}

/** An INVITE of a process that died, by Call-ID and From tag. */
export interface Stray {
  readonly until: Ms;
  readonly headers: ExtraHeaders;
  /** To tags of the 2xx that had their BYE. */
  readonly ended: Set<string>;
}

/** The state of one user agent, handed to the functions that make it up. `out` collects what a call tells. */
export interface Agent {
  readonly options: UserAgentOptions & { readonly random: Random };
  readonly layer: TransactionLayer;
  readonly legs: Map<LegId, Leg>;
  /** Call-ID and local tag name a leg. */
  readonly byDialog: Map<string, LegId>;
  /** Legs whose INVITE a process before has answered, by Call-ID and the peer's tag, while its ACK is missing. */
  readonly inherited: Map<string, LegId>;
  readonly clients: Map<string, ClientUse>;
  readonly servers: Map<string, ServerUse>;
  readonly merged: MergedRequests;
  readonly due: Deadlines<LegId>;
  readonly strays: Map<string, Stray>;
  readonly straysDue: Deadlines<string>;
  out: UserAgentOut[];
  /** Hands transaction events on; set by `createUserAgent`. */
  feed: (events: readonly TransactionOut[], now: Ms) => void;
}

type LegFacts = Pick<
  Leg,
  'id' | 'role' | 'callId' | 'localTag' | 'phase' | 'dialog' | 'credentials' | 'inviteTx'
>;

/** A leg of which nothing is under way yet. */
export const newLeg = (facts: LegFacts): Leg => ({
  ...facts,
  forks: new Map(),
  proof: null,
  cancelling: false,
  unacked: null,
  pendingAck: null,
  lastAck: null,
  inheritedSeq: null,
  byeWhenAcked: null,
  reinvite: null,
  queue: [],
  peerOffer: null,
});

export const dialogKey = (callId: string, localTag: string): string => `${callId} ${localTag}`;

export const newTag = (agent: Agent): string => hexId(agent.options.random, 8);

export const tagOf = (address: NameAddr): string => address.params['tag'] ?? '';

/** The session description of a message, or `undefined`. */
export const sdpOf = (message: SipMessage): string | undefined =>
  message.body.length === 0 ? undefined : sessionDescription(message);

export const sdpField = (message: SipMessage): { readonly sdp?: string } => {
  const sdp = sdpOf(message);
  return sdp === undefined ? {} : { sdp };
};

export const sdpBody = (sdp: string | undefined): { contentType?: string; body?: string } =>
  sdp === undefined ? {} : { contentType: 'application/sdp', body: sdp };

/** Adds `name: value` unless the caller set that header. */
export function withDefault(headers: ExtraHeaders, name: string, value: string): ExtraHeaders {
  const lower = name.toLowerCase();
  return headers.some(([given]) => given.toLowerCase() === lower) ? headers : [...headers, [name, value]];
}

export const contactFor = (agent: Agent, leg: LegId): readonly NameAddr[] => [
  { uri: agent.options.contact(leg), params: {} },
];

/** Headers every request of ours carries. */
export const requestHeaders = (agent: Agent, headers: ExtraHeaders): ExtraHeaders =>
  withDefault(headers, 'User-Agent', agent.options.userAgent);

/** Headers of requests and responses that set up or change a session. */
export const sessionHeaders = (agent: Agent, headers: ExtraHeaders): ExtraHeaders =>
  withDefault(headers, 'Allow', agent.options.allow.join(', '));

/** The response to a request from what the caller of a command wants in it. */
export function responseTo(
  agent: Agent,
  request: SipRequest,
  status: number,
  options: ResponseOptions,
  parts: Pick<ResponseParts, 'toTag' | 'contact'>,
): SipResponse {
  let headers = withDefault(options.headers ?? [], 'Server', agent.options.userAgent);
  if (request.method === 'INVITE' && status > 100 && status < 300) headers = sessionHeaders(agent, headers);
  return createResponse(request, status, {
    ...parts,
    ...(options.reason === undefined ? undefined : { reason: options.reason }),
    headers,
    ...sdpBody(options.sdp),
  });
}

/** Answers a request that the user does not see. */
export function refuse(
  agent: Agent,
  tx: string,
  request: SipRequest,
  status: number,
  now: Ms,
  options: ResponseOptions = {},
): void {
  const response = responseTo(agent, request, status, options, { toTag: newTag(agent) });
  agent.feed(agent.layer.respond(tx, response, now), now);
}

/** Keeps a dialog where it belongs: as the leg's own, or among its early forks. */
export function storeDialog(leg: Leg, dialog: Dialog): void {
  if (leg.dialog !== null) leg.dialog = dialog;
  else leg.forks.set(remoteTag(dialog), dialog);
}

/** The leg's dialog, or the latest early one. */
export function dialogOf(leg: Leg): Dialog | null {
  if (leg.dialog !== null) return leg.dialog;
  let latest: Dialog | null = null;
  for (const fork of leg.forks.values()) latest = fork;
  return latest;
}

export function addLeg(agent: Agent, leg: Leg): void {
  agent.legs.set(leg.id, leg);
  agent.byDialog.set(dialogKey(leg.callId, leg.localTag), leg.id);
  tellDialog(agent, leg, true);
}

function tellDialog(agent: Agent, { callId, localTag: tag }: Leg, live: boolean): void {
  if (agent.options.tellsDialogs === true) agent.out.push({ type: 'dialog', callId, tag, live });
}

/** Forgets a leg. A re-INVITE of the peer that waits for its answer gets 487 (§15.1.2). */
export function dropLeg(agent: Agent, leg: Leg, now: Ms): void {
  abandonReinvite(agent, leg, now);
  agent.legs.delete(leg.id);
  agent.byDialog.delete(dialogKey(leg.callId, leg.localTag));
  tellDialog(agent, leg, false);
  if (leg.dialog !== null) agent.inherited.delete(dialogKey(leg.callId, remoteTag(leg.dialog)));
  agent.due.delete(leg.id);
  const tx = leg.peerOffer;
  const waiting = tx === null ? undefined : agent.servers.get(tx);
  if (tx === null || waiting === undefined) return;
  agent.servers.delete(tx);
  refuse(agent, tx, waiting.request, 487, now);
}

/** A re-INVITE of ours that is still open when its session ends is cancelled: a proxy must not wait for it (§9.1, timer C). */
export function abandonReinvite(agent: Agent, leg: Leg, now: Ms): void {
  if (leg.reinvite === null || leg.reinvite.retryAt !== null) return;
  leg.reinvite = null;
  // Answered ones still absorb copies of their 2xx; the open one is the last.
  let open: string | null = null;
  for (const [tx, use] of agent.clients) if (use.leg === leg.id && use.purpose === 'reinvite') open = tx;
  if (open !== null) agent.feed(agent.layer.cancel(open, [], now), now);
}

/** Tells that `snapshot` of a leg has changed, where no other event says so. */
export function refreshed(agent: Agent, leg: Leg): void {
  if (agent.legs.has(leg.id)) agent.out.push({ type: 'refreshed', leg: leg.id });
}

/** Sets when a leg wants its next tick. */
export function schedule(agent: Agent, leg: Leg): void {
  if (!agent.legs.has(leg.id)) return;
  const ack = leg.unacked;
  const at = ack === null ? null : Math.min(ack.retransmitAt, ack.giveUpAt);
  agent.due.set(leg.id, earliest(at, leg.reinvite?.retryAt ?? null));
}
