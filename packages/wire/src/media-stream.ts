/*
 * Sound of a leg by WebSocket, both ways. Media holds the socket, so that it outlives signalling.
 */

export type StreamCodec = 'PCMU' | 'PCMA' | 'G722' | 'OPUS' | 'L16';

/** What the other end of the socket may send to be heard. */
export interface StreamBack {
  /** `rtp`: payloads of `codec`; `mp3`: whole MP3 files. */
  readonly mode: 'rtp' | 'mp3';
  readonly codec: StreamCodec;
  /** Hz, of L16. */
  readonly rate: 8000 | 16000 | 22050 | 24000 | 48000;
  /** Who hears it: the peer of this leg, the leg that hears it, or both. */
  readonly target: 'self' | 'opposite' | 'both';
}

/** What is asked of a stream, whatever leg it is of. */
export interface StreamAsk {
  /** `ws:` or `wss:`. */
  readonly url: string;
  /** Bearer token of the opening request. */
  readonly token?: string;
  /** `inbound`: what the peer says; `outbound`: what it hears. */
  readonly track: 'inbound' | 'outbound' | 'both';
  /** Absent: that of the leg, and PCMU for a leg of Opus. */
  readonly codec?: StreamCodec;
  /** Hz, of L16. */
  readonly rate: 8000 | 16000 | 24000 | 48000;
  /** L16 has its high octet first, both ways. */
  readonly bigEndian?: true;
  readonly back?: StreamBack;
  /** A socket that is lost, or cannot be had, is tried again while the leg lives. */
  readonly reconnects?: true;
}

export type StreamCommand =
  /** Opens a socket; of an `id` that is there, or has ended, changes nothing. At most one a leg. How it goes is told by `streamed`. */
  | (StreamAsk & {
      readonly op: 'stream';
      readonly leg: string;
      readonly id: string;
      /** The `start` object of the `start` frame, but for `media_format`, as JSON; `stop` frames have its `user_id` and `call_control_id`. */
      readonly start: string;
      /** Connect, and begin with `streamBegin`: the leg has not answered. */
      readonly waits?: true;
    })
  /** `start`: as it is by now. `ok` also when there is none of that id. */
  | { readonly op: 'streamBegin'; readonly leg: string; readonly id: string; readonly start: string }
  /** Digits of the peer that came by signalling; those in its media are told by themselves. */
  | { readonly op: 'streamDigits'; readonly leg: string; readonly id: string; readonly digits: string }
  /** Ends it; `ok` also when there is none of that id. */
  | { readonly op: 'streamStop'; readonly leg: string; readonly id: string };

export type StreamEvent =
  /** `open`: its `start` is sent, and media follows. `closed` and `failed` end it; each stream has one end. */
  {
    readonly event: 'streamed';
    readonly leg: string;
    readonly n?: number;
    readonly id: string;
    readonly state: 'open' | 'closed' | 'failed';
    /** Of `failed`, for people. */
    readonly reason?: string;
  };
