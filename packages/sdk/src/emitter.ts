type Handler<T> = (payload: T) => void;

/** Typed event handlers; the newest is called first. A handler that throws stops neither the others nor the SDK. */
export class Emitter<Events extends object> {
  readonly #handlers = new Map<keyof Events, Set<Handler<never>>>();

  /** Adds a handler. Chainable. */
  on<K extends keyof Events>(event: K, handler: Handler<Events[K]>): this {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(handler as Handler<never>));
    return this;
  }

  /** Removes a handler, or all handlers of the event. Chainable. */
  off<K extends keyof Events>(event: K, handler?: Handler<Events[K]>): this {
    if (handler === undefined) this.#handlers.delete(event);
    else this.#handlers.get(event)?.delete(handler as Handler<never>);
    return this;
  }

  /** @internal Calls the handlers of an event. */
  emit<K extends keyof Events>(event: K, payload: Events[K]): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])].reverse())
      contain(() => (handler as Handler<Events[K]>)(payload));
  }
}

/** Runs code of the application; what it throws goes to the page's error report. */
export function contain(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (typeof reportError === 'function') reportError(error);
    else console.error(error);
  }
}
