import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EpochMs } from '@sidetone/core';
import type { IceServer } from '@sidetone/wire';
import type { Config } from '../config/schema.ts';
import { isLoopback } from '../net/addresses.ts';

/** What a user's clients are told at login at this moment; nothing without a TURN server. */
export type IceServersFor = (user: string, now: EpochMs) => readonly IceServer[];

/**
 * Credentials that a TURN server with the same secret accepts without asking us (the "REST API" scheme of coturn's
 * `use-auth-secret`): the name is `<seconds since 1970 when it ends>:<user>`, the password the HMAC-SHA1 of the name in base64.
 * Throws a sentence for the operator when the secret cannot be read.
 */
export function iceServersOf(config: Config): IceServersFor {
  const { turn } = config;
  // Without TURN a client needs nothing: the gateway has no NAT before it, and learns the client's address from its checks.
  if (turn === undefined) return () => [];
  const secret = turn.secret ?? secretIn(turn.secret_file!);
  const stun = stunUrl(config);
  return (user, now) => {
    const username = `${Math.floor(now / 1000) + turn.ttl_seconds}:${user}`;
    const credential = createHmac('sha1', secret).update(username).digest('base64');
    return [...(stun === undefined ? [] : [{ urls: [stun] }]), { urls: turn.urls, username, credential }];
  };
}

function secretIn(file: string): string {
  let secret: string;
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`turn.secret_file: cannot read ${file} (${(error as NodeJS.ErrnoException).code})`);
  }
  if (secret.length < 16) throw new Error(`turn.secret_file: ${file} must hold at least 16 characters`);
  return secret;
}

/** Our own STUN server, if clients that reach us by HTTP reach it by the address we know of. */
function stunUrl({ stun, http, media }: Config): string | undefined {
  const name = isLoopback(stun.host) ? stun.host : (media.public_address ?? stun.host);
  if (name === '0.0.0.0' || name === '::') return undefined;
  if (isLoopback(name) && !isLoopback(http.host)) return undefined;
  return `stun:${name.includes(':') ? `[${name}]` : name}:${stun.port}`;
}
