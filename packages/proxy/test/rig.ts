import { type Ms, seededRandom } from '@sidetone/core';
import {
  answerChallenge,
  chooseChallenge,
  createRequest,
  createResponse,
  type DigestAlgorithm,
  type Flow,
  formatUri,
  headersNamed,
  type NameAddr,
  parseMessage,
  parseUri,
  type ResponseParts,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  type SipSend,
  type Uri,
  withHeader,
  writeMessage,
} from '@sidetone/sip';
import type { Identity, Trunk } from '@sidetone/wire';
import { type FixedConnection, type FixedPeople, fixedIdentity } from '@sidetone/wire/testing';
import { createProxy, type ProxyLimits, type ProxyOutput, type SipProxy } from '../src/index.ts';

export const OWN = { hosts: ['192.0.2.1', '2001:db8::1'], udp: 5060, tcp: 5060 } as const;
export const TRUNK: Flow = { transport: 'udp', host: '192.0.2.50', port: 5070 };
export const PHONE: Flow = { transport: 'udp', host: '198.51.100.7', port: 40000 };
export const STRANGER: Flow = { transport: 'udp', host: '203.0.113.66', port: 5060 };
export const VOICE: Flow = { transport: 'local', node: 'voice' };
export const VSP: Flow = { transport: 'local', node: 'vsp' };

export const connection = (userName: string, more: Partial<FixedConnection> = {}): FixedConnection => ({
  userName,
  password: `secret of ${userName}`,
  ...more,
});

export const trunk = (name: string, host: string, more: Partial<Trunk> = {}): Trunk => ({
  name,
  host,
  port: 5070,
  transport: 'udp',
  prefixes: ['+'],
  codecs: ['PCMU'],
  dtmf: 'rfc4733',
  policy: 'quality',
  ...more,
});

export const PEOPLE: FixedPeople & { readonly trunks: readonly Trunk[] } = {
  domain: 'sip.test',
  connections: [
    connection('line1', { numbers: ['+13125550100'] }),
    connection('line2', { simultaneousRinging: true }),
  ],
  trunks: [trunk('first', '192.0.2.50'), trunk('second', '192.0.2.51')],
};

export const uri = (text: string): Uri => {
  const parsed = parseUri(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error}`);
  return parsed.value;
};

export const address = (text: string, params: Record<string, string> = {}): NameAddr => ({
  uri: uri(text),
  params,
});

export interface Parts {
  readonly method?: string;
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly toTag?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly contact?: readonly NameAddr[] | '*';
  readonly route?: readonly NameAddr[];
  readonly headers?: readonly (readonly [string, string])[];
  readonly maxForwards?: number;
  readonly branch?: string;
  readonly rport?: boolean;
  readonly body?: string;
}

/** The proxy with a clock, a wire whose messages pass as bytes, and hands for every part around it. */
export class Rig {
  now: Ms = 1000;
  identity: Identity = fixedIdentity(PEOPLE);
  /** What the proxy sent and nobody took yet. */
  sent: SipSend[] = [];
  lookups: Extract<ProxyOutput, { type: 'lookup' }>[] = [];
  refused: Extract<ProxyOutput, { type: 'refused' }>[] = [];
  logs: Extract<ProxyOutput, { type: 'log' }>[] = [];
  /** What the proxy journalled, as text: the last value of each key. */
  readonly journal = new Map<string, string>();
  proxy: SipProxy;
  readonly #create: () => SipProxy;
  readonly #dialogs = new Map<string, { readonly callId: string; readonly tag: string }>();
  #serial = 0;

  constructor(limits: Partial<ProxyLimits> = {}, seed = 1, digest: readonly DigestAlgorithm[] = ['MD5']) {
    const random = seededRandom(seed);
    const nonceSecret = random.bytes(32);
    this.#create = () =>
      createProxy({
        random,
        epoch: () => 1_700_000_000_000 + this.now,
        identity: () => this.identity,
        address: OWN,
        nonceSecret,
        limits,
        digest,
      });
    this.proxy = this.#create();
  }

  /** The process dies, and another starts from the journal; returns what it sends at once. */
  restart(): SipSend[] {
    this.proxy = this.#create();
    for (const { callId, tag } of this.#dialogs.values()) this.dialog(callId, tag);
    const entries = [...this.journal].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
    return this.#take(this.proxy.handle({ type: 'restore', entries }, this.now));
  }

  request(flow: Flow, parts: Parts = {}): SipRequest {
    this.#serial += 1;
    const serial = this.#serial;
    const method = parts.method ?? 'INVITE';
    const made = createRequest({
      method,
      uri: uri(parts.uri ?? 'sip:+13125550100@192.0.2.1'),
      from: address(parts.from ?? 'sip:caller@example.net', { tag: 'from' }),
      to: address(
        parts.to ?? 'sip:callee@example.net',
        parts.toTag === undefined ? {} : { tag: parts.toTag },
      ),
      callId: parts.callId ?? `call-${serial}`,
      cseq: parts.cseq ?? 1,
      contact: parts.contact ?? [address('sip:me@198.51.100.7')],
      route: parts.route ?? [],
      headers: parts.headers ?? [],
      maxForwards: parts.maxForwards ?? 70,
      ...(parts.body === undefined ? {} : { body: parts.body, contentType: 'application/sdp' }),
    });
    const branch = parts.branch ?? `z9hG4bK-${serial}`;
    const params: Record<string, string> = parts.rport === false ? { branch } : { branch, rport: '' };
    const via =
      flow.transport === 'local'
        ? { transport: 'LOCAL', host: `${flow.node}.sidetone.invalid`, params: { branch } }
        : { transport: flow.transport.toUpperCase(), host: flow.host, port: flow.port, params };
    return { ...made, headers: { ...made.headers, via: [via] } };
  }

  /** voice tells of a dialog; every message of a room that shows one does it by itself. */
  dialog(callId: string, tag: string, live = true): void {
    const name = `${callId} ${tag}`;
    if (live) this.#dialogs.set(name, { callId, tag });
    else this.#dialogs.delete(name);
    this.proxy.handle({ type: 'dialog', callId, tag, live }, this.now);
  }

  /** Brings a message in; returns what went out because of it. */
  receive(message: SipMessage, flow: Flow): SipSend[] {
    if (flow.transport === 'local') {
      const { callId, from, to } = message.headers;
      const tag = message.kind === 'request' ? from.params['tag'] : to.params['tag'];
      if (tag !== undefined) this.dialog(callId, tag);
    }
    return this.#take(
      this.proxy.handle({ type: 'sip', message: overTheWire(message, flow), flow }, this.now),
    );
  }

  /** Makes a request and brings it in. */
  send(flow: Flow, parts: Parts = {}): { request: SipRequest; out: SipSend[] } {
    const request = this.request(flow, parts);
    return { request, out: this.receive(request, flow) };
  }

  /** Answers what the proxy sent to a target, as that target. */
  reply(send: SipSend, status: number, parts: ResponseParts = {}): SipSend[] {
    if (send.message.kind !== 'request') throw new Error('not a request');
    return this.receive(createResponse(send.message, status, { toTag: 'callee', ...parts }), send.flow);
  }

  credentials(id: string, password: string | null): SipSend[] {
    const result = password === null ? null : { password };
    return this.#take(this.proxy.handle({ type: 'credentials', request: id, result }, this.now));
  }

  /** Answers every open question with what is known. */
  answerLookups(): SipSend[] {
    const open = this.lookups;
    this.lookups = [];
    return open.flatMap(({ request, user }) =>
      this.credentials(request, this.identity.userByName(user)?.password ?? null),
    );
  }

  /** Sends a request, answers the challenge, and returns what follows. */
  authenticated(flow: Flow, user: string, parts: Parts, password = `secret of ${user}`) {
    const first = this.send(flow, parts);
    const challenge = responses(first.out)[0];
    if (challenge === undefined) throw new Error('no challenge');
    const request = withCredentials(
      this.request(flow, { ...parts, cseq: (parts.cseq ?? 1) + 1 }),
      challenge,
      user,
      password,
    );
    const out = this.receive(request, flow);
    return { request, out: [...out, ...this.answerLookups()] };
  }

  /** Who there is, from now on. */
  people(change: Partial<FixedPeople>): void {
    this.identity = fixedIdentity({ ...PEOPLE, ...change });
  }

  revoked(user: string): SipSend[] {
    return this.#take(this.proxy.handle({ type: 'revoked', users: new Set([user]) }, this.now));
  }

  transportFailed(flow: Flow): SipSend[] {
    return this.#take(this.proxy.handle({ type: 'transportFailed', flow }, this.now));
  }

  /** Lets time pass, tick by tick. */
  pass(ms: Ms): SipSend[] {
    const until = this.now + ms;
    const out: SipSend[] = [];
    for (let due = this.proxy.deadline(); due !== null && due <= until; due = this.proxy.deadline()) {
      this.now = Math.max(this.now, due);
      out.push(...this.#take(this.proxy.handle({ type: 'tick' }, this.now)));
    }
    this.now = until;
    return out;
  }

  #take(out: readonly ProxyOutput[]): SipSend[] {
    const sends: SipSend[] = [];
    for (const o of out) {
      if (o.type === 'sip') sends.push({ ...o, message: overTheWire(o.message, o.flow) });
      else if (o.type === 'lookup') this.lookups.push(o);
      else if (o.type === 'refused') this.refused.push(o);
      else if (o.type === 'log') this.logs.push(o);
      else if (o.value === null) this.journal.delete(o.key);
      else this.journal.set(o.key, JSON.stringify(o.value));
    }
    this.sent.push(...sends);
    return sends;
  }
}

/** Between rooms messages pass as values, outside as bytes. */
function overTheWire(message: SipMessage, flow: Flow): SipMessage {
  if (flow.transport === 'local') return message;
  const parsed = parseMessage(writeMessage(message));
  if (!parsed.ok) throw new Error(`does not parse: ${parsed.error.reason}`);
  return parsed.value;
}

export const requests = (sends: readonly SipSend[], method?: string): (SipSend & { message: SipRequest })[] =>
  sends.filter(
    (s): s is SipSend & { message: SipRequest } =>
      s.message.kind === 'request' && (method === undefined || s.message.method === method),
  );

export const responses = (sends: readonly SipSend[]): SipResponse[] =>
  sends.flatMap((s) => (s.message.kind === 'response' ? [s.message] : []));

export const statuses = (sends: readonly SipSend[]): number[] => responses(sends).map((r) => r.status);

export function withCredentials(
  request: SipRequest,
  challenge: SipResponse,
  user: string,
  password: string,
): SipRequest {
  const proxy = challenge.status === 407;
  const chosen = chooseChallenge(headersNamed(challenge, proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate'));
  if (chosen === null) throw new Error('no challenge to answer');
  const value = answerChallenge(chosen, {
    method: request.method,
    uri: formatUri(request.uri),
    credentials: { userName: user, password },
    count: 1,
    cnonce: 'cnonce',
  });
  return withHeader(request, proxy ? 'Proxy-Authorization' : 'Authorization', value);
}

/** The response an ACK of a 2xx or a later request of a dialog is made from: routes as the caller sees them. */
export const routeSet = (response: SipResponse): readonly NameAddr[] =>
  [...response.headers.recordRoute].reverse();
