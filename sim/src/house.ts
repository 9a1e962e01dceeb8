import type { LogLine, Random } from '@sidetone/core';
import { ServiceLoop } from '@sidetone/core';
import { createProxy, type ProxyInput, type ProxyOutput } from '@sidetone/proxy';
import { type Flow, type LocalNode, parseMessage, writeMessage } from '@sidetone/sip';
import { createVoice, type VoiceInput, type VoiceOutput } from '@sidetone/voice';
import { createVsp, type VspInput, type VspOutput } from '@sidetone/vsp';
import type { CallRecord, Directory } from '@sidetone/wire';
import { PretendEngine } from './engine.ts';
import type { World } from './world.ts';

type Input = VspInput | VoiceInput | ProxyInput;
type Output = VspOutput | VoiceOutput | ProxyOutput;

/** Our own address on the simulated network. */
export const HOUSE = { host: '192.0.2.1', port: 5060 };

export interface HouseOptions {
  readonly world: World;
  readonly random: Random;
  readonly directory: Directory;
  readonly mediaFailureRate: number;
  /** Bytes towards a peer of the network. */
  readonly send: (bytes: Uint8Array, flow: Flow) => void;
  /** A frame towards a client. */
  readonly frame: (socket: string, text: string) => void;
  readonly closeSocket: (socket: string) => void;
  /** Does the peer with this ICE user name send media? */
  readonly speaks: (ufrag: string) => boolean;
  /** Calls live on this socket: a dead line there is noticed. */
  readonly watch: (socket: string, on: boolean) => void;
}

/** The whole signalling side of the product on virtual time: vsp, voice and proxy, with a pretend media engine. */
export class House {
  readonly records: CallRecord[] = [];
  readonly warnings: LogLine[] = [];
  readonly engine: PretendEngine;
  readonly #options: HouseOptions;
  readonly #vsp;
  readonly #voice;
  readonly #proxy;
  readonly #loop: ServiceLoop<LocalNode, Input, Output>;
  #armedFor: number | null = null;

  constructor(options: HouseOptions) {
    this.#options = options;
    const { world, random, directory } = options;
    const epoch = (): number => 1_700_000_000_000 + Math.round(world.now);
    this.#vsp = createVsp({ random, epoch, domain: directory.domain, region: 'sim', dc: 'sim' });
    this.#voice = createVoice({ random, epoch, directory: () => directory, publicAddress: HOUSE });
    this.#proxy = createProxy({
      random,
      epoch,
      directory: () => directory,
      address: { host: HOUSE.host, udp: HOUSE.port },
      nonceSecret: random.bytes(32),
    });
    this.#loop = new ServiceLoop<LocalNode, Input, Output>(
      { vsp: this.#vsp, voice: this.#voice, proxy: this.#proxy },
      (from, output) => this.#carry(from, output),
      100_000,
    );
    this.engine = new PretendEngine(world, random, options.mediaFailureRate, options.speaks, (event) =>
      this.post('voice', { type: 'mediaEvent', event }),
    );
  }

  post(to: LocalNode, input: Input): void {
    this.#loop.post(to, input);
    this.#run();
  }

  /** Bytes that arrive on our SIP port. */
  datagram(bytes: Uint8Array, flow: Flow): void {
    const parsed = parseMessage(bytes);
    if (parsed.ok) this.post('proxy', { type: 'sip', message: parsed.value, flow });
  }

  /** Calls and transactions still alive, and legs media still has. */
  leftOver(): {
    vsp: number;
    calls: number;
    voice: number;
    proxy: number;
    legs: number;
    deadline: number | null;
  } {
    const { calls, media, dialogs } = this.#voice.size;
    return {
      vsp: this.#vsp.size,
      calls,
      voice: calls + media + dialogs,
      proxy: this.#proxy.size,
      legs: this.engine.legs.size,
      deadline: this.#loop.deadline(),
    };
  }

  #run(): void {
    const { world } = this.#options;
    this.#loop.run(world.now);
    const due = this.#loop.deadline();
    if (due === null || (this.#armedFor !== null && this.#armedFor <= due && this.#armedFor > world.now))
      return;
    this.#armedFor = due;
    world.after(Math.max(0, due - world.now), () => {
      this.#armedFor = null;
      this.#run();
    });
  }

  #carry(from: LocalNode, output: Output): void {
    const { world, random } = this.#options;
    switch (output.type) {
      case 'sip':
        if (output.flow.transport === 'local') {
          this.#loop.post(output.flow.node, {
            type: 'sip',
            message: output.message,
            flow: { transport: 'local', node: from },
          });
        } else {
          const { message } = output;
          world.note(
            `house → ${message.kind === 'request' ? message.method : `${message.status} ${message.headers.cseq.method}`}`,
          );
          this.#options.send(writeMessage(message), output.flow);
        }
        return;
      case 'frame':
        return this.#options.frame(output.socket, output.text);
      case 'close':
        return this.#options.closeSocket(output.socket);
      case 'watch':
        return this.#options.watch(output.socket, output.on);
      case 'authenticate': {
        const { credentials } = output;
        const user = credentials.kind === 'password' ? credentials.login : '';
        const known = this.#options.directory.connections.find((c) => c.user_name === user);
        const good = credentials.kind === 'password' && known?.password === credentials.password;
        world.after(1 + random.int(10), () =>
          this.post('vsp', {
            type: 'authenticated',
            request: output.request,
            result: good ? { ok: true, user } : { ok: false, why: 'Login Incorrect' },
          }),
        );
        return;
      }
      case 'lookup': {
        const password = this.#options.directory.connections.find(
          (c) => c.user_name === output.user,
        )?.password;
        world.after(1, () =>
          this.post('proxy', {
            type: 'credentials',
            request: output.request,
            result: password === undefined ? null : { password },
          }),
        );
        return;
      }
      case 'media':
        return this.engine.command(output.command, (reply) =>
          this.post('voice', { type: 'media', id: output.id, reply }),
        );
      case 'record':
        world.note(`record ${output.record.kind} ${output.record.cause} by ${output.record.ended_by}`);
        this.records.push(output.record);
        return;
      case 'log':
        if (output.level === 'warn' || output.level === 'error') this.warnings.push(output);
        return;
    }
  }
}
