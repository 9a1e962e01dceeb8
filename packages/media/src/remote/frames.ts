import { isFields } from '@sidetone/core';

/* Frames of a media stream, as JSON text. */

/** Why a frame of the other end is of no use: the published codes. */
export const FAULT = {
  unknown: { code: 100002, title: 'unknown_error' },
  malformed: { code: 100003, title: 'malformed_frame' },
  invalid: { code: 100004, title: 'invalid_media' },
  tooMany: { code: 100005, title: 'rate_limit_reached' },
} as const;
export type Fault = keyof typeof FAULT;

/** What the other end may say. */
export type FrameIn =
  | { readonly event: 'media'; readonly payload: Uint8Array }
  | { readonly event: 'mark'; readonly name: string }
  | { readonly event: 'clear' };

export type ReadFrame = FrameIn | { readonly fault: Fault; readonly detail: string };

const MOST_NAME = 1024;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

const fault = (fault: Fault, detail: string): ReadFrame => ({ fault, detail });

/** Reads a text frame; total. A `stream_id` is not looked at: each socket has one stream. */
export function readFrame(text: string): ReadFrame {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return fault('malformed', 'The frame is no JSON.');
  }
  if (!isFields(frame)) return fault('malformed', 'The frame is no JSON object.');
  switch (frame['event']) {
    case 'clear':
      return { event: 'clear' };
    case 'mark': {
      const { mark } = frame;
      const name = isFields(mark) ? mark['name'] : undefined;
      if (typeof name !== 'string' || name === '' || name.length > MOST_NAME)
        return fault('malformed', `A mark needs mark.name, of at most ${MOST_NAME} characters.`);
      return { event: 'mark', name };
    }
    case 'media': {
      const { media } = frame;
      const payload = isFields(media) ? media['payload'] : undefined;
      if (typeof payload !== 'string') return fault('malformed', 'A media frame needs media.payload.');
      if (!BASE64.test(payload)) return fault('invalid', 'media.payload is no base64.');
      return { event: 'media', payload: Buffer.from(payload, 'base64') };
    }
    default:
      return fault('malformed', 'event must be media, mark or clear.');
  }
}

export const CONNECTED = '{"event":"connected","version":"1.0.0"}';

/** Writes the frames of one stream, which count up whatever socket they leave by. */
export class FrameWriter {
  readonly #id: string;
  readonly #streamId: string;
  #sequence = 0;

  constructor(id: string) {
    this.#streamId = id;
    this.#id = JSON.stringify(id);
  }

  get #next(): string {
    return String(++this.#sequence);
  }

  start(start: object, format: object): string {
    return this.#frame('start', { start: { ...start, media_format: format } });
  }

  media(track: 'inbound' | 'outbound', chunk: number, timestamp: number, payload: Uint8Array): string {
    const text = base64Of(payload);
    return `{"event":"media","sequence_number":"${this.#next}","stream_id":${this.#id},"media":{"track":"${track}","chunk":"${chunk}","timestamp":"${timestamp}","payload":"${text}"}}`;
  }

  dtmf(digit: string, occurredAt: string): string {
    return this.#frame('dtmf', { occurred_at: occurredAt, dtmf: { digit } });
  }

  mark(name: string): string {
    return this.#frame('mark', { mark: { name } });
  }

  stop(stop: object): string {
    return this.#frame('stop', { stop });
  }

  /** Errors are not counted. */
  error(fault: Fault, detail: string): string {
    return JSON.stringify({
      event: 'error',
      stream_id: this.#streamId,
      payload: { ...FAULT[fault], detail },
    });
  }

  #frame(event: string, rest: object): string {
    return JSON.stringify({ event, sequence_number: this.#next, stream_id: this.#streamId, ...rest });
  }
}

const base64Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
