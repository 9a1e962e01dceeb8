import { resumeDetection } from '../activity/detection.ts';
import { resumeFork } from '../activity/fork.ts';
import { resumePlays } from '../activity/play.ts';
import { resumeRecording } from '../activity/recording.ts';
import { resumeStream } from '../activity/stream.ts';
import { resumeTranscription } from '../activity/transcription.ts';
import type { LegInput } from '../message.ts';
import type { Branch } from './branch.ts';
import { sendNext } from './digits.ts';
import { CAUSE, type Ending } from './ending.ts';
import { branchGone, closeMedia, endLeg } from './finish.ts';
import type { LegDraft } from './leg-draft.ts';

/*
 * A leg in the process after the one that had it:
 *
 *   up, its dialog adopted  → goes on; what was in flight is brought to rest or begun anew
 *   up, dialog unreadable   → ends
 *   ending                  → its branches are closed, and it is recorded
 *   anything earlier        → ends as `restarted`: its INVITE transactions died. The proxy answers the caller outside and
 *                             cancels the callees outside, vsp tells clients; a 2xx that comes yet is ACKed and ended
 *
 * Descriptions need no new origin version (RFC 3264 §8): sessions live in the media process, which counts on. When that
 * died, too, the legs end.
 */

const EARLY = new Set<Branch['phase']>(['invited', 'preparing', 'calling', 'cancelling']);

export function onRestored(
  draft: LegDraft,
  { adopted, unacked }: Extract<LegInput, { type: 'restored' }>,
): void {
  const ending: Ending = { ...CAUSE.restarted, by: 'platform' };
  for (const branch of draft.leg.branches) {
    // The reply to this went to the process that asked.
    const closing = branch.media.phase === 'closing';
    if (closing) draft.part(branch.id, 'media', { phase: 'open' });
    // A branch that lost keeps its own ending.
    if (EARLY.has(branch.phase)) branchGone(draft, branch.id, ending);
    else if (closing) closeMedia(draft, branch.id);
  }
  const { main } = draft;
  if (draft.leg.state.name !== 'up' || main === undefined || !adopted) return endLeg(draft, ending);
  // The ACK had an answer that was still with media.
  if (!main.exchange.connected && !unacked) return endLeg(draft, ending);
  toRest(draft, main, unacked);
  sendNext(draft);
  keepActivities(draft, main.id);
  resumePlays(draft);
  resumeDetection(draft);
  resumeStream(draft);
  resumeTranscription(draft);
  resumeFork(draft);
  resumeRecording(draft);
}

/** What the process before was about to stop may go on in media: a copy to somebody else, say. */
function keepActivities(draft: LegDraft, main: string): void {
  const { program, activities } = draft.leg;
  if (program === null) return;
  const { plays, overlay, stream, transcription, fork } = activities;
  const ids = [...plays, overlay, stream, transcription, fork].flatMap((one) => one?.id ?? []);
  draft.media('aside', { op: 'keep', leg: main, ids });
}

function toRest(draft: LegDraft, branch: Branch, unacked: boolean): void {
  const { negotiation: at, stated } = branch.exchange;
  // Our 2xx with an offer is repeated, and its ACK brings the answer.
  const waits = at.name === 'awaiting-ack' && unacked;
  // Whether our offer was taken is not known: it is made again. Clients are asked for theirs when they are back.
  const ours = at.name === 'offering' || at.name === 'reinviting' || at.name === 'accepting';
  draft.part(branch.id, 'exchange', {
    negotiation: waits ? at : { name: 'idle' },
    ...(at.name === 'answering' ? { holding: at.before } : {}),
    ...(ours ? { stated: stated === 'sendonly' ? 'sendrecv' : 'sendonly' } : {}),
  });
  // What it hears may have been written, but not told. Told again it changes nothing.
  draft.part(branch.id, 'media', { source: null });
  if (branch.attachment.at === 'returning') draft.part(branch.id, 'attachment', { at: 'away' });
  draft.part(branch.id, 'attachment', { renewing: false });
  draft.part(branch.id, 'digits', { out: false });
}
