import type { Ms } from '@sidetone/core';
import { withDirection } from '@sidetone/sdp';
import type { Call, CallFrame, CallInput } from './call.ts';
import { change, type Draft, failure, gone, reply } from './call-draft.ts';
import { answerFor, sameTransport, statedDirection } from './client-description.ts';

/*
 * Offers and answers of an answered call. The client's go to voice as re-INVITEs, each answered in its own way (`update`: an ICE restart
 * waits for the answer; hold does not). voice's own offer is answered with the client's last description, but by the client itself when it
 * has just come back (`renewal`).
 */

/** A published client gives up after 10 s and reconnects; an error just before that only fails the one request. */
const UPDATE_MS = 9500;
/** A client that builds a new peer connection gathers candidates for up to 5 s. */
const RENEWAL_MS = 20_000;

/** What the client describes itself by towards voice now: a re-INVITE that waited must not bring back a transport that is gone. */
export const descriptionOf = (call: Call | undefined): string | undefined =>
  call?.update?.sdp ?? call?.clientSdp ?? undefined;

/** The client's reply at once; voice gates media and tells the other side (RFC 3264 §8.4). */
export function hold(draft: Draft, frame: Extract<CallFrame, { kind: 'hold' }>): void {
  const { call } = draft;
  if (call.phase !== 'active' || call.clientSdp === null)
    return reply(draft, frame.id, failure('The call is not answered'));
  const held = frame.action === 'toggleHold' ? !call.held : frame.action === 'hold';
  reply(draft, frame.id, { kind: 'hold', action: frame.action, held });
  if (held === call.held) return;
  // The client's answer to the offer it has will tell voice.
  if (offered(call)) return change(draft, { held });
  // Behind an ICE restart that is not answered yet, the hold must not bring the old transport back.
  const sdp = withDirection(call.update?.sdp ?? call.clientSdp, held ? 'sendonly' : 'sendrecv');
  change(draft, call.update === null ? { held, clientSdp: sdp } : { held, update: { ...call.update, sdp } });
  draft.out.push({ type: 'reinvite', sdp, token: 'hold' });
}

export function updateMedia(draft: Draft, frame: Extract<CallFrame, { kind: 'updateMedia' }>, now: Ms): void {
  const { call } = draft;
  if (call.phase !== 'active') return reply(draft, frame.id, failure('The call is not answered'));
  if (call.update !== null || offered(call))
    return reply(draft, frame.id, failure('Media is being renegotiated already'));
  // A held call stays held, whatever the new offer says.
  const sdp = call.held ? withDirection(frame.sdp, 'sendonly') : frame.sdp;
  change(draft, { renewal: null, update: { frame: frame.id, sdp, until: now + UPDATE_MS } });
  draft.out.push({ type: 'reinvite', sdp, token: 'update' });
}

export function updateTimeout(draft: Draft, now: Ms): void {
  const { update } = draft.call;
  if (update === null || now < update.until) return;
  // A client that restarts ICE reconnects when this fails; an answer that comes later changes nothing.
  change(draft, { update: null });
  reply(draft, update.frame, failure('No answer to the new media description in time'));
}

/** The client's answer to the offer it was attached with; or a client that has kept its media and says so. */
export function attach(draft: Draft, frame: Extract<CallFrame, { kind: 'attach' }>): void {
  const { call } = draft;
  const { renewal } = call;
  if (renewal !== null && renewal !== 'asked') {
    reply(draft, frame.id, { kind: 'done' });
    const sdp = call.held ? withDirection(frame.sdp, 'sendonly') : frame.sdp;
    change(draft, { renewal: null, clientSdp: sdp });
    draft.out.push({ type: 'respondReinvite', tx: renewal.tx, status: 200, sdp });
    return;
  }
  const same = call.phase === 'active' && call.clientSdp !== null && sameTransport(frame.sdp, call.clientSdp);
  reply(draft, frame.id, same ? { kind: 'done' } : gone);
}

/** The offer again, if it has no answer yet. */
export function attachAgain(draft: Draft): void {
  const { renewal } = draft.call;
  if (renewal !== null && renewal !== 'asked') draft.out.push({ type: 'attach', sdp: renewal.offer });
}

const offered = (call: Call): boolean => call.renewal !== null && call.renewal !== 'asked';

export function renewalTimeout(draft: Draft, now: Ms): void {
  const { renewal } = draft.call;
  if (renewal === null || renewal === 'asked' || now < renewal.until) return;
  leaveRenewal(draft);
}

/** voice's offer stays without an answer of the client. */
export function leaveRenewal(draft: Draft): void {
  const { renewal } = draft.call;
  change(draft, { renewal: null });
  if (renewal !== null && renewal !== 'asked')
    draft.out.push({ type: 'respondReinvite', tx: renewal.tx, status: 480 });
}

/** The dialect has no re-INVITE towards a client, so its last description answers for it; but one that is back may be attached. */
export function reinvited(draft: Draft, tx: string, offer: string | undefined, now: Ms): void {
  const { call } = draft;
  if (call.renewal === 'asked' && offer !== undefined) {
    change(draft, { renewal: { tx, until: now + RENEWAL_MS, offer } });
    draft.out.push({ type: 'attach', sdp: offer });
    return;
  }
  if (call.phase !== 'active' || call.clientSdp === null) {
    draft.out.push({ type: 'respondReinvite', tx, status: 488 });
    return;
  }
  const sdp =
    offer === undefined ? call.clientSdp : answerFor(call.clientSdp, statedDirection(offer), call.held);
  draft.out.push({ type: 'respondReinvite', tx, status: 200, sdp });
}

export function reinviteResult(draft: Draft, result: Extract<CallInput, { type: 'reinviteResult' }>): void {
  const { call } = draft;
  const failed = result.status >= 300;
  if (failed) {
    draft.out.push({
      type: 'log',
      level: 'warn',
      event: 'media change refused',
      fields: { call: call.callId, what: result.token, status: result.status },
    });
  }
  const { update } = call;
  if (result.token !== 'update' || update === null) return;
  change(draft, { update: null });
  if (failed || result.sdp === undefined)
    return reply(draft, update.frame, failure(`The new media description was refused (${result.status})`));
  change(draft, { clientSdp: update.sdp });
  // Held, voice answered `recvonly`; the client's own offer said `sendrecv`, and no later message could open it again.
  const sdp = call.held ? withDirection(result.sdp, 'sendrecv') : result.sdp;
  reply(draft, update.frame, { kind: 'media', sdp, held: call.held });
}
