import { ATTACHMENT, traitsOf } from '@sidetone/wire';
import type { Call, ClientWish } from './call.ts';
import { change, type Draft, inDialog } from './call-draft.ts';
import { leaveRenewal } from './call-media.ts';

/* A socket lost under a call, and another: voice hears of both, and the client what it missed. */

const tellVoice = (draft: Draft, contentType: string): void => {
  draft.out.push({ type: 'info', contentType, body: '' });
};

export function goAway(draft: Draft): void {
  const { call } = draft;
  if (call.away) return;
  // The answer to an ICE restart reaches nobody any more; voice may have taken the offer all the same.
  change(draft, {
    away: true,
    transfer: null,
    ...(call.update === null ? {} : { update: null, clientSdp: call.update.sdp }),
  });
  tellAway(draft);
  leaveRenewal(draft);
}

export function tellAway(draft: Draft): void {
  const { call } = draft;
  if (!call.away || call.awayTold || !inDialog(call)) return;
  change(draft, { awayTold: true });
  tellVoice(draft, ATTACHMENT.away);
}

/** Before a client is given up: does it still talk? */
export function askHeard(draft: Draft): void {
  const { phase, awayTold } = draft.call;
  if (phase === 'active' && awayTold) tellVoice(draft, ATTACHMENT.heard);
}

export function comeBack(draft: Draft): void {
  const { call } = draft;
  if (!call.away) return;
  const { phase, ring, awayTold } = call;
  change(draft, { away: false, awayTold: false });
  if (phase === 'ringing' && ring !== null) draft.out.push({ type: 'invite', ring });
  draft.out.push(...told(call));
  if (!awayTold) return;
  if (phase === 'active') change(draft, { renewal: 'asked' });
  tellVoice(draft, needsAttach(draft.call) ? ATTACHMENT.bare : ATTACHMENT.back);
}

/** The call objects of native clients stay bound to the socket that is gone until they are attached, also while sound flows. */
export const needsAttach = (call: Call): boolean =>
  call.phase === 'active' && traitsOf(call.agent).attach === 'always';

/**
 * What a client that is back must be told of its own call. What was told just before may have gone into the dead socket: those who
 * ignore what they know hear it again. A description that was missed is old when the call is up: voice finds that media dead and offers
 * anew. An attach makes the call active by itself; one client fails at an answer that comes while it builds its new connection.
 */
function told(call: Call): readonly ClientWish[] {
  if (needsAttach(call)) return [];
  const { mayHearTwice } = traitsOf(call.agent);
  const again = call.setUp.filter(({ missed }) => missed || mayHearTwice);
  if (call.phase !== 'active') return again.map(({ wish }) => wish);
  const media = call.setUp.find(({ wish }) => wish.type === 'media');
  if (media === undefined || media.missed) return [];
  return again.filter(({ wish }) => wish.type === 'answer').map(({ wish }) => wish);
}

/** Tells the client how its own call gets on, now or when it is back. */
export function tell(draft: Draft, wish: ClientWish): void {
  const { away, setUp } = draft.call;
  change(draft, { setUp: [...setUp, { wish, missed: away }] });
  if (!away) draft.out.push(wish);
}
