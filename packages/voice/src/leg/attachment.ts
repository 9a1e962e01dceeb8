import type { MediaReply } from '@sidetone/wire';
import type { LegInput } from '../message.ts';
import { type Branch, mediaKind } from './branch.ts';
import { codecsOf } from './codecs.ts';
import { CAUSE } from './ending.ts';
import { endLeg } from './finish.ts';
import type { LegDraft } from './leg-draft.ts';

/*
 * A client that lost its signalling, as vsp tells it. Its media may live on, since it goes another way:
 *
 *   here ──away──▶ away ──back──▶ returning ──heard of late, and again──▶ here
 *                    ▲                │ silent, failed, or back `bare`: fresh transport, re-INVITE
 *                    └──────away──────┴── answered ──▶ here
 *                                       └── refused ──▶ here, or the end when its media had failed
 *
 * Until it is here again, media of an answered leg that fails is no reason to end it, and vsp, which gives up clients that stay away, may
 * ask when it was heard last: some do not come back by themselves, and talk on without noticing that their socket is dead.
 */

/** A peer that sends is heard every 20 ms. */
const SILENT_MS = 500;
/** Heard so lately after this wait, it was heard since its return. */
const AGAIN_MS = 400;
const FRESH_MS = 300;

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

export function onAttachment(draft: LegDraft, input: Of<'attachment'>): void {
  const branch = draft.branch(input.branch);
  if (branch === undefined || branch.kind !== 'client' || branch.phase === 'over') return;
  draft.log('info', input.here ? 'client back' : 'client away');
  if (!input.here) {
    draft.part(branch.id, 'attachment', { at: 'away', probe: null, probeAt: null });
    return;
  }
  if (branch.attachment.at !== 'away') return;
  // In set-up the description to come brings its own transport.
  const settled = branch.phase === 'up' && branch.exchange.connected && branch.media.phase === 'open';
  draft.part(branch.id, 'attachment', { at: settled ? 'returning' : 'here', probe: null });
  if (!settled) return;
  if (input.bare) draft.part(branch.id, 'attachment', { renewing: true });
  else probe(draft, branch, 'first');
}

/** Asked when a client that is away was heard last. */
export function onAskHeard(draft: LegDraft, id: string): void {
  const branch = draft.branch(id);
  if (branch?.kind !== 'client' || branch.phase !== 'up') return;
  if (branch.attachment.at === 'away' && branch.media.phase === 'open') probe(draft, branch, 'heard');
}

/** Media's word on when it last heard the client. What was heard just before its return may be of a page that is gone since. */
export function onProbe(draft: LegDraft, branch: Branch, reply: MediaReply): void {
  const { at, probe: asked, lost } = branch.attachment;
  const heard = reply.ok ? reply.stats?.heardMsAgo : undefined;
  if (asked === 'heard' && at === 'away') {
    draft.part(branch.id, 'attachment', { probe: null });
    if (heard !== undefined)
      draft.emit({ type: 'tellHeard', leg: draft.leg.id, branch: branch.id, msAgo: heard });
    return;
  }
  if (at !== 'returning' || asked === null) return;
  const first = asked === 'first';
  draft.part(branch.id, 'attachment', { probe: null });
  if (lost === null && heard !== undefined && heard <= (first ? SILENT_MS : FRESH_MS))
    draft.part(branch.id, 'attachment', first ? { probeAt: draft.now + AGAIN_MS } : { at: 'here' });
  else draft.part(branch.id, 'attachment', { renewing: true });
}

export function probeAgain(draft: LegDraft): void {
  for (const branch of draft.leg.branches) {
    const { at, probeAt } = branch.attachment;
    if (probeAt === null || draft.now < probeAt || branch.phase !== 'up') continue;
    draft.part(branch.id, 'attachment', { probeAt: null });
    if (at === 'returning') probe(draft, branch, 'second');
  }
}

function probe(draft: LegDraft, branch: Branch, which: NonNullable<Branch['attachment']['probe']>): void {
  draft.part(branch.id, 'attachment', { probe: which });
  draft.media('probe', { op: 'stats', leg: branch.id });
}

/** Offers a fresh transport to a client that is back, as soon as no other exchange is open. */
export function renew(draft: LegDraft, branch: Branch): void {
  const { attachment, exchange, phase } = branch;
  if (!attachment.renewing || attachment.at !== 'returning' || phase !== 'up') return;
  if (exchange.negotiation.name !== 'idle') return;
  draft.part(branch.id, 'exchange', {
    negotiation: { name: 'offering', direction: 'sendrecv' },
    stated: 'sendrecv',
  });
  draft.media('re-offer', {
    op: 'offer',
    leg: branch.id,
    kind: mediaKind(branch),
    codecs: codecsOf(branch),
    direction: 'sendrecv',
    restart: true,
  });
}

/** The end of our offer to a client; it gets no others. */
export function renewed(draft: LegDraft, branch: Branch, taken: boolean): void {
  if (branch.kind !== 'client') return;
  const { at, lost } = branch.attachment;
  const back = at === 'returning';
  draft.part(branch.id, 'attachment', {
    renewing: false,
    ...(back ? { at: 'here' } : {}),
    ...(taken ? { lost: null } : {}),
  });
  // Media tells a failure once; nothing would end this leg any more.
  if (back && !taken && lost !== null) endLeg(draft, { ...CAUSE[lost], by: 'platform' });
}
