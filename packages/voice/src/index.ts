export type { ConferenceReads } from './place/conferences.ts';
export type { QueueReads } from './place/queue.ts';
export { createVoice } from './voice.ts';
export type { VoiceInput, VoiceOutput } from './voice-events.ts';
export type { Voice, VoiceLimits, VoiceOptions, VoiceTimers } from './voice-options.ts';
