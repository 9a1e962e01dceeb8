import { LIMITS, SoundFault, tooLarge } from '../limits.ts';
import type { TextToSpeech } from './text-to-speech.ts';

export interface SpeechUrlOptions {
  /** Of the operator's choice, so it may lie anywhere. */
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  readonly timeoutMs?: number;
}

/**
 * Speech by another engine: POST of JSON `{text, ssml, voice, language, gender}` (`ssml` null for plain text; `voice` as the application
 * wrote it), answered 200 with a WAV, MP3 or Ogg/Opus file.
 */
export function createSpeechByUrl(options: SpeechUrlOptions): TextToSpeech {
  return {
    name: options.url,
    speak: async ({ text, ssml, voice }) => {
      const answer = await fetch(options.url, {
        method: 'POST',
        redirect: 'error',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'audio/wav, audio/mpeg, audio/ogg',
          ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
        },
        body: JSON.stringify({
          text,
          ssml: ssml ?? null,
          voice: voice.name,
          language: voice.language,
          gender: voice.gender,
        }),
        signal: AbortSignal.timeout(options.timeoutMs ?? LIMITS.speakMs),
      }).catch(unreachable);
      if (answer.status !== 200) {
        await answer.body?.cancel();
        throw new SoundFault('failed', `The speech engine answered ${answer.status}.`);
      }
      const parts: Uint8Array[] = [];
      let bytes = 0;
      try {
        for await (const part of answer.body ?? []) {
          bytes += part.length;
          if (bytes > LIMITS.sourceBytes) break;
          parts.push(part);
        }
      } catch {
        unreachable();
      }
      if (bytes > LIMITS.sourceBytes) throw tooLarge('The speech engine sent too much.');
      return Buffer.concat(parts);
    },
  };
}

function unreachable(): never {
  throw new SoundFault('failed', 'The speech engine did not answer in time.');
}
