import { Buffer } from 'node:buffer';

/**
 * The same text by itself. One that was cut from a message, or put together of such pieces, holds the whole message in memory for as long
 * as it is kept: what outlives its message by more than a transaction, or is kept for many, is made a text of its own.
 */
export const ownText = (text: string): string => Buffer.from(text).toString();
