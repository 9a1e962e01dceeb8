import type { Ms } from '@sidetone/core';
import type { SoundAsk } from './sound.ts';

/** What digits are collected, and how. */
export interface GatherAsk {
  readonly gatherId?: string;
  readonly minDigits: number;
  readonly maxDigits: number;
  /** From the end of the prompt to the end of all, and between two digits. */
  readonly timeoutMs: Ms;
  readonly initialMs: Ms;
  readonly interDigitMs: Ms;
  /** null: none. */
  readonly terminating: string | null;
  readonly valid: string;
  readonly tries: number;
  readonly prompt?: SoundAsk;
  readonly invalidPrompt?: SoundAsk;
}
