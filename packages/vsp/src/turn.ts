import { networkOf, type Random } from '@sidetone/core';
import { inviteId } from '@sidetone/wire';
import type { Session } from './session.ts';
import { tryLater } from './to-client.ts';
import type { Turns } from './vsp-events.ts';

/**
 * Whether a frame may begin a call, by the text, before it is read. A wrong yes costs it its place in the line and nothing else; there is no
 * wrong no, since JSON can hide a letter behind `\u` alone.
 */
const begins = (text: string): boolean => text.includes('.invite"') || text.includes('\\u');

/** What is said of frames while they wait, and to those that have waited too long. */
export const createTurns = (sessionOf: (socket: string) => Session | undefined, random: Random): Turns => ({
  of: (socket, text) => {
    const session = sessionOf(socket);
    if (session === undefined || session.owner === null)
      return `stranger ${networkOf(session?.address ?? '')}`;
    return begins(text) ? `user ${session.owner}` : null;
  },
  refusal: (socket, text) => {
    const session = sessionOf(socket);
    if (session?.login.name !== 'ready' || !begins(text)) return null;
    const id = inviteId(text);
    return id === undefined ? null : tryLater(session, id, 'busy', random);
  },
});
