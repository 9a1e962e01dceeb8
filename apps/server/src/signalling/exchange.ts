import { type JournalEntry, type JournalLine, type LogLine, type Ms, ServiceLoop } from '@sidetone/core';
import { type Binding, createProxy, type ProxyInput, type ProxyOutput } from '@sidetone/proxy';
import type { Flow, LocalNode, SipMessage } from '@sidetone/sip';
import {
  type ConferenceReads,
  createVoice,
  type QueueReads,
  type VoiceInput,
  type VoiceOptions,
  type VoiceOutput,
} from '@sidetone/voice';
import { createVsp, type VspInput, type VspOutput } from '@sidetone/vsp';
import {
  createWebhooks,
  type Post,
  type StoreItem,
  type Webhooks,
  type WebhooksInput,
  type WebhooksOutput,
} from '@sidetone/webhooks';
import type { Command, CommandResult, Identity, LegView } from '@sidetone/wire';
import { epoch, monotonic } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { familiesOf } from '../net/listen-hosts.ts';
import { systemRandom } from '../system-random.ts';
import { CommandDesk } from './command-desk.ts';
import { Door, type Incoming } from './door.ts';

type Input = VspInput | VoiceInput | ProxyInput | WebhooksInput;
type Output = VspOutput | VoiceOutput | ProxyOutput | WebhooksOutput;

/** The services; those that speak SIP are nodes of it. */
export type Room = LocalNode | 'webhooks';

type RecordOutput = Extract<VoiceOutput, { type: 'record' }>;
type ToKeep = JournalLine | RecordOutput;

/** A line of the journal of a room. */
export type Kept = Omit<JournalLine, 'type'> & { readonly room: Room };

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
  /** Answered by a `sound` input with its id. */
  readonly sound: (output: Extract<VoiceOutput, { type: 'sound' }>) => void;
  /** Answered by a `saved` input with its id. */
  readonly save: (output: Extract<VoiceOutput, { type: 'save' }>) => void;
  /** How long the oldest media command has waited for its reply. */
  readonly mediaLag: () => Ms;
  /** What has changed and finished, as one unit. Must be written when this returns: what leaves follows. */
  readonly keep: (changes: readonly Kept[], records: readonly RecordOutput['record'][]) => void;
  /** A request to a back end; answered by a `posted` input of webhooks. */
  readonly post: (post: Post) => void;
  readonly store: (item: StoreItem) => void;
  readonly log: (room: Room, line: LogLine) => void;
}

export interface ExchangeOptions {
  readonly config: Config;
  readonly identity: Identity;
  readonly nonceKey: Uint8Array;
  readonly publicAddress: { readonly hosts: readonly [string, ...string[]]; readonly port: number };
  readonly mediaAddresses: readonly string[] | undefined;
}

/** The services in one process, with the real clock under them. */
export interface Exchange {
  /** The first thing a service hears: what the process before has kept. All have heard before anything that follows is carried. */
  restore(entries: Readonly<Record<Room, readonly JournalEntry[]>>): void;
  post(to: Room, input: Input): void;
  /** What has come in by a socket: it waits its turn (`door.ts`). */
  arrived(incoming: Incoming): void;
  /** Calls back when that has been handled. */
  behind(then: () => void): void;
  knowsReport(reportId: string): boolean;
  /** A back end's command, answered in this very turn: what it changed is in the journal when this returns. */
  command(command: Command): CommandResult;
  /** A leg of the account by its `call_control_id`. */
  leg(account: string, control: string): LegView | undefined;
  /** The living legs of a connection or application of the account. */
  legsOf(account: string, connection: string): readonly LegView[];
  readonly conferences: ConferenceReads;
  readonly queues: QueueReads;
  /** Calls alive. */
  calls(): number;
  /** Where a user is registered, the last to register first; times are monotonic. */
  bindingsOf(user: string): readonly Binding[];
  /** Calls that are not answered yet. */
  earlyCalls(): number;
  /** Events that are not told yet, and requests under way. */
  webhooks(): Webhooks['size'];
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
    l16BigEndian: config.streams.l16_byte_order === 'big',
    ...speechToText(config.transcription),
    ...(options.mediaAddresses === undefined ? {} : { families: familiesOf(options.mediaAddresses) }),
    limits: {
      calls: config.limits.calls,
      callsPerUser: config.limits.calls_per_user,
      mediaPorts: config.media.ports[1] - config.media.ports[0] + 1,
    },
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

  const webhooks = createWebhooks({ epoch });

  const loop = new ServiceLoop<Room, Input, Output, ToKeep>(
    { vsp, voice, proxy, webhooks },
    {
      isKept: (output): output is ToKeep => output.type === 'journal' || output.type === 'record',
      keep: (room, unit) => {
        for (const kept of unit) {
          if (kept.type === 'record') records.push(kept.record);
          else lines.set(`${room} ${kept.key}`, { room, key: kept.key, value: kept.value });
        }
      },
      carry,
    },
  );
  /** Lines of this run, the last of each key; then records; then what goes out. */
  let lines = new Map<string, Kept>();
  let records: RecordOutput['record'][] = [];
  let leaving: (() => void)[] = [];
  const commands = new CommandDesk();
  let timer: NodeJS.Timeout | undefined;
  /** When `timer` goes off. */
  let armed: Ms | null = null;
  let stopped = false;

  /**
   * Lines and records are written before anything leaves that the same run brought about, all as one unit. So a peer never knows more
   * than the next process will, and a record is never lost to a death between it and the line that says that its call is no more.
   */
  function settle(): void {
    while (lines.size + records.length + leaving.length > 0) {
      const [changes, ended, outputs] = [[...lines.values()], records, leaving];
      lines = new Map();
      records = [];
      leaving = [];
      if (changes.length + ended.length > 0) world.keep(changes, ended);
      for (const output of outputs) output();
    }
  }

  function carry(from: Room, output: Exclude<Output, ToKeep>): void {
    switch (output.type) {
      case 'sip':
        if (output.flow.transport === 'local') {
          loop.post(output.flow.node, {
            type: 'sip',
            message: output.message,
            // Webhooks send no SIP.
            flow: { transport: 'local', node: from as LocalNode },
          });
        } else leaving.push(() => world.sip(output.message, output.flow));
        return;
      case 'dialog':
        return loop.post('proxy', output);
      // In the same run, so that its line is in the unit of what has changed.
      case 'event':
        return loop.post('webhooks', output);
      case 'log':
        return world.log(from, output);
      case 'commandDone':
        return commands.done(output.request, output.result);
      default:
        leaving.push(() => deliver(output));
    }
  }

  function deliver(
    output: Exclude<Output, ToKeep | { type: 'sip' | 'dialog' | 'event' | 'log' | 'commandDone' }>,
  ): void {
    switch (output.type) {
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
      case 'post':
        return world.post(output);
      case 'store':
        return world.store(output.item);
      case 'sound':
        return world.sound(output);
      case 'save':
        return world.save(output);
    }
  }

  function run(): void {
    if (stopped) return;
    loop.run(monotonic());
    settle();
    const due = loop.deadline();
    // Most inputs leave the next deadline as it is; a timer anew for each would cost more than many of them.
    if (due === armed) return;
    clearTimeout(timer);
    armed = due;
    if (due !== null) timer = setTimeout(awake, Math.min(Math.max(0, due - monotonic()), 60_000));
  }

  function awake(): void {
    armed = null;
    run();
  }

  const post = (to: Room, input: Input): void => {
    if (stopped) return;
    loop.post(to, input);
    run();
  };

  /** A refusal changes nothing that the services keep, so it needs no run of them. */
  function refuse(incoming: Incoming): boolean {
    if (incoming.kind === 'frame') {
      const text = vsp.turns.refusal(incoming.socket, incoming.text);
      if (text !== null) world.frame(incoming.socket, text);
      return text !== null;
    }
    const away = proxy.turns.refusal(incoming.message, incoming.flow, monotonic());
    if (away === null) return false;
    world.sip(away.message, away.flow);
    return true;
  }

  const door = new Door({
    now: monotonic,
    lag: world.mediaLag,
    source: (incoming) =>
      incoming.kind === 'frame'
        ? vsp.turns.of(incoming.socket, incoming.text)
        : proxy.turns.of(incoming.message, incoming.flow, monotonic()),
    handle: (incoming, late) => {
      if (stopped || (late && refuse(incoming))) return;
      if (incoming.kind === 'sip') post('proxy', { type: 'sip', ...incoming, late });
      else post('vsp', { type: 'frame', ...incoming });
    },
  });

  return {
    // voice first: what it ends and what it claims from media stands before the others speak of it.
    restore: (entries) => {
      for (const room of ['voice', 'vsp', 'proxy', 'webhooks'] as const)
        loop.post(room, { type: 'restore', entries: entries[room] });
      run();
    },
    post,
    arrived: (incoming) => {
      if (incoming.kind === 'sip' && proxy.turns.isNobodys(incoming.message, incoming.flow)) return;
      door.arrived(incoming);
    },
    behind: (then) => door.behind(then),
    command: (command) =>
      stopped
        ? { ok: false, refusal: { why: 'busy', detail: 'This process is being replaced; try again.' } }
        : commands.ask((request) => post('voice', { type: 'command', request, command })),
    leg: (account, control) => {
      const leg = voice.legOf(control);
      return leg?.account === account ? leg : undefined;
    },
    legsOf: (account, connection) => voice.legsOf(connection).filter((leg) => leg.account === account),
    conferences: voice.conferences,
    get queues() {
      return voice.queues(monotonic());
    },
    knowsReport: (reportId) => vsp.hasReportId(reportId),
    calls: () => voice.size.calls,
    bindingsOf: (user) => proxy.bindingsOf(user, monotonic()),
    earlyCalls: () => voice.early,
    webhooks: () => webhooks.size,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

const speechToText = ({ url, token }: Config['transcription']): Pick<VoiceOptions, 'speechToText'> =>
  url === undefined ? {} : { speechToText: { url, ...(token === undefined ? {} : { token }) } };
