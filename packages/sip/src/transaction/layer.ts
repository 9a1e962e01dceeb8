import { Deadlines, hexId, type Ms, type Random, Shelf } from '@sidetone/core';
import { createResponse } from '../build.ts';
import { type Flow, isReliable } from '../flow.ts';
import { assertHeaders } from '../header-access.ts';
import type { SipMessage, SipRequest, SipResponse, Via } from '../message.ts';
import { ownText } from '../own-text.ts';
import type { TransactionLayer, TransactionOut } from '../transport-events.ts';
import { isOver, type KeptAnswer, keptAnswer, sameAnswer } from './finished.ts';
import {
  ackFor,
  type ClientInput,
  type ClientOutput,
  type InviteClientState,
  inviteClient,
  startInviteClient,
} from './invite-client.ts';
import {
  type InviteServerState,
  inviteServer,
  type ServerInput,
  type ServerOutput,
  startInviteServer,
} from './invite-server.ts';
import { COOKIE, clientKey, hopOf, hostOf, replyFlow, sameFlow, serverKey, stampSource } from './matching.ts';
import { type NonInviteClientState, nonInviteClient, startNonInviteClient } from './non-invite-client.ts';
import { type NonInviteServerState, nonInviteServer, startNonInviteServer } from './non-invite-server.ts';
import { GIVE_UP } from './timers.ts';

type ExtraHeaders = readonly (readonly [string, string])[];

interface ClientRecord {
  readonly role: 'client';
  readonly id: string;
  readonly key: string;
  readonly flow: Flow;
  readonly holder: string;
  /** `null` when it is over. */
  request: SipRequest | null;
  machine:
    | { readonly kind: 'invite'; readonly state: InviteClientState }
    | { readonly kind: 'non-invite'; readonly state: NonInviteClientState };
  /** Headers of a CANCEL that waits for the first provisional response. */
  cancel: ExtraHeaders | null;
  /** Our own CANCEL: its fate interests nobody. */
  readonly silent: boolean;
}

interface ServerRecord {
  readonly role: 'server';
  readonly id: string;
  readonly key: string;
  readonly flow: Flow;
  readonly holder: string;
  machine:
    | { readonly kind: 'invite'; readonly state: InviteServerState }
    | { readonly kind: 'non-invite'; readonly state: NonInviteServerState }
    | { readonly kind: 'answered'; readonly state: { readonly name: 'over'; readonly kept: KeptAnswer } };
  /** The To tag of our responses so far. */
  toTag: string | undefined;
}

interface SentBy {
  readonly host: string;
  readonly port?: number;
}

export interface TransactionLayerOptions {
  /** Sent-by of our Via, or what it is towards a peer. */
  readonly sentBy: SentBy | ((flow: Flow) => SentBy);
  readonly random: Random;
  /** How many transactions are kept when they are over; the oldest of who has most leaves first. */
  readonly finished?: number;
}

/** With what their users keep for them they are 150 MB at most; a call leaves seven behind for 32 s. */
const MOST_FINISHED = 100_000;

/**
 * The transaction layer of one SIP element (RFC 3261 §17, §18 without the sockets). A response is told with our Via still on top; a
 * forwarding proxy takes it off. A request is told with `received` and `rport` noted in its top Via.
 */
export function createTransactionLayer(options: TransactionLayerOptions): TransactionLayer {
  return new Layer(options);
}

class Layer implements TransactionLayer {
  readonly #options: TransactionLayerOptions;
  readonly #records = new Map<string, ClientRecord | ServerRecord>();
  readonly #clients = new Map<string, string>();
  readonly #servers = new Map<string, string>();
  readonly #due = new Deadlines<string>();
  /** By where they lead: what ends with a hop. */
  readonly #byHop = new Map<string, Set<string>>();
  /** Those that are over. */
  readonly #finished: Shelf<string>;
  #serial = 0;

  constructor(options: TransactionLayerOptions) {
    this.#options = options;
    this.#finished = new Shelf(options.finished ?? MOST_FINISHED);
  }

  get live(): number {
    return this.#records.size - this.#finished.size;
  }

  get size(): number {
    return this.#records.size;
  }

  deadline(): Ms | null {
    return this.#due.next();
  }

  tick(now: Ms): readonly TransactionOut[] {
    const out: TransactionOut[] = [];
    for (let id = this.#due.takeDue(now); id !== undefined; id = this.#due.takeDue(now)) {
      const record = this.#records.get(id);
      if (record?.role === 'client') this.#stepClient(record, { type: 'tick' }, now, out);
      else if (record?.role === 'server') this.#stepServer(record, { type: 'tick' }, record.flow, now, out);
    }
    return out;
  }

  transportFailed(flow: Flow, now: Ms): readonly TransactionOut[] {
    const out: TransactionOut[] = [];
    for (const id of [...(this.#byHop.get(hopOf(flow)) ?? [])]) {
      const record = this.#records.get(id);
      if (record === undefined || !sameFlow(record.flow, flow)) continue;
      if (record.role === 'client') this.#stepClient(record, { type: 'transportError' }, now, out);
      else this.#stepServer(record, { type: 'transportError' }, flow, now, out);
    }
    return out;
  }

  receive(message: SipMessage, flow: Flow, now: Ms, holder = hostOf(flow)): readonly TransactionOut[] {
    if (message.headers.via.length === 0) return [];
    const out: TransactionOut[] = [];
    if (message.kind === 'request') this.#onRequest(message, flow, holder, now, out);
    else this.#onResponse(message, flow, now, out);
    return out;
  }

  request(request: SipRequest, flow: Flow, now: Ms, holder = hostOf(flow)) {
    const out: TransactionOut[] = [];
    const tx = this.#startClient(this.#withVia(request, flow), flow, holder, false, now, out);
    return { tx, out };
  }

  resume(request: SipRequest, flow: Flow, now: Ms): string {
    const reliable = isReliable(flow);
    const state: InviteClientState = { name: 'proceeding', request, reliable, giveUpAt: now + GIVE_UP };
    const record = this.#newClient(request, flow, hostOf(flow), { kind: 'invite', state }, false);
    this.#settle(record, deadlineOf(record), []);
    return record.id;
  }

  ack(request: SipRequest, flow: Flow): readonly TransactionOut[] {
    return [{ type: 'sip', message: this.#withVia(request, flow), flow }];
  }

  respond(tx: string, response: SipResponse, now: Ms): readonly TransactionOut[] {
    const record = this.#records.get(tx);
    if (record?.role !== 'server') return [];
    const out: TransactionOut[] = [];
    const tag = response.headers.to.params['tag'];
    if (tag !== undefined && tag !== record.toTag) record.toTag = ownText(tag);
    this.#stepServer(record, { type: 'respond', response }, record.flow, now, out);
    return out;
  }

  cancel(tx: string, headers: ExtraHeaders, now: Ms): readonly TransactionOut[] {
    assertHeaders(headers);
    const record = this.#records.get(tx);
    if (record?.role !== 'client' || record.machine.kind !== 'invite') return [];
    const out: TransactionOut[] = [];
    const { name } = record.machine.state;
    // Before a provisional response the INVITE may still be on its way and be overtaken (§9.1).
    if (name === 'calling') record.cancel = headers;
    else if (name === 'proceeding') this.#sendCancel(record, headers, now, out);
    return out;
  }

  #withVia(request: SipRequest, flow: Flow): SipRequest {
    const { sentBy } = this.#options;
    const { host, port } = typeof sentBy === 'function' ? sentBy(flow) : sentBy;
    const params: Record<string, string> = { branch: COOKIE + hexId(this.#options.random, 10) };
    // RFC 3581 §3: ask for the answer at the port we sent from.
    if (flow.transport === 'udp') params['rport'] = '';
    const transport = flow.transport.toUpperCase();
    const own: Via = port === undefined ? { transport, host, params } : { transport, host, port, params };
    return { ...request, headers: { ...request.headers, via: [own, ...request.headers.via] } };
  }

  #startClient(
    request: SipRequest,
    flow: Flow,
    holder: string,
    silent: boolean,
    now: Ms,
    out: TransactionOut[],
  ): string {
    const reliable = isReliable(flow);
    const start =
      request.method === 'INVITE'
        ? { kind: 'invite' as const, ...startInviteClient(request, reliable, now) }
        : { kind: 'non-invite' as const, ...startNonInviteClient(request, reliable, now) };
    const record = this.#newClient(request, flow, holder, start as ClientRecord['machine'], silent);
    this.#tellClient(record, start.out, flow, out);
    this.#settle(record, deadlineOf(record), out);
    return record.id;
  }

  #newClient(
    request: SipRequest,
    flow: Flow,
    holder: string,
    machine: ClientRecord['machine'],
    silent: boolean,
  ): ClientRecord {
    this.#serial += 1;
    const id = `c${this.#serial}`;
    const key = `${request.headers.via[0]!.params['branch']!} ${request.method}`;
    const record: ClientRecord = {
      role: 'client',
      id,
      key,
      flow,
      holder,
      request,
      machine,
      cancel: null,
      silent,
    };
    this.#keep(record);
    this.#clients.set(key, id);
    return record;
  }

  #sendCancel(invite: ClientRecord, headers: ExtraHeaders, now: Ms, out: TransactionOut[]): void {
    invite.cancel = null;
    const { request } = invite;
    if (request === null) return;
    // §9.1: as the ACK of a refusal, but for method and To.
    const like = ackFor(request, { headers: request.headers } as SipResponse);
    const { seq } = like.headers.cseq;
    const cancel: SipRequest = {
      ...like,
      method: 'CANCEL',
      headers: { ...like.headers, cseq: { seq, method: 'CANCEL' }, other: headers },
    };
    this.#startClient(cancel, invite.flow, invite.holder, true, now, out);
    this.#stepClient(invite, { type: 'cancelSent' }, now, out);
  }

  #onResponse(response: SipResponse, flow: Flow, now: Ms, out: TransactionOut[]): void {
    const record = this.#records.get(this.#clients.get(clientKey(response)) ?? '');
    if (record?.role === 'client') this.#stepClient(record, { type: 'response', response }, now, out, flow);
    else if (response.headers.cseq.method === 'INVITE' && response.status >= 200 && response.status < 300)
      out.push({ type: 'stray', response, flow });
  }

  #onRequest(received: SipRequest, flow: Flow, holder: string, now: Ms, out: TransactionOut[]): void {
    const { method } = received;
    const named = serverKey(received, method === 'ACK' ? 'INVITE' : method);
    const known = this.#server(named);
    const request = stampSource(received, flow);
    if (method === 'ACK') {
      if (known === undefined) out.push({ type: 'request', tx: null, request, flow });
      else this.#stepServer(known, { type: 'ack', request }, flow, now, out);
      return;
    }
    if (known !== undefined) {
      if (known.machine.kind === 'answered')
        out.push({ type: 'sip', message: sameAnswer(known.machine.state.kept, request), flow: known.flow });
      else this.#stepServer(known, { type: 'request' }, flow, now, out);
      return;
    }
    const reliable = isReliable(flow);
    const key = ownText(named);
    this.#serial += 1;
    const record: ServerRecord = {
      role: 'server',
      id: `s${this.#serial}`,
      key,
      flow: replyFlow(received, flow),
      holder,
      machine:
        method === 'INVITE'
          ? { kind: 'invite', state: startInviteServer(reliable) }
          : { kind: 'non-invite', state: startNonInviteServer(reliable) },
      toTag: undefined,
    };
    this.#keep(record);
    this.#servers.set(key, record.id);
    const invite = method === 'CANCEL' ? this.#server(serverKey(received, 'INVITE')) : undefined;
    if (invite === undefined) out.push({ type: 'request', tx: record.id, request, flow });
    else this.#onCancel(record, invite, request, now, out);
  }

  /** §9.2: 200 whatever the INVITE's state; it has an effect only before the final answer. */
  #onCancel(
    own: ServerRecord,
    invite: ServerRecord,
    request: SipRequest,
    now: Ms,
    out: TransactionOut[],
  ): void {
    const toTag = invite.toTag ?? hexId(this.#options.random, 8);
    const response = createResponse(request, 200, { toTag });
    this.#stepServer(own, { type: 'respond', response }, own.flow, now, out);
    if (invite.machine.kind === 'invite' && invite.machine.state.name === 'proceeding')
      out.push({ type: 'cancelled', tx: invite.id, request });
  }

  #server(key: string): ServerRecord | undefined {
    const record = this.#records.get(this.#servers.get(key) ?? '');
    return record?.role === 'server' ? record : undefined;
  }

  #stepClient(
    record: ClientRecord,
    input: ClientInput,
    now: Ms,
    out: TransactionOut[],
    flow = record.flow,
  ): void {
    const { machine } = record;
    let events: readonly ClientOutput[];
    if (machine.kind === 'invite') {
      const step = inviteClient.step(machine.state, input, now);
      record.machine = { kind: 'invite', state: step.state };
      events = step.out;
    } else {
      const step = nonInviteClient.step(machine.state, input, now);
      record.machine = { kind: 'non-invite', state: step.state };
      events = step.out;
    }
    this.#tellClient(record, events, flow, out);
    if (record.cancel !== null && record.machine.state.name === 'proceeding')
      this.#sendCancel(record, record.cancel, now, out);
    this.#settle(record, deadlineOf(record), out);
  }

  #tellClient(
    record: ClientRecord,
    events: readonly ClientOutput[],
    flow: Flow,
    out: TransactionOut[],
  ): void {
    for (const event of events) {
      if (event.type === 'send') out.push({ type: 'sip', message: event.request, flow: record.flow });
      else if (record.silent) continue;
      else if (event.type === 'response')
        out.push({ type: 'response', tx: record.id, response: event.response, flow });
      else out.push({ type: event.type, tx: record.id });
    }
  }

  #stepServer(record: ServerRecord, input: ServerInput, flow: Flow, now: Ms, out: TransactionOut[]): void {
    const { machine } = record;
    let events: readonly ServerOutput[];
    if (machine.kind === 'answered') {
      const gone = input.type === 'transportError' || now >= machine.state.kept.endAt;
      if (gone) this.#forget(record, out);
      return;
    }
    if (machine.kind === 'invite') {
      const step = inviteServer.step(machine.state, input, now);
      record.machine = { kind: 'invite', state: step.state };
      events = step.out;
    } else {
      const step = nonInviteServer.step(machine.state, input, now);
      record.machine = { kind: 'non-invite', state: step.state };
      events = step.out;
    }
    for (const event of events) {
      if (event.type === 'send') out.push({ type: 'sip', message: event.response, flow: record.flow });
      else if (event.type === 'ack') out.push({ type: 'request', tx: null, request: event.request, flow });
      else out.push({ type: event.type, tx: record.id });
    }
    this.#settle(record, deadlineOf(record), out);
  }

  /** Keeps the deadline of a record, makes it small when it is over, or forgets it when its machine has ended. */
  #settle(record: ClientRecord | ServerRecord, at: Ms | null, out: TransactionOut[]): void {
    const { machine, id } = record;
    if (machine.state.name === 'terminated') return this.#forget(record, out);
    this.#due.set(id, at);
    if (machine.kind === 'answered' || !isOver(record.role, machine.kind, machine.state.name)) return;
    if (this.#finished.has(id)) return;
    if (record.role === 'client') record.request = null;
    else if (record.machine.kind === 'non-invite' && record.machine.state.name === 'completed') {
      const { last, endAt } = record.machine.state;
      record.machine = { kind: 'answered', state: { name: 'over', kept: keptAnswer(last, endAt) } };
    }
    if (record.role === 'server' || !record.silent) out.push({ type: 'over', tx: id });
    const gone = this.#records.get(this.#finished.add(record.holder, id) ?? '');
    if (gone !== undefined) this.#forget(gone, out);
  }

  #keep(record: ClientRecord | ServerRecord): void {
    this.#records.set(record.id, record);
    const hop = hopOf(record.flow);
    const there = this.#byHop.get(hop);
    if (there === undefined) this.#byHop.set(hop, new Set([record.id]));
    else there.add(record.id);
  }

  #forget(record: ClientRecord | ServerRecord, out: TransactionOut[]): void {
    if (!this.#records.delete(record.id)) return;
    const hop = hopOf(record.flow);
    const there = this.#byHop.get(hop);
    if (there?.delete(record.id) && there.size === 0) this.#byHop.delete(hop);
    this.#due.delete(record.id);
    this.#finished.delete(record.id);
    const index = record.role === 'client' ? this.#clients : this.#servers;
    if (index.get(record.key) === record.id) index.delete(record.key);
    if (record.role === 'server' || !record.silent) out.push({ type: 'terminated', tx: record.id });
  }
}

function deadlineOf(record: ClientRecord | ServerRecord): Ms | null {
  if (record.role === 'client')
    return record.machine.kind === 'invite'
      ? inviteClient.deadline(record.machine.state)
      : nonInviteClient.deadline(record.machine.state);
  if (record.machine.kind === 'answered') return record.machine.state.kept.endAt;
  return record.machine.kind === 'invite'
    ? inviteServer.deadline(record.machine.state)
    : nonInviteServer.deadline(record.machine.state);
}
