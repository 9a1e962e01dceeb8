import type { Call } from './call.ts';
import type { CallState } from './call-machine.ts';
import type { Environment } from './environment.ts';
import { type ClientOptions, type Credentials, namedOptions, type RememberedOptions } from './options.ts';
import { claimsOf } from './token.ts';

/** What the next page needs to take over a call of this one. */
export interface RememberedCall {
  readonly id: string;
  readonly direction: CallState['direction'];
  readonly muted: boolean;
  readonly held: boolean;
  readonly options: RememberedOptions;
}

/** What the next page needs to take over a session. */
export interface Remembered {
  readonly token: string;
  readonly sessid: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly calls: readonly RememberedCall[];
}

/** How long the server keeps what a vanished page left. */
const KEPT_MS = 120_000;

/** Names in use by the clients of this page. */
const claimed = new Set<string>();

/**
 * What outlives a reload, per tab and per client: the n-th client of a user finds what the n-th client of that user left. It is
 * written when the page goes and taken away when the next one reads it, so that a duplicated tab finds nothing.
 */
export class ResumeStore {
  readonly #env: Environment;
  readonly #key: string;

  constructor(env: Environment, options: ClientOptions) {
    this.#env = env;
    const user = `sidetone:${options.host ?? ''}:${userOf(options)}`;
    let n = 0;
    while (claimed.has(`${user}:${n}`)) n++;
    this.#key = `${user}:${n}`;
    claimed.add(this.#key);
  }

  save(remembered: Remembered): void {
    try {
      this.#env.storage?.setItem(this.#key, JSON.stringify(remembered));
    } catch {
      // Storage is full or forbidden: the calls do not survive.
    }
  }

  /** What the page before left, once, and only while the server still has it. */
  take(): Remembered | undefined {
    try {
      const found = this.#env.storage?.getItem(this.#key) ?? null;
      this.forget();
      if (found === null) return undefined;
      const { token, sessid, at, calls } = JSON.parse(found) as Partial<Remembered>;
      if (typeof token !== 'string' || typeof sessid !== 'string' || typeof at !== 'number') return undefined;
      if (!Array.isArray(calls) || this.#env.epoch() - at > KEPT_MS) return undefined;
      return {
        token,
        sessid,
        at,
        calls: calls.map((call) => ({ ...call, options: namedOptions(call.options) })),
      };
    } catch {
      return undefined;
    }
  }

  forget(): void {
    try {
      this.#env.storage?.removeItem(this.#key);
    } catch {
      // Forbidden.
    }
  }

  /** Another client may have the name. */
  release(): void {
    claimed.delete(this.#key);
  }
}

/** What another page needs of these calls. Those that are not up yet end with the page. */
export function rememberedOf(calls: readonly Call[]): RememberedCall[] {
  return calls
    .filter(({ state }) => state === 'active' || state === 'held' || state === 'recovering')
    .map(({ id, direction, isAudioMuted, state, options }) => ({
      id,
      direction,
      muted: isAudioMuted,
      held: state === 'held',
      options: namedOptions(options),
    }));
}

/** A name of the user that stays when the token is renewed. */
function userOf({ login, login_token }: Credentials): string {
  return login || String(claimsOf(login_token)?.['sub'] ?? 'token');
}
