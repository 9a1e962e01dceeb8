import type { Ms } from '@sidetone/core';

/** What the service goes on without for a while. */
export interface Part {
  readonly name:
    | 'call_records'
    | 'call_events'
    | 'webhooks'
    | 'journal'
    | 'users'
    | 'media'
    | 'recordings'
    | 'trunks';
  /** In one clause; `undefined` while all is well. */
  readonly why: () => string | undefined;
  /** What is to be made up for later. */
  readonly waiting?: () => number;
  /** What never will. */
  readonly lost?: () => number;
}

/** Of what writes down, now or later. */
export const partOf = (
  name: Part['name'],
  of: {
    readonly state: { readonly why: string | undefined; readonly waiting: number; readonly lost?: number };
  },
): Part => ({
  name,
  why: () => of.state.why,
  waiting: () => of.state.waiting,
  lost: () => of.state.lost ?? 0,
});

/** `GET /healthz`. Strangers read it: it names parts and reasons, no path, no address, no user. */
export interface HealthAnswer {
  readonly status: 'ok' | 'degraded';
  readonly calls: number;
  /** All the reasons in one line. */
  readonly why?: string;
  readonly degraded?: Readonly<Record<string, { readonly why: string; readonly for_seconds: number }>>;
  readonly waiting: Readonly<Record<string, number>>;
  readonly lost: Readonly<Record<string, number>>;
}

export class Health {
  readonly #parts: readonly Part[];
  readonly #since = new Map<string, Ms>();

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Notices what has begun or ended; called now and then, so that a quiet service knows since when. */
  look(now: Ms): void {
    for (const { name, why } of this.#parts) {
      if (why() === undefined) this.#since.delete(name);
      else if (!this.#since.has(name)) this.#since.set(name, now);
    }
  }

  answer(calls: number, now: Ms): HealthAnswer {
    this.look(now);
    const troubles = this.#parts.flatMap(({ name, why }) => {
      const told = why();
      const for_seconds = Math.floor((now - (this.#since.get(name) ?? now)) / 1000);
      return told === undefined ? [] : [[name, { why: told, for_seconds }] as const];
    });
    const counted = (which: 'waiting' | 'lost'): Record<string, number> =>
      Object.fromEntries(this.#parts.flatMap((part) => (part[which] ? [[part.name, part[which]()]] : [])));
    return {
      status: troubles.length === 0 ? 'ok' : 'degraded',
      calls,
      ...(troubles.length === 0
        ? {}
        : {
            why: troubles.map(([name, { why }]) => `${name}: ${why}`).join('; '),
            degraded: Object.fromEntries(troubles),
          }),
      waiting: counted('waiting'),
      lost: counted('lost'),
    };
  }
}
