import type { Abortable } from './abort.ts';
import type { CallHost } from './call-host.ts';
import { CallLeg } from './call-leg.ts';
import { type CallInput, type CallState, isOver } from './call-machine.ts';
import { CallMonitor } from './call-monitor.ts';
import type { ReportedCall } from './call-report.ts';
import { contain } from './emitter.ts';
import { stamps } from './environment.ts';
import type { CallOptionsOf } from './options.ts';
import type { StatsFrame } from './quality.ts';

const GET_STATS_MS = 2_000;

/** The part of a call that measures: statistics, how it came about, and what its report tells. */
export abstract class MeasuredCall<C> extends CallLeg<C> {
  readonly #monitor: CallMonitor;
  readonly #stamp: () => number;
  /** Frames that the report told already, and in how many parts. */
  #told = 0;
  #segments = 0;
  readonly #log: { readonly at: number; readonly message: string }[] = [];

  /** @internal Calls are made by a client. */
  constructor(host: CallHost<C>, given: CallOptionsOf<C>, state: CallState) {
    super(host, given, state);
    this.#stamp = stamps(host.env);
    this.#monitor = new CallMonitor(host.env, this.#stamp, {
      stats: () => this.peer?.instance.getStats(),
      listening: () => ({ muted: this.isAudioMuted, held: this.state !== 'active' }),
      frame: (frame) => host.frame(frame, this.self),
      warn: (name) => {
        host.warn(name, this.self);
        if (name !== 'LOW_BYTES_RECEIVED' && name !== 'LOW_BYTES_SENT') return;
        host.probe('no_rtp');
        this.repair();
      },
    });
    this.#log.push({ at: this.#stamp(), message: 'new' });
  }

  /** The browser's statistics of this call; `undefined` without media. With a callback: every 2 s until the call ends. */
  getStats(): Promise<RTCStatsReport | undefined>;
  getStats(callback: (stats: RTCStatsReport) => void, constraints?: unknown): void;
  getStats(callback?: (stats: RTCStatsReport) => void): Promise<RTCStatsReport | undefined> | undefined {
    if (callback === undefined) return Promise.resolve(this.peer?.instance.getStats());
    const look = async (): Promise<void> => {
      if (isOver(this.current)) return;
      const stats = await this.peer?.instance.getStats();
      if (stats !== undefined) contain(() => callback(stats));
      this.host.env.after(GET_STATS_MS, () => void look());
    };
    void look();
    return undefined;
  }

  /** One {@link StatsFrame} a second, until the call ends or the signal says so. */
  statistics({ signal }: Abortable = {}): AsyncIterable<StatsFrame> {
    return this.#monitor.read(signal);
  }

  /** The states that the call went through on its way, and when, in milliseconds. */
  getEstablishmentTimings(): {
    mode: 'trickle' | 'non-trickle';
    direction: 'inbound' | 'outbound';
    steps: { label: string; fromStart: number; delta: number }[];
  } {
    const start = this.#log[0]?.at ?? 0;
    const active = this.#log.findIndex(({ message }) => message === 'ACTIVE');
    const steps = this.#log.slice(0, active < 0 ? undefined : active + 1).map(({ at, message }, index) => ({
      label: message,
      fromStart: at - start,
      delta: at - (this.#log[index - 1]?.at ?? start),
    }));
    const mode = this.options.trickleIce === true ? 'trickle' : 'non-trickle';
    return { mode, direction: this.direction, steps };
  }

  /** Limits what the microphone's sound may take, in bits per second. */
  async setAudioBandwidthEncodingsMaxBps(max: number): Promise<void> {
    const sender = this.peer?.instance.getSenders().find((one) => one.track?.kind === 'audio');
    const parameters = sender?.getParameters();
    for (const encoding of parameters?.encodings ?? []) encoding.maxBitrate = max;
    if (parameters !== undefined) await sender?.setParameters(parameters);
  }

  /** @internal Every second of the call. */
  get frames(): readonly StatsFrame[] {
    return this.#monitor.frames.map(({ frame }) => frame);
  }

  /** @internal The seconds that no report told yet. */
  get unreported(): number {
    return this.#monitor.frames.length - this.#told;
  }

  /** @internal What a report tells of this call since the part before. */
  takeReport(): ReportedCall {
    const { frames } = this.#monitor;
    const part = frames.slice(this.#told);
    this.#told = frames.length;
    const segment = isOver(this.current) && this.#segments === 0 ? undefined : this.#segments++;
    const { id, options, direction, commonState, telnyxIDs } = this;
    return {
      callId: id,
      destinationNumber: options.destinationNumber,
      callerNumber: options.callerNumber ?? '',
      direction,
      state: commonState,
      telnyxSessionId: telnyxIDs.telnyxSessionId,
      telnyxLegId: telnyxIDs.telnyxLegId,
      startedAt: this.#log[0]?.at ?? 0,
      endedAt: isOver(this.current) ? (this.#log.at(-1)?.at ?? 0) : this.#stamp(),
      log: this.#log,
      frames: part,
      segment,
    };
  }

  /** @internal */
  protected override input(input: CallInput): void {
    const before = this.commonState;
    super.input(input);
    if (this.commonState !== before) this.#log.push({ at: this.#stamp(), message: this.commonState });
    if (this.state === 'active') this.#monitor.start();
  }

  /** @internal */
  protected override closeMedia(): void {
    this.#monitor.stop();
    super.closeMedia();
  }

  /** @internal */
  protected mediaAnew(): void {
    this.#monitor.restart();
  }
}
