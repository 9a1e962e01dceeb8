import type { SavedRecording } from '@sidetone/wire';
import { isoMicros } from './stamp.ts';

/** What events tell of a recording, of a leg and of a conference alike: a link to it in the format that was asked for. */
export const savedRecording = ({ id, format, channels, startedAt, endedAt, url }: SavedRecording) => ({
  recording_id: id,
  channels: channels === 2 ? 'dual' : 'single',
  format,
  recording_started_at: isoMicros(startedAt),
  recording_ended_at: isoMicros(endedAt),
  recording_urls: { [format]: url },
  public_recording_urls: {},
});
