/**
 * Waiting for what a real peer does. The limits are generous: they end a hung run with a sentence that names what was
 * missing, and are never part of an assertion.
 */

export const LIMIT_MS = 30_000;

/** Calls `probe` until it gives a value that is neither `undefined`, `null` nor `false`; throws after the limit. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: { readonly limitMs?: number; readonly everyMs?: number; readonly detail?: () => string } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const limit = Date.now() + (options.limitMs ?? LIMIT_MS);
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false)
      return value as Exclude<T, undefined | null | false>;
    if (Date.now() > limit) {
      const detail = options.detail?.();
      throw new Error(`gave up waiting for: ${what}${detail === undefined ? '' : `\n${detail}`}`);
    }
    await pause(options.everyMs ?? 25);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** `promise`, or an error that names what did not come. */
export function within<T>(what: string, promise: Promise<T>, limitMs: number = LIMIT_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`gave up waiting for: ${what}`)), limitMs);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
