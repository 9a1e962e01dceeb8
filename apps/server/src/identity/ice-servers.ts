import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type EpochMs, familyOf, isUnspecified } from '@sidetone/core';
import type { IceServer } from '@sidetone/wire';
import type { Config } from '../config/schema.ts';
import { hostAndPort, isLoopback } from '../net/addresses.ts';
import { hostsOf } from '../net/listen-hosts.ts';

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
  const stun = stunUrls(config);
  return (user, now) => {
    const username = `${Math.floor(now / 1000) + turn.ttl_seconds}:${user}`;
    const credential = createHmac('sha1', secret).update(username).digest('base64');
    return [...(stun.length === 0 ? [] : [{ urls: stun }]), { urls: turn.urls, username, credential }];
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

/** Our own STUN server, if clients that reach us by HTTP reach it by the addresses we know of. */
function stunUrls({ stun, http, media }: Config): readonly string[] {
  const told = media.public_address;
  return hostsOf(stun.host).flatMap((host) => {
    const translated = told !== undefined && (familyOf(host) ?? 4) === familyOf(told) && !isLoopback(host);
    const name = translated ? told : host;
    if (isUnspecified(name) || (isLoopback(name) && !isLoopback(http.host))) return [];
    return [`stun:${hostAndPort(name, stun.port)}`];
  });
}
