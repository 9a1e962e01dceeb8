/** For what waits: `signal` ends the waiting. */
export interface Abortable {
  signal?: AbortSignal | undefined;
}

/** What the promise gives, or the signal's reason thrown, whichever is first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const deaf = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(deaf);
  });
}

/** Runs once when the signal says so, at once when it has; returns what makes it deaf. */
export function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal?.aborted === true) run();
  else signal?.addEventListener('abort', run, { once: true });
  return () => signal?.removeEventListener('abort', run);
}
