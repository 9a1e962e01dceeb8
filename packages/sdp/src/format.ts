import type { SessionDescription } from './description.ts';

/** Writes a session description with CRLF line ends. */
export function formatSdp(description: SessionDescription): string {
  throw new Error(description.name);
}
