import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { LIMITS, SoundFault, tooLarge } from '../limits.ts';
import type { TextToSpeech, Utterance } from './text-to-speech.ts';
import { espeakVoice } from './voices.ts';

/** espeak-ng gives 22,050 samples of 16 bits a second. */
const MOST_BYTES = (LIMITS.spokenMs / 1000) * 22_050 * 2 + 4096;
const NICE = 10;

export const MISSING =
  'espeak-ng is not installed: install the Debian package espeak-ng, or name another engine (speech.url).';

/** Speech by espeak-ng, a process of its own: no shell, the text by standard input. */
export function createEspeak(program = 'espeak-ng'): TextToSpeech {
  return {
    name: 'espeak-ng',
    speak: ({ text, ssml, voice }: Utterance) =>
      new Promise((done, fail) => {
        const parameters = ['--stdin', '--stdout', '-b', '1', '-v', espeakVoice(voice)];
        if (ssml !== undefined) parameters.push('-m');
        const child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'ignore'] });
        const parts: Buffer[] = [];
        let bytes = 0;
        const end = (fault: SoundFault): void => {
          clearTimeout(timer);
          child.kill('SIGKILL');
          fail(fault);
        };
        const timer = setTimeout(
          () => end(tooLarge(`The text could not be spoken within ${LIMITS.speakMs / 1000} seconds.`)),
          LIMITS.speakMs,
        );
        child.on('error', (error: NodeJS.ErrnoException) =>
          end(
            new SoundFault('failed', error.code === 'ENOENT' ? MISSING : 'espeak-ng could not be started.'),
          ),
        );
        child.on('spawn', () => {
          try {
            setPriority(child.pid!, NICE);
          } catch {}
        });
        child.stdout.on('data', (part: Buffer) => {
          bytes += part.length;
          if (bytes > MOST_BYTES)
            return end(tooLarge(`The speech is longer than ${LIMITS.spokenMs / 60_000} minutes.`));
          parts.push(part);
        });
        child.on('close', (code) => {
          clearTimeout(timer);
          if (code === 0 && bytes > 0) done(Buffer.concat(parts));
          else fail(new SoundFault('failed', `espeak-ng ended without speech (${code ?? 'killed'}).`));
        });
        // It may have ended before it read everything; `close` tells.
        child.stdin.on('error', () => {});
        child.stdin.end(ssml ?? text);
      }),
  };
}
