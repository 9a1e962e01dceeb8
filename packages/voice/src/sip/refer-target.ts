import type { DialogName, SipRequest } from '@sidetone/sip';
import { type Leg, mainOf } from '../leg/leg.ts';
import type { ReferTarget } from '../message.ts';
import { otherOf } from '../place/bridge-draft.ts';
import { mayTransfer } from '../place/swap.ts';
import type { Registry } from '../registry.ts';
import { customHeaders } from './reason.ts';
import { parseReferTo } from './refer.ts';

export interface ReferFacts {
  readonly isOwnHost: (host: string) => boolean;
  readonly registry: Registry;
  /** The leg with this dialog. */
  readonly find: (dialog: DialogName) => Leg | undefined;
}

/** What a REFER in the dialog of `asks` is about, or the status that refuses it. Nobody joins with a call of somebody else. */
export function referTarget(request: SipRequest, asks: Leg, facts: ReferFacts): ReferTarget | number {
  if (!mayTransfer(asks)) return 403;
  const read = parseReferTo(request, facts.isOwnHost);
  if (!read.ok) return read.error;
  const to = read.value;
  if (to.kind === 'dial') return { kind: 'dial', dialled: to.dialled, headers: customHeaders(request) };
  const other = facts.find(to.dialog);
  // No 481, by which the peer would take this very dialog for gone (RFC 5057 §5.1).
  if (other === undefined) return 404;
  if (other.userName !== asks.userName || !mayTransfer(other)) return 403;
  const { place } = other;
  if (other.state.name !== 'up' || mainOf(other) === undefined || place === null) return 480;
  if (place.in === 'built-in') return { kind: 'join-built-in', leg: other.id };
  if (place.in === 'queue') return 480;
  if (asks.place?.in === 'bridge' && asks.place.id === place.id) return 400;
  const bridge = facts.registry.bridges.get(place.id);
  if (bridge?.swap != null) return 491;
  const far = bridge?.state === 'up' ? otherOf(facts.registry.members(place.id), other.id) : undefined;
  return far === undefined ? 480 : { kind: 'join', leg: far.id };
}
