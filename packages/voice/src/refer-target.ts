import { type Random, uuid } from '@sidetone/core';
import type { DialogName, SipRequest } from '@sidetone/sip';
import { type Call, legOf, otherSide } from './call.ts';
import type { ReferTarget } from './call-events.ts';
import type { Leg } from './leg.ts';
import { customHeaders } from './reason.ts';
import { parseReferTo } from './refer.ts';
import { mayTransfer } from './transfer.ts';

/** A leg and its call. */
export interface Found {
  readonly call: Call;
  readonly leg: Leg;
}

export interface ReferFacts {
  readonly random: Random;
  readonly isOwnHost: (host: string) => boolean;
  /** The leg with this dialog. */
  readonly find: (dialog: DialogName) => Found | undefined;
}

/** What a REFER in the dialog of `asks` is about, or the status that refuses it. Nobody joins with a call of somebody else. */
export function referTarget(request: SipRequest, asks: Found, facts: ReferFacts): ReferTarget | number {
  if (!mayTransfer(asks.leg)) return 403;
  const read = parseReferTo(request, facts.isOwnHost);
  if (!read.ok) return read.error;
  const to = read.value;
  if (to.kind === 'dial')
    return {
      kind: 'dial',
      dial: uuid(facts.random),
      dialled: to.dialled,
      headers: customHeaders(request),
    };
  const other = facts.find(to.dialog);
  // No 481, by which the peer would take this very dialog for gone (RFC 5057 §5.1).
  if (other === undefined) return 404;
  if (other.leg.userName !== asks.leg.userName || !mayTransfer(other.leg)) return 403;
  if (other.call.id === asks.call.id) return 400;
  if (other.call.transfer !== null) return 491;
  const far = other.call.state.name === 'up' ? otherSide(other.call, other.leg) : undefined;
  return far === undefined ? 480 : { kind: 'join', call: other.call.id, leg: far.id };
}

/** The leg of a call by its ids. */
export function found(call: Call | undefined, leg: string | undefined): Found | undefined {
  const known = call === undefined || leg === undefined ? undefined : legOf(call, leg);
  return call === undefined || known === undefined ? undefined : { call, leg: known };
}
