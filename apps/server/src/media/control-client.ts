import { connect, type Socket } from 'node:net';
import type { MediaCommand, MediaEvent, MediaReply } from '@sidetone/wire';
import { jsonLines } from './json-lines.ts';

export interface MediaClientOptions {
  /** Path of the media process's Unix socket. */
  readonly socketPath: string;
  readonly onEvent: (event: MediaEvent) => void;
  /** `up` when connected; `down` when the connection is lost (the process may still be running and relaying). */
  readonly onState: (state: 'up' | 'down') => void;
}

export interface MediaClient {
  /** Never rejects: when the media process is away the reply is the error `engine`. */
  command(command: MediaCommand): Promise<MediaReply>;
  /** For how many milliseconds the command that was asked first has been waiting for its reply; 0: none waits. */
  lag(): number;
  close(): void;
}

const RETRY_MS = 200;
const away: MediaReply = { ok: false, error: 'engine', message: 'the media process is away' };

/** The signalling side of the control connection. Reconnects for as long as it is open. */
export function createMediaClient(options: MediaClientOptions): MediaClient {
  const pending = new Map<number, { readonly answer: (reply: MediaReply) => void; readonly at: number }>();
  /** Asked before the first connection stood or failed: a process that takes over asks at once. */
  let early: (() => void)[] | undefined = [];
  let socket: Socket | undefined;
  let up = false;
  let closed = false;
  let lastId = 0;
  let retry: NodeJS.Timeout | undefined;

  const settleEarly = (): void => {
    const waiting = early ?? [];
    early = undefined;
    for (const send of waiting) send();
  };

  const lost = (): void => {
    const wasUp = up;
    up = false;
    socket = undefined;
    settleEarly();
    const waiting = [...pending.values()];
    pending.clear();
    for (const { answer } of waiting) answer(away);
    if (wasUp) {
      options.onEvent({ event: 'engine', state: 'down' });
      options.onState('down');
    }
    if (!closed) retry = setTimeout(open, RETRY_MS);
  };

  const received = (object: Readonly<Record<string, unknown>>): void => {
    if (typeof object['event'] === 'string') {
      options.onEvent(object as unknown as MediaEvent);
      return;
    }
    const { id, ...reply } = object;
    const asked = pending.get(id as number);
    if (asked === undefined) return;
    pending.delete(id as number);
    asked.answer(reply as unknown as MediaReply);
  };

  const open = (): void => {
    const mine = connect(options.socketPath);
    socket = mine;
    mine.setEncoding('utf8');
    mine.on('connect', () => {
      up = true;
      settleEarly();
      options.onState('up');
    });
    mine.on(
      'data',
      jsonLines(received, () => mine.destroy()),
    );
    mine.on('error', () => {});
    mine.on('close', lost);
  };

  open();

  return {
    command: (command) =>
      new Promise((resolve) => {
        const send = (): void => {
          if (!up || socket === undefined) return resolve(away);
          const id = ++lastId;
          pending.set(id, { answer: resolve, at: performance.now() });
          socket.write(`${JSON.stringify({ id, ...command })}\n`);
        };
        if (early === undefined) send();
        else early.push(send);
      }),
    lag: () => {
      for (const { at } of pending.values()) return performance.now() - at;
      return 0;
    },
    close: () => {
      closed = true;
      clearTimeout(retry);
      socket?.destroy();
    },
  };
}
