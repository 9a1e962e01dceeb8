import type { Ms } from '@sidetone/core';
import { beginDetection } from '../activity/detection.ts';
import { namesOf } from '../activity/stream.ts';
import type { Extra } from './headers.ts';
import type { LegDraft } from './leg-draft.ts';

/** When a leg that is answered now ends at the latest. */
export const upUntil = ({ now, settings, leg }: LegDraft): Ms =>
  now + Math.min(settings.callMs, leg.program?.limitMs ?? settings.callMs);

/** It is answered, with its media there; what was to happen then happens. */
export function tellAnswer(draft: LegDraft, headers: Extra): void {
  const { stream } = draft.leg.activities;
  const asked = stream === null ? {} : { stream: namesOf(stream) };
  draft.news({ type: 'answered', codec: draft.main?.media.codec ?? null, headers, ...asked });
  const { program, id } = draft.leg;
  if (program === null || program.onAnswer === null) return;
  draft.set({ program: { ...program, onAnswer: null } });
  if (program.onAnswer.detect !== undefined) beginDetection(draft, program.onAnswer.detect);
  draft.emit({ type: 'onAnswer', leg: id, actions: program.onAnswer });
}
