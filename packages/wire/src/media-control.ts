/**
 * The one interface of media (B2BUA-RTC): what `voice` asks and what it hears. The embedded engine answers it in its own
 * process; another engine (rtpengine) may stand behind the same messages. A control connection carries these as one
 * JSON object a line: `{ ...MediaCommand, "id": 7 }`, answered by `{ "id": 7, ...MediaReply }`; events have no id. A play's own id
 * stands there as `play`, and a report's `n` as `report`, since `n` counts the events of the connection.
 */

import type { ForkCommand } from './media-fork.ts';
import type { RecordCommand, RecordEvent } from './media-record.ts';
import type { Reach, RoomCommand, RoomEvent } from './media-room.ts';
import type { StreamCommand, StreamEvent } from './media-stream.ts';
import type { TranscribeCommand, TranscribeEvent } from './media-transcribe.ts';

/** Names as configuration spells them. */
export type CodecName = 'OPUS' | 'PCMU' | 'PCMA' | 'G722';

/** Direction of a leg from our side: `recvonly` = the peer has put us on hold or only sends. RFC 3264 words. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** `webrtc`: ICE-lite + DTLS-SRTP, towards browsers. `rtp`: plain RTP/AVP, towards carriers and phones. */
export type LegKind = 'webrtc' | 'rtp';

/** What a leg hears. Compiled into the leg's route; takes effect at the next packet. */
export type Source =
  | { readonly kind: 'silence' }
  /** `digits: false`: its digits are told as events only, since they leave as SIP INFO. */
  | { readonly kind: 'leg'; readonly leg: string; readonly digits?: false }
  /** Its own audio and digits, back. */
  | { readonly kind: 'echo' }
  | { readonly kind: 'tone'; readonly hz: number }
  | { readonly kind: 'music' }
  | { readonly kind: 'ringback' }
  /** A WAV, 16-bit PCM, one channel, again and again; silence where it cannot be read. */
  | { readonly kind: 'file'; readonly file: string }
  /** What others in the room say; its own voice reaches whom `to` names. Digits reach nobody. */
  | { readonly kind: 'room'; readonly room: string; readonly to: Reach };

/** What a leg's peer shall be asked to send in Opus: what the other side wants to receive (RFC 7587 §6.1). */
export interface OpusAsk {
  readonly stereo?: boolean;
  /** Bits per second. */
  readonly maxBitrate?: number;
}

/**
 * The host, an IP address, that the signalling of a proven phone comes from. Its plain RTP is believed from any port there as well as
 * from where the description says (RFC 7362 §4). Holds for the description it comes with.
 */
export type SignalledFrom = string;

export type MediaCommand =
  /**
   * The peer's offer for a leg (new, or a re-offer: hold, ICE restart, moved address) → our answer. `codecs` is what
   * may be used, most wanted first. An offer whose ICE ufrag and fingerprint are unchanged keeps the transport.
   */
  | {
      readonly op: 'answer';
      readonly leg: string;
      readonly kind: LegKind;
      readonly sdp: string;
      readonly codecs: readonly CodecName[];
      readonly direction?: Direction;
      /** Kept for later descriptions of the leg, until stated anew. */
      readonly opus?: OpusAsk;
      readonly signalledFrom?: SignalledFrom;
    }
  /**
   * Makes our offer for a leg (new, or a re-offer with another direction). `restart`: fresh ICE credentials, and the peer may
   * answer with another certificate, as a new peer connection does. Media keeps the old path until the new one has keys;
   * an answer with the ufrag and fingerprint of the old path keeps it for good.
   */
  | {
      readonly op: 'offer';
      readonly leg: string;
      readonly kind: LegKind;
      readonly codecs: readonly CodecName[];
      readonly direction?: Direction;
      readonly restart?: boolean;
      readonly opus?: OpusAsk;
      /** IP version by which the peer of a new plain leg is spoken to; media takes the other when it has none of it. */
      readonly family?: 4 | 6;
    }
  /** The peer's answer to our last offer. May come again (another fork answered): the last one wins. */
  | {
      readonly op: 'accept';
      readonly leg: string;
      readonly sdp: string;
      readonly signalledFrom?: SignalledFrom;
    }
  /** What `leg` hears from now on. For a two-party call set both. */
  | { readonly op: 'source'; readonly leg: string; readonly source: Source }
  /** Sends digits (0-9 * # A-D) to the leg's peer as RFC 4733 events; queued behind digits already being sent. */
  | {
      readonly op: 'dtmf';
      readonly leg: string;
      readonly digits: string;
      readonly durationMs?: number;
      readonly gapMs?: number;
    }
  | { readonly op: 'stats'; readonly leg: string }
  /**
   * A new owner (after the death of the one before) names the legs it goes on with; all others are closed. What happened to
   * them while nobody listened is told again after the reply: of a leg with a number in `seen` each report behind it, of the others only how they failed.
   */
  | {
      readonly op: 'claim';
      readonly legs: readonly string[];
      /** By leg or room: the number of the last report (`n`) that was read; 0: none. */
      readonly seen?: Readonly<Record<string, number>>;
    }
  /**
   * Plays a file to the leg's peer in place of its source, or mixed into it (`overlay`). One at a time each: a second one replaces the
   * first. The same `id` again changes nothing. The end is told by `played`, exactly once, also when the leg is closed before.
   */
  | {
      readonly op: 'play';
      readonly leg: string;
      readonly id: string;
      /** A WAV, 16-bit PCM, one channel. */
      readonly file: string;
      /** How often; null: until it is stopped. */
      readonly loop: number | null;
      readonly overlay?: true;
      /** Begins there in the file. */
      readonly fromMs?: number;
    }
  /** Stops it; `ok` also when nothing of that id plays. */
  | { readonly op: 'stop'; readonly leg: string; readonly id: string }
  /**
   * Of what is played to the leg's peer, streamed, transcribed and copied only what has one of these ids goes on: a new owner may not
   * know what the one before was about to stop.
   */
  | { readonly op: 'keep'; readonly leg: string; readonly ids: readonly string[] }
  /** Tells what the peer's sound is, by `heard`, until it is switched off. */
  | { readonly op: 'listen'; readonly leg: string; readonly on: boolean }
  /** Ends the leg; the reply carries its final statistics. Unknown legs reply `ok` without statistics. */
  | { readonly op: 'close'; readonly leg: string }
  /** Health and load of the engine. */
  | { readonly op: 'health' }
  | RoomCommand
  | StreamCommand
  | TranscribeCommand
  | ForkCommand
  | RecordCommand;

export interface LegStats {
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly packetsLost: number;
  /** Interarrival jitter in milliseconds (RFC 3550 §6.4.1). */
  readonly jitterMs: number;
  /** Round-trip time from RTCP, if known. */
  readonly rttMs?: number;
  readonly codec?: CodecName;
  readonly dtmfReceived: number;
  /** Packets dropped as unauthenticated, replayed, or from a foreign source. */
  readonly dropped: number;
  /** Milliseconds since the last authenticated packet of the peer, RTP or RTCP; absent before the first. */
  readonly heardMsAgo?: number;
}

export type MediaReply =
  | {
      readonly ok: true;
      readonly sdp?: string;
      readonly codec?: CodecName;
      readonly direction?: Direction;
      /** Of `accept`: the answer is of another address family than our offer, which therefore names an address that is no more. */
      readonly moved?: true;
      readonly stats?: LegStats;
      /** Of `claim`: the named legs that do not exist (any more). */
      readonly missing?: readonly string[];
      readonly health?: { readonly legs: number; readonly rooms: number; readonly portsFree: number };
    }
  /** `no-codec`: nothing in common; `bad-sdp`; `no-port`: the port range is used up; `no-address`: we have no address of the peer's family; `no-leg`, `no-room`; `wrong-state`; `engine`: our own failure or the process is away. */
  | {
      readonly ok: false;
      readonly error:
        | 'no-codec'
        | 'bad-sdp'
        | 'no-port'
        | 'no-address'
        | 'no-leg'
        | 'no-room'
        | 'wrong-state'
        | 'engine';
      readonly message: string;
    };

/** Reports of a leg count up from 1, so that one told again after a `claim` is read once. */
export type ReportNumber = number;

export type MediaEvent =
  | { readonly event: 'connected'; readonly leg: string }
  /** First authenticated packet from the peer. */
  | { readonly event: 'media'; readonly leg: string; readonly codec: CodecName }
  /** A digit of the peer, as RFC 4733 or, from a peer that did not agree to that, as tones. */
  | {
      readonly event: 'dtmf';
      readonly leg: string;
      readonly n?: ReportNumber;
      readonly digit: string;
      readonly durationMs: number;
    }
  /** `atMs`: how far it has come in the file. */
  | {
      readonly event: 'played';
      readonly leg: string;
      readonly n?: ReportNumber;
      readonly id: string;
      readonly status: 'completed' | 'stopped' | 'failed';
      readonly atMs: number;
    }
  /** What the peer sounds like since `ms` after it was asked for (`listen`). Silence is told 200 ms after it began, a beep 150 ms. */
  | {
      readonly event: 'heard';
      readonly leg: string;
      readonly n?: ReportNumber;
      readonly what: 'speech' | 'silence' | 'beep';
      readonly ms: number;
    }
  /** The leg failed: `dtls` handshake or fingerprint, `ice` (no valid check in time, consent lost), `rtp` nothing heard for the limit. */
  | {
      readonly event: 'failed';
      readonly leg: string;
      readonly n?: ReportNumber;
      readonly why: 'dtls' | 'ice' | 'rtp';
    }
  /** We receive from the peer's counterpart but never from the peer, `ms` after connection; a flag, not an end. */
  | { readonly event: 'one-way'; readonly leg: string; readonly ms: number }
  | RoomEvent
  | StreamEvent
  | TranscribeEvent
  | RecordEvent
  /** The engine process came (back) up: legs it had are gone unless listed. */
  | { readonly event: 'engine'; readonly state: 'up' | 'down' };
