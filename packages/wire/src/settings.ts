import type { CodecName } from './media-control.ts';

/** A credential connection: one SIP user with its numbers (shape as in the configuration file). */
export interface Connection {
  readonly user_name: string;
  readonly password: string;
  readonly numbers: readonly string[];
  /** May others dial `user_name@domain`? `internal`: users of this platform may; `unrestricted`: anyone may. */
  readonly sip_uri_calling_preference: 'disabled' | 'internal' | 'unrestricted';
  /** Only with `sip_username` is a client rung when its number is dialled. */
  readonly dnis_number_format: '+e164' | 'e164' | 'national' | 'sip_username';
  /** All registered clients ring, or only the last to register. */
  readonly simultaneous_ringing: 'enabled' | 'disabled';
  /** The final response a caller sees when the client rejects without stating a code. */
  readonly reject_code: number;
  /** Codecs towards this user's clients, most wanted first. */
  readonly codecs: readonly CodecName[];
}

/** A carrier: where calls that match a prefix go, and the only source of calls without credentials. */
export interface Trunk {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  /** Dialled numbers that start with one of these may go here; the longest match wins, then the order in the file. */
  readonly prefixes: readonly string[];
  readonly codecs: readonly CodecName[];
  readonly dtmf: 'rfc4733' | 'info';
  /** `quality`: Opus to the browser, transcode; `capacity`: give the browser the carrier's codec. */
  readonly policy: 'quality' | 'capacity';
  /** For a carrier that challenges. */
  readonly user_name?: string;
  readonly password?: string;
}

/** What the routing plan needs to know. */
export interface Directory {
  readonly domain: string;
  readonly connections: readonly Connection[];
  readonly trunks: readonly Trunk[];
}
