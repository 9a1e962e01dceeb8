import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baresipModules, peerPath } from './peer-availability.ts';
import { CARRIER_HOST, freePort, freeRange } from './ports.ts';
import { measureTone, NO_TONE, sine, type Tone } from './tone.ts';
import { LIMIT_MS, until } from './wait.ts';
import { readWav, writeWav } from './wav.ts';

export interface BaresipEvent {
  /** CALL_INCOMING, CALL_RINGING, CALL_PROGRESS, CALL_ESTABLISHED, CALL_CLOSED, CALL_DTMF_START … */
  readonly type: string;
  readonly param: string;
  readonly peeruri: string;
}

export interface BaresipAccount {
  /** User part of its address; the dialled number must equal it. */
  readonly user: string;
  readonly answer: 'manual' | 'early' | 'auto';
  readonly codecs?: string;
  /** It registers with this server as a user of ours; without, it is a peer at its address. */
  /** It does not register, and sends everything by the server at this port. */
  readonly by?: number;
  readonly registers?: { readonly domain: string; readonly sipPort: number; readonly password: string };
}

const MODULES = ['ctrl_tcp', 'g711', 'opus', 'aufile', 'aubridge', 'sndfile', 'uuid'];

/** baresip without a sound card: says 440 Hz from a file, writes what it hears to another. */
export class Baresip {
  readonly port: number;
  readonly events: BaresipEvent[] = [];
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #replies = new Map<string, (reply: { ok: boolean; data: string }) => void>();
  #control: Socket | undefined;
  #output = '';
  #tokens = 0;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('latin1')).slice(-4_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.#exited = new Promise((resolve) => child.once('exit', resolve));
  }

  /** Starts it on `port` with its accounts; calls it makes come from the first. */
  static async start(port: number, accounts: readonly BaresipAccount[]): Promise<Baresip> {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-baresip-'));
    const control = await freePort();
    const [rtpFirst, rtpLast] = await freeRange(40);
    const tone = join(folder, 'tone.wav');
    writeWav(tone, sine(440, 48_000, 48_000 * 60), 48_000);
    mkdirSync(join(folder, 'recorded'));
    writeFileSync(
      join(folder, 'config'),
      [
        `sip_listen ${CARRIER_HOST}:${port}`,
        'sip_trans_def udp',
        `audio_source aufile,${tone}`,
        'audio_player aubridge,nowhere',
        'ausrc_srate 48000',
        'auplay_srate 48000',
        'ausrc_channels 1',
        'auplay_channels 1',
        'call_max_calls 4',
        'statmode_default off',
        `rtp_ports ${rtpFirst}-${rtpLast}`,
        `module_path ${baresipModules()}`,
        ...MODULES.map((name) => `module ${name}.so`),
        'module_tmp account.so',
        'module_app menu.so',
        `ctrl_tcp_listen 127.0.0.1:${control}`,
        `snd_path ${join(folder, 'recorded')}`,
        '',
      ].join('\n'),
    );
    const account = ({ user, answer, codecs, registers, by }: BaresipAccount): string =>
      [
        `<sip:${user}@${registers?.domain ?? `${CARRIER_HOST}:${port}`}>`,
        ...(registers === undefined
          ? ['regint=0', ...(by === undefined ? [] : [`outbound="sip:127.0.0.1:${by}"`])]
          : [
              `auth_user=${user};auth_pass=${registers.password}`,
              `outbound="sip:127.0.0.1:${registers.sipPort}";regint=60`,
            ]),
        `answermode=${answer}`,
        `audio_codecs=${codecs ?? 'opus/48000/2,PCMU/8000/1'}\n`,
      ].join(';');
    writeFileSync(join(folder, 'accounts'), accounts.map(account).join(''));
    writeFileSync(join(folder, 'contacts'), '');
    writeFileSync(join(folder, 'uuid'), '1a2b3c4d-0000-4000-8000-000000000001');
    const child = spawn(peerPath('baresip'), ['-f', folder], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const baresip = new Baresip(port, folder, child);
    await baresip.#attach(control);
    return baresip;
  }

  async #attach(port: number): Promise<void> {
    this.#control = await until(
      'the control port of baresip',
      () =>
        new Promise<Socket | undefined>((resolve) => {
          if (this.#child.exitCode !== null) throw new Error(`baresip ended:\n${this.#output}`);
          const socket = connect(port, '127.0.0.1', () => resolve(socket));
          socket.once('error', () => resolve(undefined));
        }),
      { everyMs: 100, detail: () => this.#output },
    );
    let pending = '';
    this.#control.on('error', () => undefined);
    this.#control.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (;;) {
        const colon = pending.indexOf(':');
        const length = Number(pending.slice(0, colon));
        if (colon < 1 || pending.length < colon + length + 2) return;
        this.#message(pending.slice(colon + 1, colon + 1 + length));
        pending = pending.slice(colon + length + 2);
      }
    });
  }

  #message(text: string): void {
    const message = JSON.parse(text) as Record<string, unknown>;
    if (message['event'] === true && message['type'] !== 'CALL_RTCP')
      this.events.push({
        type: String(message['type'] ?? ''),
        param: String(message['param'] ?? ''),
        peeruri: String(message['peeruri'] ?? ''),
      });
    else if (message['response'] === true)
      this.#replies.get(String(message['token']))?.({
        ok: message['ok'] === true,
        data: String(message['data'] ?? ''),
      });
  }

  /** Sends a command of its menu (`accept`, `dial`, `hangup`, `hold`, `resume`, `sndcode`). */
  async command(command: string, params = ''): Promise<string> {
    const token = `t${++this.#tokens}`;
    let reply: { ok: boolean; data: string } | undefined;
    this.#replies.set(token, (value) => (reply = value));
    const text = JSON.stringify({ command, params, token });
    this.#control?.write(`${text.length}:${text},`);
    const answered = await until(`baresip's reply to ${command}`, () => reply, {
      detail: () => this.report(),
    });
    return answered.data;
  }

  /** Waits for the `count`th event of a type. */
  async sees(type: string, count = 1): Promise<BaresipEvent> {
    return await until(
      `baresip event ${type} (${count})`,
      () => this.events.filter((event) => event.type === type)[count - 1],
      { limitMs: LIMIT_MS, detail: () => this.report() },
    );
  }

  /** Waits for the answer to its REGISTER, which may come before its control port is there. */
  async registered(): Promise<void> {
    await until('baresip to register', () => this.#output.includes('200 OK ()'), {
      detail: () => this.report(),
    });
  }

  /** Digits as they began at baresip. */
  get digits(): string {
    return this.events
      .filter((event) => event.type === 'CALL_DTMF_START')
      .map((event) => event.param)
      .join('');
  }

  /** Forgets the events, so that counts begin anew. */
  forget(): void {
    this.events.length = 0;
  }

  /** Its newest recording of what it heard (`dec`). */
  #recording(): { readonly samples: Int16Array; readonly rate: number } {
    const folder = join(this.#folder, 'recorded');
    const newest = readdirSync(folder)
      .filter((name) => name.endsWith('-dec.wav'))
      .sort()
      .at(-1);
    return newest === undefined ? { samples: new Int16Array(0), rate: 0 } : readWav(join(folder, newest));
  }

  /** The tone at the end of its newest recording. */
  tone(): Tone {
    const { samples, rate } = this.#recording();
    if (rate === 0 || samples.length < 4_096) return NO_TONE;
    return measureTone(samples.subarray(-Math.floor(rate * 0.7)), rate);
  }

  /** Waits until `hz` is not heard any more: another sound, silence, or a recording that stopped growing. */
  async losesTone(hz: number): Promise<void> {
    let length = -1;
    await until(
      `baresip to stop hearing ${hz} Hz`,
      () => {
        const tone = this.tone();
        const before = length;
        length = this.#recording().samples.length;
        return length === before || Math.abs(tone.hz - hz) > hz * 0.02 || tone.level < 0.005;
      },
      { everyMs: 500, detail: () => `${JSON.stringify(this.tone())}\n${this.report()}` },
    );
  }

  /** Makes an account the one that commands act for. */
  async select(user: string): Promise<void> {
    await this.command('uafind', `sip:${user}@${CARRIER_HOST}:${this.port}`);
  }

  /** Ends every call, whatever state it is in, and forgets the events. */
  async clear(): Promise<void> {
    for (let i = 0; i < 4; i++) await this.command('hangup').catch(() => '');
    this.forget();
  }

  async hears(hz: number): Promise<Tone> {
    let last: Tone | undefined;
    return await until(
      `${hz} Hz at baresip`,
      () => {
        last = this.tone();
        return Math.abs(last.hz - hz) <= hz * 0.02 && last.level > 0.02 ? last : undefined;
      },
      { everyMs: 200, detail: () => `heard ${JSON.stringify(last)}\n${this.report()}` },
    );
  }

  report(): string {
    const events = this.events.map((event) => `  ${event.type} ${event.param}`);
    return ['baresip:', ...events, this.#output].join('\n');
  }

  async stop(): Promise<void> {
    this.#control?.destroy();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await this.#exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
