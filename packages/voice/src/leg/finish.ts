import type { Ms } from '@sidetone/core';
import { abandonFork } from '../activity/fork.ts';
import { cancelGather } from '../activity/gather.ts';
import { abandonPlays } from '../activity/play.ts';
import { abandonRecording } from '../activity/recording.ts';
import { abandonStream } from '../activity/stream.ts';
import { type Branch, inMedia, isGone } from './branch.ts';
import { CAUSE, type Ending } from './ending.ts';
import { hangupOf } from './hangup.ts';
import { isEnding, mainOf } from './leg.ts';
import type { LegDraft } from './leg-draft.ts';
import { endQueued } from './queued.ts';
import { recordsOf, serviceRecord } from './record.ts';
import { leaveConference } from './staying.ts';

/** The branch's dialog is gone already (BYE or final response of the peer): close what is left of it. */
export function branchGone(draft: LegDraft, id: string, ending: Ending | null): void {
  const branch = draft.branch(id);
  if (branch === undefined || branch.phase === 'over') return;
  draft.change(id, { phase: 'over', giveUpAt: null, ending: branch.ending ?? ending });
  closeMedia(draft, id);
}

/** Ends one branch from our side, in the way its phase asks for. */
export function endBranch(draft: LegDraft, branch: Branch, ending: Ending): void {
  const at = { leg: draft.leg.id, branch: branch.id };
  switch (branch.phase) {
    case 'invited':
      draft.emit({
        type: 'respond',
        ...at,
        status: ending.sip,
        ending,
        headers: ending.headers ?? [],
      });
      branchGone(draft, branch.id, ending);
      return;
    case 'up':
      draft.emit({ type: 'bye', ...at, ending });
      branchGone(draft, branch.id, ending);
      return;
    case 'preparing':
      branchGone(draft, branch.id, ending);
      return;
    case 'calling':
      // RFC 3261 §9.1: a CANCEL ends nothing by itself; the final response does.
      draft.emit({ type: 'cancel', ...at, ending });
      draft.change(branch.id, {
        phase: 'cancelling',
        giveUpAt: draft.now + draft.settings.cancelMs,
        ending,
      });
      closeMedia(draft, branch.id);
      return;
    case 'cancelling':
    case 'over':
      return;
  }
}

/** Ends the leg: every branch that is left hears it in its own way. The first ending stands. */
export function endLeg(draft: LegDraft, ending: Ending): void {
  if (isEnding(draft.leg)) return;
  cancelGather(draft, 'call_hangup');
  abandonStream(draft);
  abandonFork(draft);
  abandonRecording(draft);
  abandonPlays(draft);
  leaveConference(draft, null);
  endQueued(draft);
  draft.set({ state: { name: 'ending', ending }, endedAt: draft.now });
  for (const branch of draft.leg.branches) endBranch(draft, branch, ending);
}

/** The peer has ended the leg. */
export function legGone(draft: LegDraft, branch: string, ending: Ending): void {
  branchGone(draft, branch, ending);
  if (branch === draft.leg.main) endLeg(draft, ending);
}

export function closeMedia(draft: LegDraft, id: string): void {
  const branch = draft.branch(id);
  if (branch === undefined || !inMedia(branch)) return;
  draft.part(id, 'media', { phase: 'closing' });
  draft.media('close', { op: 'close', leg: id });
}

/** A cancelled INVITE whose final response never came (RFC 3261 §9.1). */
export function giveUp(draft: LegDraft): void {
  for (const { id, phase, giveUpAt } of draft.leg.branches)
    if (phase === 'cancelling' && giveUpAt !== null && giveUpAt <= draft.now) branchGone(draft, id, null);
}

const isSilent = ({ media: { phase } }: Branch): boolean => phase === 'none' || phase === 'closed';

/** Forgets branches that lost, and writes the record behind the last. */
export function settle(draft: LegDraft): void {
  const { leg } = draft;
  if (leg.state.name === 'ending') {
    // Its statistics are there; a cancelled INVITE may still wait for its final response.
    if (leg.program?.hungUp === false && leg.branches.every(isSilent))
      draft.news(hangupOf(leg, leg.state.ending));
    if (!leg.branches.every(isGone)) return;
    for (const record of recordsOf(leg)) draft.emit({ type: 'record', leg: leg.id, record });
    draft.to({ name: 'over', ending: leg.state.ending });
  } else if (mainOf(leg) !== undefined && leg.branches.length > 1) {
    const branches = leg.branches.filter((branch) => branch.id === leg.main || !isGone(branch));
    if (branches.length < leg.branches.length) draft.set({ branches });
  }
}

/** It leaves the built-in service that it was connected to. */
export function recordService(draft: LegDraft): void {
  const record = serviceRecord(draft.leg, draft.now, { ...CAUSE.normal, by: 'platform' });
  if (record !== null) draft.emit({ type: 'record', leg: draft.leg.id, record });
}

/** T2 of RFC 3261 §17: within it a BYE that was lost comes again. */
const BYE_MS: Ms = 4_000;

/**
 * The ACK has no answer to the offer in our 2xx, or none of use. Who gave up while the 2xx was on its way accepts and says BYE right behind
 * (RFC 3261 §13.2.2.4), with whatever answer it likes; the end is the peer's then. Without a BYE it is ours.
 */
export function unanswered(draft: LegDraft): void {
  const { state } = draft.leg;
  if (state.name === 'up') draft.to({ name: 'up', until: Math.min(state.until, draft.now + BYE_MS) });
}

/** An error of media that the peer's description is the reason of. */
export const isPeers = (error: string): boolean =>
  error === 'no-codec' || error === 'bad-sdp' || error === 'no-address';

/** What an error of media means for the leg. */
export function mediaEnding(error: string): Ending {
  if (error === 'no-address') return { ...CAUSE.noAddress, by: 'platform' };
  if (isPeers(error)) return { ...CAUSE.noCodec, by: 'platform' };
  if (error === 'no-port') return { ...CAUSE.noPort, by: 'platform' };
  return { ...CAUSE.mediaEngine, by: 'platform' };
}
