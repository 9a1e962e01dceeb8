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
 *                    ▲                │ silent, failed, or back `bare`: fresh transport, re-INVITE
 *                    └──────away──────┴── answered ──▶ here
 *                                       └── refused ──▶ here, or the end when its media had failed
 *
 * Until it is here again, media of an answered leg that fails is no reason to end the call, and vsp, which gives up clients that stay
 * away, may ask when it was heard last: some do not come back by themselves, and talk on without noticing that their socket is dead.
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
    draft.set(leg.id, { presence: 'away', probe: null, probeAt: null });
    return;
  }
  if (leg.presence !== 'away') return;
  // In set-up the description to come brings its own transport.
  const settled = leg.phase === 'up' && leg.connected && leg.media === 'open';
  const back = draft.set(leg.id, { presence: settled ? 'returning' : 'here', probe: null });
  if (!settled) return;
  if (input.bare) renew(draft, draft.set(back.id, { renewing: true }));
  else probe(draft, back, 'first');
}

/** Asked when a client that is away was heard last. */
export function onAskHeard(draft: Draft, id: string): void {
  const leg = draft.leg(id);
  if (leg?.kind === 'client' && leg.phase === 'up' && leg.presence === 'away' && leg.media === 'open')
    probe(draft, leg, 'heard');
}

/**
 * Media's word on when it last heard the client. What was heard just before its return may be of a page that is gone since.
 */
export function onProbe(draft: Draft, leg: Leg, reply: MediaReply): void {
  const heard = reply.ok ? reply.stats?.heardMsAgo : undefined;
  if (leg.probe === 'heard' && leg.presence === 'away') {
    draft.set(leg.id, { probe: null });
    if (heard !== undefined) draft.emit({ type: 'tellHeard', leg: leg.id, msAgo: heard });
    return;
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
