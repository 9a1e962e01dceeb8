import { randomBytes, randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import {
  type EpochMs,
  type JournalLine,
  type LogLine,
  type Ms,
  type Random,
  ServiceLoop,
} from '@sidetone/core';
import { createProxy, type ProxyInput, type ProxyOutput } from '@sidetone/proxy';
import type { Flow, LocalNode, SipMessage } from '@sidetone/sip';
import { createVoice, type VoiceInput, type VoiceOutput } from '@sidetone/voice';
import { createVsp, type VspInput, type VspOutput } from '@sidetone/vsp';
import type { Directory } from '@sidetone/wire';
import type { Config } from '../config/schema.ts';

type Input = VspInput | VoiceInput | ProxyInput;
type Output = VspOutput | VoiceOutput | ProxyOutput;

/** The process's random source. */
export const systemRandom: Random = {
  int: (bound) => randomInt(bound),
  bytes: (length) => randomBytes(length),
};

export const monotonic = (): Ms => performance.now();
export const epoch = (): EpochMs => Date.now();

/** What the services ask of the world, beyond each other. */
export interface World {
  readonly sip: (message: SipMessage, flow: Flow) => void;
  readonly frame: (socket: string, text: string) => void;
  readonly closeSocket: (socket: string, code: number, reason: string) => void;
  readonly watchSocket: (socket: string, on: boolean) => void;
  readonly authenticate: (output: Extract<VspOutput, { type: 'authenticate' }>) => void;
  readonly lookup: (output: Extract<ProxyOutput, { type: 'lookup' }>) => void;
  readonly refused: (output: Extract<ProxyOutput, { type: 'refused' }>) => void;
  readonly media: (output: Extract<VoiceOutput, { type: 'media' }>) => void;
  readonly record: (output: Extract<VoiceOutput, { type: 'record' }>) => void;
  /** Must be on disk when this returns. */
  readonly journal: (room: LocalNode, line: JournalLine) => void;
  readonly log: (room: LocalNode, line: LogLine) => void;
}

export interface ExchangeOptions {
  readonly config: Config;
  readonly directory: () => Directory;
  readonly nonceKey: Uint8Array;
  readonly publicAddress: { readonly host: string; readonly port: number };
}

/** vsp, voice and proxy in one process, with the real clock under them. */
export interface Exchange {
  post(to: LocalNode, input: Input): void;
  knowsReport(reportId: string): boolean;
  /** Calls alive. */
  calls(): number;
  stop(): void;
}

export function createExchange(options: ExchangeOptions, world: World): Exchange {
  const { config, directory } = options;
  const vsp = createVsp({
    random: systemRandom,
    epoch,
    domain: config.domain,
    region: config.region,
    dc: config.region,
    keepMs: config.limits.reattach_seconds * 1000,
  });
  const voice = createVoice({
    random: systemRandom,
    epoch,
    directory,
    publicAddress: options.publicAddress,
    timers: { ringMs: config.limits.ring_seconds * 1000 },
    limits: { calls: config.limits.calls, callsPerUser: config.limits.calls_per_user },
  });
  const proxy = createProxy({
    random: systemRandom,
    epoch,
    directory,
    address: { host: options.publicAddress.host, udp: config.sip.udp, tcp: config.sip.tcp },
    nonceSecret: options.nonceKey,
    digest: config.sip.digest,
  });

  const loop = new ServiceLoop<LocalNode, Input, Output>({ vsp, voice, proxy }, carry);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function carry(from: LocalNode, output: Output): void {
    switch (output.type) {
      case 'sip':
        if (output.flow.transport === 'local') {
          loop.post(output.flow.node, {
            type: 'sip',
            message: output.message,
            flow: { transport: 'local', node: from },
          });
        } else world.sip(output.message, output.flow);
        return;
      case 'frame':
        return world.frame(output.socket, output.text);
      case 'close':
        return world.closeSocket(output.socket, output.code, output.reason);
      case 'watch':
        return world.watchSocket(output.socket, output.on);
      case 'authenticate':
        return world.authenticate(output);
      case 'lookup':
        return world.lookup(output);
      case 'refused':
        return world.refused(output);
      case 'media':
        return world.media(output);
      case 'record':
        return world.record(output);
      case 'journal':
        return world.journal(from, output);
      case 'log':
        return world.log(from, output);
    }
  }

  function run(): void {
    if (stopped) return;
    loop.run(monotonic());
    clearTimeout(timer);
    const due = loop.deadline();
    if (due !== null) timer = setTimeout(run, Math.min(Math.max(0, due - monotonic()), 60_000));
  }

  return {
    post: (to, input) => {
      if (stopped) return;
      loop.post(to, input);
      run();
    },
    knowsReport: (reportId) => vsp.hasReportId(reportId),
    calls: () => voice.size.calls,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
