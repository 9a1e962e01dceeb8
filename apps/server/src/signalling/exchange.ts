import { randomBytes, randomInt } from 'node:crypto';
import { type JournalEntry, type JournalLine, type LogLine, type Random, ServiceLoop } from '@sidetone/core';
import { type Binding, createProxy, type ProxyInput, type ProxyOutput } from '@sidetone/proxy';
import type { Flow, LocalNode, SipMessage } from '@sidetone/sip';
import { createVoice, type VoiceInput, type VoiceOutput } from '@sidetone/voice';
import { createVsp, type VspInput, type VspOutput } from '@sidetone/vsp';
import type { Identity } from '@sidetone/wire';
import { epoch, monotonic } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { familiesOf } from '../net/listen-hosts.ts';

type Input = VspInput | VoiceInput | ProxyInput;
type Output = VspOutput | VoiceOutput | ProxyOutput;

/** The process's random source. */
export const systemRandom: Random = {
  int: (bound) => randomInt(bound),
  bytes: (length) => randomBytes(length),
};

type RecordOutput = Extract<VoiceOutput, { type: 'record' }>;
/** A record is never lost to a death between it and the line that says that its call is no more: both are of one unit. */
type Kept = JournalLine | RecordOutput;

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
  /** What one input has changed and finished, as one unit. Must be written when this returns: the other outputs follow. */
  readonly keep: (
    room: LocalNode,
    changes: readonly JournalLine[],
    records: readonly RecordOutput['record'][],
  ) => void;
  readonly log: (room: LocalNode, line: LogLine) => void;
}

export interface ExchangeOptions {
  readonly config: Config;
  readonly identity: Identity;
  readonly nonceKey: Uint8Array;
  readonly publicAddress: { readonly hosts: readonly [string, ...string[]]; readonly port: number };
  readonly mediaAddresses: readonly string[] | undefined;
}

/** vsp, voice and proxy in one process, with the real clock under them. */
export interface Exchange {
  /** The first thing a service hears: what the process before has kept. All have heard before anything that follows is carried. */
  restore(entries: Readonly<Record<LocalNode, readonly JournalEntry[]>>): void;
  post(to: LocalNode, input: Input): void;
  knowsReport(reportId: string): boolean;
  /** Calls alive. */
  calls(): number;
  /** Where a user is registered, the last to register first; times are monotonic. */
  bindingsOf(user: string): readonly Binding[];
  /** Calls that are not answered yet. */
  earlyCalls(): number;
  stop(): void;
}

export function createExchange(options: ExchangeOptions, world: World): Exchange {
  const { config } = options;
  const identity = (): Identity => options.identity;
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
    identity,
    publicAddress: options.publicAddress,
    ringMs: config.limits.ring_seconds * 1000,
    ...(options.mediaAddresses === undefined ? {} : { families: familiesOf(options.mediaAddresses) }),
    limits: { calls: config.limits.calls, callsPerUser: config.limits.calls_per_user },
  });
  const proxy = createProxy({
    random: systemRandom,
    epoch,
    identity,
    address: {
      hosts: options.publicAddress.hosts,
      udp: config.sip.udp,
      tcp: config.sip.tcp,
      ws: config.http.port,
    },
    nonceSecret: options.nonceKey,
    digest: config.sip.digest,
    limits: { contactsPerUser: config.limits.contacts_per_user },
  });

  const loop = new ServiceLoop<LocalNode, Input, Output, Kept>(
    { vsp, voice, proxy },
    {
      isKept: (output): output is Kept => output.type === 'journal' || output.type === 'record',
      keep: (room, unit) => {
        const changes = unit.filter((kept) => kept.type === 'journal');
        const records = unit.filter((kept) => kept.type === 'record');
        world.keep(
          room,
          changes,
          records.map(({ record }) => record),
        );
      },
      carry,
    },
  );
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function carry(from: LocalNode, output: Exclude<Output, Kept>): void {
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
    // voice first: what it ends and what it claims from media stands before the others speak of it.
    restore: (entries) => {
      for (const room of ['voice', 'vsp', 'proxy'] as const)
        loop.post(room, { type: 'restore', entries: entries[room] });
      run();
    },
    post: (to, input) => {
      if (stopped) return;
      loop.post(to, input);
      run();
    },
    knowsReport: (reportId) => vsp.hasReportId(reportId),
    calls: () => voice.size.calls,
    bindingsOf: (user) => proxy.bindingsOf(user, monotonic()),
    earlyCalls: () => voice.early,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
