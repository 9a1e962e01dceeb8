import type { ChildProcess } from 'node:child_process';
import type { FromChild } from './messages.ts';

/** The first message of one of these types; `undefined` when the child ends before, or `limitMs` have passed. */
export function childSays<T extends FromChild['type']>(
  child: ChildProcess,
  types: readonly T[],
  limitMs: number,
): Promise<Extract<FromChild, { type: T }> | undefined> {
  return new Promise((resolve) => {
    const end = (message?: FromChild): void => {
      clearTimeout(timer);
      child.off('message', heard);
      child.off('exit', gone);
      resolve(message as Extract<FromChild, { type: T }> | undefined);
    };
    const heard = (message: FromChild): void => {
      if ((types as readonly string[]).includes(message.type)) end(message);
    };
    const gone = (): void => end();
    const timer = setTimeout(end, limitMs);
    child.on('message', heard);
    child.on('exit', gone);
    if (child.exitCode !== null || child.signalCode !== null) end();
  });
}

/** Resolves when the child has ended; after `limitMs` it is killed. */
export function ended(child: ChildProcess, limitMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
