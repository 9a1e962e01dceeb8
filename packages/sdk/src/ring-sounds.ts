import type { Call } from './call.ts';
import type { Environment } from './environment.ts';

/** Plays the sound files of ringing: one at a time, for as long as a call rings. */
export class RingSounds {
  readonly #env: Environment;
  #playing: string | undefined;
  #stop = (): void => {};

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Looks at the calls anew. */
  follow(calls: readonly Call[], ringtone: string | undefined, ringback: string | undefined): void {
    const ringing = calls.filter(
      ({ commonState, remoteStream }) => commonState === 'RINGING' && !remoteStream,
    );
    const inbound = ringing.some(({ direction }) => direction === 'inbound');
    const wanted = ringing.length === 0 ? undefined : inbound ? ringtone : ringback;
    if (wanted === this.#playing) return;
    this.#stop();
    this.#playing = wanted;
    this.#stop = wanted === undefined || wanted === '' ? () => {} : this.#env.playLoop(wanted);
  }
}
