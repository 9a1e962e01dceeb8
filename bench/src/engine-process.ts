import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MediaCommand, MediaReply } from '@sidetone/wire';

/** The media engine in a process of its own (`relay-engine.ts`). */
export interface EngineProcess {
  readonly pid: number;
  /** Rejects when the engine refuses; the description of its answer, if it made one. */
  command(request: MediaCommand): Promise<string>;
  stop(): void;
}

export async function startEngine(ports: readonly [number, number]): Promise<EngineProcess> {
  const child: ChildProcess = fork(
    fileURLToPath(new URL('./relay-engine.ts', import.meta.url)),
    ports.map(String),
  );
  const pending = new Map<number, (reply: MediaReply) => void>();
  let ready: () => void = () => {};
  const up = new Promise<void>((resolve) => {
    ready = resolve;
  });
  child.on('message', ({ id, reply }: { id: number; reply: MediaReply }) => {
    if (id === 0) ready();
    else pending.get(id)?.(reply);
  });
  await up;
  let ids = 0;
  return {
    pid: child.pid!,
    stop: () => child.kill('SIGKILL'),
    async command(request) {
      const id = ++ids;
      const reply = await new Promise<MediaReply>((resolve) => {
        pending.set(id, resolve);
        child.send({ id, command: request });
      });
      pending.delete(id);
      if (!reply.ok) throw new Error(`${request.op}: ${reply.message}`);
      return reply.sdp ?? '';
    },
  };
}

/** User and system time of a process and all its threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export const pause = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export const mediaPort = (sdp: string): number => Number(/m=audio (\d+)/.exec(sdp)?.[1]);
