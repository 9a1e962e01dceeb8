import type { CodecName } from './media-control.ts';

/** A carrier: where calls that match a prefix go, and the only source of calls without credentials. */
export interface Trunk {
  readonly name: string;
  readonly host: string;
  /** Every address that `host`, when it is a name, has: calls may come from any of them. */
  readonly addresses?: readonly string[];
  /** The name that `host` was looked up from. */
  readonly hostName?: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  /** By what requests go that are too large for UDP (RFC 3261 §18.1.1), when `transport` is `udp`. Default `udp`. */
  readonly large_requests?: 'udp' | 'tcp';
  /** Dialled numbers that start with one of these may go here; the longest match wins, then the order in the file. */
  readonly prefixes: readonly string[];
  readonly codecs: readonly CodecName[];
  readonly dtmf: 'rfc4733' | 'info';
  /** `quality`: Opus to the browser, transcode; `capacity`: give the browser the carrier's codec. */
  readonly policy: 'quality' | 'capacity';
  /** How it writes numbers that have no `+`; absent: `auto`. */
  readonly number_format?: 'auto' | 'e164' | 'national';
  /** Whose national numbers it writes, ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** For a carrier that challenges. */
  readonly user_name?: string;
  readonly password?: string;
  /** The realms these credentials are for; without it they are learned from the first call that the carrier challenges. */
  readonly realms?: readonly string[];
}
