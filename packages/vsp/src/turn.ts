import { networkOf } from '@sidetone/core';
import type { Session } from './session.ts';

/** Whether a frame may begin a call. A guess by the text, before it is read: a wrong yes costs it its place in the line and nothing else. */
const begins = (text: string): boolean => text.includes('.invite"');

/** In whose line a frame waits: `null` in none, as what lives goes first. */
export function turnOf(session: Session | undefined, text: string): string | null {
  if (session === undefined || session.owner === null) return `stranger ${networkOf(session?.address ?? '')}`;
  return begins(text) ? `user ${session.owner}` : null;
}
