import type { Environment } from './environment.ts';
import type { StatsFrame } from './quality.ts';
import { VERSION } from './version.ts';

/** A call as its report tells it. Neither media descriptions nor custom headers are part of it. */
export interface ReportedCall {
  readonly callId: string;
  readonly destinationNumber: string;
  readonly callerNumber: string;
  readonly direction: string;
  readonly state: string;
  readonly telnyxSessionId: string;
  readonly telnyxLegId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly log: readonly { readonly at: number; readonly message: string }[];
  readonly frames: readonly { readonly at: number; readonly frame: StatsFrame }[];
  /** The number of this part of the report, from 0; `undefined` for a report in one part. */
  readonly segment: number | undefined;
}

const INTERVAL_MS = 5_000;
const PATIENCE_MS = 10_000;
const PAUSES_MS = [500, 1_000, 2_000];

const iso = (at: number): string => new Date(at).toISOString();

/** The body of `POST /call_report`: one entry of `stats` per interval (milliseconds). */
export function reportBody(call: ReportedCall, intervalMs: number): string {
  const { startedAt, endedAt, log, frames, segment, ...summary } = call;
  const step = Math.max(1, Math.round(intervalMs / 1_000));
  return JSON.stringify({
    summary: {
      ...summary,
      durationSeconds: (endedAt - startedAt) / 1_000,
      sdkVersion: VERSION,
      startTimestamp: iso(startedAt),
      endTimestamp: iso(endedAt),
    },
    stats: frames
      .filter((_, index) => index % step === step - 1 || index === frames.length - 1)
      .map(({ at, frame }) => ({
        intervalStartUtc: iso(at - intervalMs),
        intervalEndUtc: iso(at),
        audio: { inbound: frame.inboundAudio, outbound: frame.outboundAudio },
        connection: {
          roundTripTime: frame.rtt,
          jitter: frame.jitter,
          packetLoss: frame.packetLoss,
          mos: frame.mos,
        },
        remoteRtcp: { inbound: frame.remoteInboundAudio, outbound: frame.remoteOutboundAudio },
      })),
    logs: log.map(({ at, message }) => ({ timestamp: iso(at), level: 'info', message })),
    segment,
  });
}

/** Where reports go: the root of the socket's host. */
export function reportUrl(socketUrl: string): string {
  return new URL('/call_report', socketUrl.replace(/^ws/i, 'http')).href;
}

/** Sends a report; four tries, then it is dropped. Never rejects. */
export async function sendReport(
  env: Environment,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<boolean> {
  for (const pause of [...PAUSES_MS, undefined]) {
    if (await env.post(url, { 'content-type': 'application/json', ...headers }, body).catch(() => false))
      return true;
    if (pause !== undefined) await new Promise<void>((resume) => void env.after(pause, resume));
  }
  return false;
}

/** The reports that are on their way. */
export class CallReports {
  readonly #env: Environment;
  readonly #sending = new Set<Promise<boolean>>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Sends the report of a call; `intervalMs` is what one entry stands for. */
  send(
    socketUrl: string,
    headers: Readonly<Record<string, string>>,
    call: ReportedCall,
    intervalMs = INTERVAL_MS,
  ): void {
    const sent = sendReport(this.#env, reportUrl(socketUrl), headers, reportBody(call, intervalMs));
    this.#sending.add(sent);
    void sent.finally(() => this.#sending.delete(sent));
  }

  /** Resolves when all are sent or dropped, after 10 s at the latest. */
  async sent(): Promise<void> {
    if (this.#sending.size === 0) return;
    let cancel = (): void => {};
    const enough = new Promise<void>((done) => {
      cancel = this.#env.after(PATIENCE_MS, done);
    });
    await Promise.race([Promise.allSettled(this.#sending), enough]);
    cancel();
  }
}
