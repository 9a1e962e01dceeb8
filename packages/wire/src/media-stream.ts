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

export type StreamCommand =
  /** Opens a socket; of an `id` that is open already, changes nothing. At most one a leg. How it goes is told by `streamed`. */
  | {
      readonly op: 'stream';
      readonly leg: string;
      readonly id: string;
      readonly url: string;
      /** Bearer token of the opening request. */
      readonly token?: string;
      /** `inbound`: what the peer says; `outbound`: what it hears. */
      readonly track: 'inbound' | 'outbound' | 'both';
      readonly codec: StreamCodec;
      readonly rate: 8000 | 16000 | 24000 | 48000;
      readonly back?: StreamBack;
      /** The `start` object of the `start` frame, but for `media_format`, as JSON. */
      readonly start: string;
      /** Connect, and begin with `streamBegin`: the leg has not answered. */
      readonly waits?: true;
    }
  | { readonly op: 'streamBegin'; readonly leg: string; readonly id: string }
  /** Ends it; `ok` also when there is none of that id. */
  | { readonly op: 'streamStop'; readonly leg: string; readonly id: string };

export type StreamEvent =
  /** `closed` and `failed` end it; each stream has one end. */
  {
    readonly event: 'streamed';
    readonly leg: string;
    readonly n?: number;
    readonly id: string;
    readonly state: 'open' | 'closed' | 'failed';
    readonly reason?: string;
  };
