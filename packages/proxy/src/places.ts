import { networkOf, Shares } from '@sidetone/core';
import { type Flow, hostOf, type SipRequest } from '@sidetone/sip';
import type { Trunk } from '@sidetone/wire';
import type { Sender } from './border.ts';
import type { ProxyLimits } from './proxy-events.ts';

/** On whose account a request is kept: a carrier's, a user's, or that of the address it came from. */
export function holderOf(sender: Sender | null, flow: Flow): string {
  if (sender?.kind === 'trunk') return `trunk ${sender.trunk}`;
  if (sender?.kind === 'phone') return `user ${sender.user}`;
  // A datagram says what it likes of its source.
  if (sender?.kind === 'stranger' && flow.transport === 'udp') return 'strangers';
  return `from ${networkOf(hostOf(flow))}`;
}

/** Who sends from there, as far as it tells transactions apart: a carrier may send from any of its addresses. */
export function sourceOf(flow: Flow, trunks: readonly Trunk[]): string {
  const host = hostOf(flow);
  const several = trunks.find(({ addresses = [] }) => addresses.length > 1 && addresses.includes(host));
  return several === undefined ? host : `trunk ${several.name}`;
}

/** Call-ID and our tag: what names a dialog to the peer that is in it. */
const nameOf = (callId: string, tag: string): string => `${callId} ${tag}`;

/**
 * The dialogs that `voice` has. Only these are dialogs: a To tag is three letters that anybody can write, so what names none of them
 * gets 481 and passes no limit.
 */
export class LiveDialogs {
  readonly #names = new Map<string, number>();

  get size(): number {
    return this.#names.size;
  }

  set(callId: string, tag: string, live: boolean): void {
    const name = nameOf(callId, tag);
    const legs = (this.#names.get(name) ?? 0) + (live ? 1 : -1);
    if (legs > 0) this.#names.set(name, legs);
    else this.#names.delete(name);
  }

  /** The name of the dialog that a request is in; `null`: in none. REGISTER is in none whatever it says (RFC 3261 §10.2). */
  of({ method, headers }: SipRequest): string | null {
    const tag = headers.to.params['tag'];
    if (tag === undefined || method === 'REGISTER') return null;
    const name = nameOf(headers.callId, tag);
    return this.#names.has(name) ? name : null;
  }
}

/** Where a request has its place: among those of its holder, or among those of its dialog. */
export type Place =
  | { readonly kind: 'new'; readonly holder: string }
  | { readonly kind: 'dialog'; readonly holder: string; readonly name: string };

/** The places of requests under way. A new one takes one of its holder's share; one in a dialog has room of its dialog's own. */
export class Places {
  readonly #limits: Pick<ProxyLimits, 'requests' | 'requestsPerDialog'>;
  readonly #shares: Shares;
  readonly #inDialog = new Map<string, number>();
  /** Taken, by server transaction. */
  readonly #taken = new Map<string, Place>();

  constructor(limits: Pick<ProxyLimits, 'requests' | 'requestsPerDialog'>) {
    this.#limits = limits;
    this.#shares = new Shares(limits.requests);
  }

  get size(): number {
    return this.#taken.size;
  }

  has(place: Place): boolean {
    if (place.kind === 'new') return this.#shares.has(place.holder);
    return (this.#inDialog.get(place.name) ?? 0) < this.#limits.requestsPerDialog;
  }

  take(tx: string, place: Place): void {
    if (this.#taken.has(tx)) return;
    if (place.kind === 'dialog') this.#inDialog.set(place.name, (this.#inDialog.get(place.name) ?? 0) + 1);
    else if (!this.#shares.take(place.holder)) return;
    this.#taken.set(tx, place);
  }

  /** The request of this transaction is over. */
  give(tx: string): void {
    const place = this.#taken.get(tx);
    if (place === undefined) return;
    this.#taken.delete(tx);
    if (place.kind === 'new') return this.#shares.give(place.holder);
    const left = (this.#inDialog.get(place.name) ?? 1) - 1;
    if (left > 0) this.#inDialog.set(place.name, left);
    else this.#inDialog.delete(place.name);
  }
}
