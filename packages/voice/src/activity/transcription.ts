import type { MediaReply } from '@sidetone/wire';
import { isEnding } from '../leg/leg.ts';
import type { LegDraft } from '../leg/leg-draft.ts';
import type { LegInput } from '../message.ts';
import type { Transcribing } from './activity.ts';

/*
 * What is said on a leg, as text: media asks the engine that the operator chose.
 *
 *   asked ──the leg is up──▶ on ──stop──▶ stopping ──the engine has said the rest──▶ gone
 *                             └── the engine fails, the leg ends ─────────────────▶ gone
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

export function onTranscribe(draft: LegDraft, { id, ask }: Of<'transcribe'>): void {
  if (isEnding(draft.leg) || draft.leg.activities.transcription !== null) return;
  draft.act({ transcription: { id, ask, state: 'asked' } });
}

export function onStopTranscribe(draft: LegDraft): void {
  const { main, leg } = draft;
  const { transcription } = leg.activities;
  if (transcription === null) return;
  if (transcription.state === 'asked' || main === undefined) return draft.act({ transcription: null });
  draft.act({ transcription: { ...transcription, state: 'stopping' } });
  draft.media('aside', { op: 'transcribeStop', leg: main.id, id: transcription.id });
}

export function onTranscript(draft: LegDraft, input: Of<'transcript'>): void {
  if (draft.leg.activities.transcription?.id !== input.id) return;
  const { text, final, confidence, track } = input;
  draft.news({ type: 'transcript', text, final, confidence, track });
}

export function onTranscribed(draft: LegDraft, { id, reason }: Of<'transcribed'>): void {
  if (draft.leg.activities.transcription?.id !== id) return;
  if (reason !== undefined) draft.log('warn', 'transcription failed', { why: reason });
  draft.act({ transcription: null });
}

/** Media's answer to the command. */
export function onTranscribeReply(draft: LegDraft, reply: MediaReply): void {
  if (reply.ok) return;
  draft.log('warn', 'media does not transcribe', { error: reply.error });
  draft.act({ transcription: null });
}

export function settleTranscription(draft: LegDraft): void {
  const { main, leg } = draft;
  const { transcription } = leg.activities;
  if (transcription?.state !== 'asked') return;
  if (leg.state.name !== 'up' || main?.media.phase !== 'open') return;
  draft.act({ transcription: { ...transcription, state: 'on' } });
  say(draft, transcription);
}

/** The process before had it: what is said again changes nothing. */
export function resumeTranscription(draft: LegDraft): void {
  const { transcription } = draft.leg.activities;
  if (transcription === null || transcription.state === 'asked') return;
  say(draft, transcription);
  if (transcription.state === 'stopping') onStopTranscribe(draft);
}

function say(draft: LegDraft, { id, ask }: Transcribing): void {
  const { main, settings } = draft;
  const engine = settings.speechToText;
  // The operator has taken the engine away: nothing more is recognised.
  if (engine === undefined) return draft.act({ transcription: null });
  if (main !== undefined) draft.media('transcribe', { op: 'transcribe', leg: main.id, id, engine, ...ask });
}
