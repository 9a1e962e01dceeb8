import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { MediaEngine } from '@sidetone/media';
import type { MediaCommand, MediaEvent } from '@sidetone/wire';
import { jsonLines } from './json-lines.ts';

/** Legs without an owner live this long: a signalling process may be restarted under its calls. */
const ORPHANS_MS = 120_000;
/** An owner who does not read its events is no owner. */
const MAX_UNREAD = 4 * 1024 * 1024;

export interface ControlServer {
  event(event: MediaEvent): void;
  /** Resolved as soon as no owner is connected. */
  unowned(): Promise<void>;
  close(): void;
}

/**
 * The media side of the control connection: one owner at a time, the newest wins. Commands run at once and may finish
 * out of order; each reply carries its command's id.
 */
export function listenControl(
  path: string,
  engine: MediaEngine,
  log: (event: string) => void,
  orphansMs = ORPHANS_MS,
): Promise<ControlServer> {
  rmSync(path, { force: true });
  let owner: Socket | undefined;
  const waiting: (() => void)[] = [];
  /** Legs by the owner that last commanded them. */
  const ownerOf = new Map<string, Socket>();
  let orphaned: NodeJS.Timeout | undefined;
  let fresh = true;

  const say = (socket: Socket, message: object): void => {
    if (socket.destroyed) return;
    socket.write(`${JSON.stringify(message)}\n`);
    if (socket.writableLength > MAX_UNREAD) socket.destroy();
  };

  const abandon = (): void => {
    clearTimeout(orphaned);
    orphaned = setTimeout(() => {
      log('no owner: all legs closed');
      engine.closeAll();
    }, orphansMs);
  };

  /** A new owner that never asks for the legs of the last one does not know of them. */
  const adoptOrForget = (): void => {
    orphaned = setTimeout(() => {
      for (const [leg, by] of ownerOf) {
        if (by === owner) continue;
        ownerOf.delete(leg);
        void engine.command({ op: 'close', leg });
      }
    }, orphansMs);
  };

  const run = async (socket: Socket, command: MediaCommand): Promise<object> => {
    if (command.op === 'health') return engine.command(command);
    if (command.op === 'claim') {
      clearTimeout(orphaned);
      ownerOf.clear();
      for (const leg of command.legs) ownerOf.set(leg, socket);
      return engine.command(command);
    }
    const { leg } = command;
    const known = ownerOf.has(leg);
    if (command.op === 'answer' || command.op === 'offer' || known) ownerOf.set(leg, socket);
    const reply = await engine.command(command);
    if (command.op === 'close' || (!reply.ok && !known)) ownerOf.delete(leg);
    return reply;
  };

  const server = createServer((socket) => {
    const previous = owner;
    owner = socket;
    previous?.destroy();
    clearTimeout(orphaned);
    if (!fresh) adoptOrForget();
    log('owner connected');
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on(
      'data',
      jsonLines(
        ({ id, ...command }) => {
          void run(socket, command as unknown as MediaCommand).then((reply) => say(socket, { id, ...reply }));
        },
        (why) => {
          log(`control connection broken: ${why}`);
          socket.destroy();
        },
      ),
    );
    socket.on('close', () => {
      if (owner !== socket) return;
      owner = undefined;
      for (const told of waiting.splice(0)) told();
      abandon();
    });
    // Only the first owner of this process meets an engine without its legs; a later one finds them as they were.
    if (fresh) say(socket, { event: 'engine', state: 'up' } satisfies MediaEvent);
    fresh = false;
  });

  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve({
        event: (event) => {
          if (owner !== undefined) say(owner, event);
        },
        unowned: () => new Promise((told) => (owner === undefined ? told() : waiting.push(told))),
        close: () => {
          clearTimeout(orphaned);
          const last = owner;
          owner = undefined;
          last?.destroy();
          server.close();
          rmSync(path, { force: true });
        },
      });
    });
  });
}
