export { createVoice, type Voice, type VoiceLimits, type VoiceOptions, type VoiceTimers } from './voice.ts';
export type { VoiceInput, VoiceOutput } from './voice-events.ts';
