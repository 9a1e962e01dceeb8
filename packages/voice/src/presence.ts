import type { MediaReply } from '@sidetone/wire';
import type { CallInput } from './call-events.ts';
import { codecsOf } from './codecs.ts';
import type { Draft } from './draft.ts';
import { CAUSE } from './ending.ts';
import { endCall } from './finish.ts';
import { type Leg, mediaKind } from './leg.ts';

/*
 * A client that lost its signalling, as vsp tells it. Its media may live on, since it goes another way:
 *
 *   here ──away──▶ away ──back──▶ returning ──heard of late, and again──▶ here
 *                  │ ▲                │ silent, failed, or back `bare`: fresh transport, re-INVITE
 *                  │ └──────away──────┴── answered ──▶ here
 *                  │                  └── refused ──▶ here, or the end when its media had failed
 *                  └── unheard for `awayMs` ──▶ given up: NETWORK_LOST
 *
 * Until it is here again, media of an answered leg that fails is no reason to end the call. Some clients do not come back by themselves
 * (a published one whose socket died talks on without noticing): the time counts from the last packet that was heard.
 */

/** A peer that sends is heard every 20 ms. */
const SILENT_MS = 500;
/** Heard so lately after this wait, it was heard since its return. */
const AGAIN_MS = 400;
const FRESH_MS = 300;

export function onPresence(draft: Draft, input: Extract<CallInput, { type: 'presence' }>): void {
  const leg = draft.leg(input.leg);
  if (leg === undefined || leg.kind !== 'client' || leg.phase === 'over') return;
  draft.log('info', input.here ? 'client back' : 'client away', { leg: leg.id });
  if (!input.here) {
    const awayUntil = draft.now + draft.call.settings.awayMs;
    draft.set(leg.id, { presence: 'away', probe: null, probeAt: null, awayUntil });
    return;
  }
  if (leg.presence !== 'away') return;
  // In set-up the description to come brings its own transport.
  const settled = leg.phase === 'up' && leg.connected && leg.media === 'open';
  const back = draft.set(leg.id, { presence: settled ? 'returning' : 'here', probe: null, awayUntil: null });
  if (!settled) return;
  if (input.bare) renew(draft, draft.set(back.id, { renewing: true }));
  else probe(draft, back, 'first');
}

/**
 * Media's word on when it last heard the client. What was heard just before its return may be of a page that is gone since.
 * `lost`: it has been away and unheard for too long.
 */
export function onProbe(draft: Draft, leg: Leg, reply: MediaReply): 'lost' | undefined {
  const heard = reply.ok ? reply.stats?.heardMsAgo : undefined;
  if (leg.presence === 'away' && leg.probe === 'window') {
    const left = heard === undefined ? 0 : draft.call.settings.awayMs - heard;
    draft.set(leg.id, { probe: null, awayUntil: left > 0 ? draft.now + left : null });
    return left > 0 ? undefined : 'lost';
  }
  if (leg.presence !== 'returning' || leg.probe === null) return;
  const first = leg.probe === 'first';
  draft.set(leg.id, { probe: null });
  if (leg.mediaLost === null && heard !== undefined && heard <= (first ? SILENT_MS : FRESH_MS))
    draft.set(leg.id, first ? { probeAt: draft.now + AGAIN_MS } : { presence: 'here' });
  else renew(draft, draft.set(leg.id, { renewing: true }));
}

export function probeAgain(draft: Draft): void {
  for (const leg of draft.call.legs) {
    const away = leg.phase === 'up' && leg.presence === 'away' && leg.probe === null;
    if (away && leg.awayUntil !== null && draft.now >= leg.awayUntil) probe(draft, leg, 'window');
    if (leg.probeAt === null || draft.now < leg.probeAt || leg.phase !== 'up') continue;
    draft.set(leg.id, { probeAt: null });
    if (leg.presence === 'returning') probe(draft, leg, 'second');
  }
}

function probe(draft: Draft, leg: Leg, which: NonNullable<Leg['probe']>): void {
  draft.set(leg.id, { probe: which });
  draft.media('probe', { op: 'stats', leg: leg.id });
}

/** Offers a fresh transport to a client that is back, as soon as no other exchange is open. */
export function renew(draft: Draft, leg: Leg): void {
  if (!leg.renewing || leg.presence !== 'returning' || leg.phase !== 'up') return;
  if (leg.negotiation.name !== 'idle') return;
  draft.set(leg.id, { negotiation: { name: 'offering', direction: 'sendrecv' }, stated: 'sendrecv' });
  draft.media('re-offer', {
    op: 'offer',
    leg: leg.id,
    kind: mediaKind(leg),
    codecs: codecsOf(leg),
    direction: 'sendrecv',
    restart: true,
  });
}

/** The end of our offer to a client; it gets no others. */
export function renewed(draft: Draft, leg: Leg, taken: boolean): void {
  if (leg.kind !== 'client') return;
  const back = leg.presence === 'returning';
  draft.set(leg.id, {
    renewing: false,
    ...(back ? { presence: 'here' } : {}),
    ...(taken ? { mediaLost: null } : {}),
  });
  // Media tells a failure once; nothing would end this call any more.
  if (back && !taken && leg.mediaLost !== null) endCall(draft, { ...CAUSE[leg.mediaLost], by: 'platform' });
}
