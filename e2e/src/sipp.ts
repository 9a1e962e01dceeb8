import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerPath } from './peer-availability.ts';
import { CARRIER_HOST, udpBound } from './ports.ts';
import { eventClock, type PeerFormat } from './rtp-peer.ts';
import { type AudioDescription, audioOf, header, parseTrace, type TracedMessage } from './sip-trace.ts';
import { LIMIT_MS, pause, until, within } from './wait.ts';

const SCENARIOS = new URL('../scenarios/', import.meta.url);

/** What the test tells a running scenario to do next; the method that says so in each state (see the XML files). */
const STEER = {
  uas: { earlyMedia: 'PUBLISH', answer: 'MESSAGE', busy: 'REFER', noAnswer: 'SUBSCRIBE' },
  uac: { cancel: 'PUBLISH' },
  call: { hold: 'PUBLISH', unhold: 'MESSAGE', offerless: 'NOTIFY', bye: 'REFER' },
} as const;

export type Steer = keyof typeof STEER.uas | keyof typeof STEER.uac | keyof typeof STEER.call;

const methodOf = (step: Steer): string => ({ ...STEER.uas, ...STEER.uac, ...STEER.call })[step];

/**
 * The media lines that a scenario's session descriptions state. The called side answers with the payload types that it
 * was offered (RFC 3264 §6.1), read from the INVITE into variables.
 */
function mediaLines(role: 'uas' | 'uac', format: PeerFormat, rtpPort: number): string {
  const called = role === 'uas';
  const pt = called && format.codec === 'OPUS' ? '[$opusType]' : format.payloadType;
  const events = called ? '[$eventType]' : (format.eventPayloadType ?? 101);
  const codec = format.codec === 'OPUS' ? 'opus/48000/2' : `${format.codec}/8000`;
  return [
    `m=audio ${rtpPort} RTP/AVP ${pt} ${events}`,
    `a=rtpmap:${pt} ${codec}`,
    `a=rtpmap:${events} telephone-event/${eventClock(format.codec)}`,
    `a=fmtp:${events} 0-15`,
    'a=ptime:20',
  ].join('\n');
}

function render(role: 'uas' | 'uac', format: PeerFormat, rtpPort: number): string {
  const read = (name: string): string => readFileSync(new URL(name, SCENARIOS), 'utf8');
  const ourselves =
    role === 'uas'
      ? 'From:[$called];tag=[pid]carrier[call_number]\nTo:[$caller]'
      : 'From: "Carrier Caller" <sip:+15557770001@[local_ip]:[local_port]>;tag=[pid]carrier[call_number]\nTo:[$called]';
  const offered = (name: string, variable: string): string =>
    `<ereg regexp="a=rtpmap:([0-9]+) ${name}" search_in="msg" check_it="true" assign_to="unused,${variable}"/>`;
  const payloadTypes = [
    offered(`telephone-event/${eventClock(format.codec)}`, 'eventType'),
    ...(format.codec === 'OPUS' ? [offered('opus', 'opusType')] : []),
  ];
  return read(`${role}.xml`)
    .replace('@@PAYLOAD-TYPES@@', payloadTypes.join(''))
    .replace('@@INCALL@@', read('in-call.xml'))
    .replaceAll('@@LOCAL_REMOTE@@', ourselves)
    .replaceAll('@@MEDIA@@', mediaLines(role, format, rtpPort));
}

export interface SippOptions {
  /** `uas` waits for calls, `uac` makes one. */
  readonly role: 'uas' | 'uac';
  readonly port: number;
  /** Where the audio of its session descriptions lies. */
  readonly rtp: { readonly host: string; readonly port: number };
  readonly format: PeerFormat;
  /** uac: whom to call, and by which server. */
  readonly number?: string;
  readonly server?: { readonly host: string; readonly port: number };
}

/** One SIPp process for one call. Its messages are read back from its trace while it runs. */
export class Sipp {
  readonly port: number;
  readonly exited: Promise<number | null>;
  readonly #role: 'uas' | 'uac';
  readonly #folder: string;
  readonly #child: ChildProcess;
  #output = '';
  #steps = 0;

  private constructor(options: SippOptions, folder: string, child: ChildProcess) {
    this.port = options.port;
    this.#role = options.role;
    this.#folder = folder;
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('latin1')).slice(-4_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.once('error', () => resolve(-1));
    });
  }

  /** Starts it. A port that a passing socket of the system holds for a moment is tried again. */
  static async start(options: SippOptions): Promise<Sipp> {
    for (let tries = 1; ; tries++) {
      const sipp = Sipp.#spawn(options);
      if (await sipp.#isUp()) return sipp;
      const report = sipp.report();
      await sipp.stop();
      if (tries === 5 || !report.includes('Address already in use'))
        throw new Error(`SIPp ended at once:\n${report}`);
      await pause(500);
    }
  }

  static #spawn(options: SippOptions): Sipp {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-sipp-'));
    const scenario = join(folder, `${options.role}.xml`);
    writeFileSync(scenario, render(options.role, options.format, options.rtp.port));
    const server = options.server;
    const child = spawn(
      peerPath('sipp'),
      [
        ...(server === undefined ? [] : [`${server.host}:${server.port}`]),
        ...['-sf', scenario, '-i', CARRIER_HOST, '-p', String(options.port), '-m', '1', '-l', '1'],
        ...['-key', 'rtp_ip', options.rtp.host, '-key', 'number', options.number ?? '0'],
        ...['-nostdin', '-nd', '-trace_msg', '-message_file', join(folder, 'messages.log')],
        ...['-trace_err', '-error_file', join(folder, 'errors.log'), '-buff_size', '1000000'],
        ...['-default_behaviors', 'none', '-timeout', '180s'],
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    return new Sipp(options, folder, child);
  }

  /** SIPp does not say when it listens. The kernel's table of UDP sockets does, and it must not have ended since. */
  async #isUp(): Promise<boolean> {
    const ended = (): boolean => this.#child.exitCode !== null;
    await until(`SIPp to listen on ${this.port}`, () => ended() || udpBound(this.port), {
      detail: () => this.report(),
    });
    await pause(100);
    return !ended();
  }

  get messages(): readonly TracedMessage[] {
    try {
      return parseTrace(readFileSync(join(this.#folder, 'messages.log')));
    } catch {
      return [];
    }
  }

  /** Received messages with this method or status, steering messages of the test left out. */
  received(what: string): readonly TracedMessage[] {
    return this.messages.filter((m) => m.direction === 'received' && m.what === what && !isSteering(m));
  }

  sent(what: string): readonly TracedMessage[] {
    return this.messages.filter((m) => m.direction === 'sent' && m.what === what);
  }

  /** Waits for the `count`th received message of this method or status. */
  async gets(what: string, count = 1, limitMs: number = LIMIT_MS): Promise<TracedMessage> {
    return await until(`SIPp to receive ${what} (${count})`, () => this.received(what)[count - 1], {
      limitMs,
      detail: () => this.report(),
    });
  }

  async says(what: string, count = 1): Promise<TracedMessage> {
    return await until(`SIPp to send ${what} (${count})`, () => this.sent(what)[count - 1], {
      detail: () => this.report(),
    });
  }

  /** The other side's audio, from the first INVITE (uas) or the newest answer (uac) it sent us. */
  async remoteAudio(): Promise<AudioDescription> {
    const wanted = this.#role === 'uas' ? ['INVITE'] : ['200', '183'];
    return await until(
      'a session description at SIPp',
      () => {
        const all = wanted.flatMap((what) => this.received(what)).filter((m) => m.body.includes('m=audio'));
        const last = all[all.length - 1];
        return last === undefined ? undefined : audioOf(last.body);
      },
      { detail: () => this.report() },
    );
  }

  /** Tells the scenario what to do next. */
  async steer(step: Steer): Promise<void> {
    const first = this.messages.find((m) => m.what === 'INVITE');
    const callId = first === undefined ? undefined : header(first, 'call-id');
    if (callId === undefined) throw new Error(`no call to steer (${step})\n${this.report()}`);
    const method = methodOf(step);
    const count = ++this.#steps;
    const text = [
      `${method} sip:steer@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKsteer${count}`,
      'From: <sip:steer@127.0.0.1>;tag=steer',
      'To: <sip:steer@127.0.0.1>',
      `Call-ID: ${callId}`,
      `CSeq: ${count} ${method}`,
      'Max-Forwards: 1',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.send(text, this.port, CARRIER_HOST, () => resolve()));
    socket.close();
    await until(
      `SIPp to take the step ${step}`,
      () => this.messages.filter((m) => m.direction === 'received' && isSteering(m)).length >= count,
      { detail: () => this.report() },
    );
  }

  /** Waits for the end of the scenario; it must have gone as written. */
  async finishes(limitMs: number = LIMIT_MS): Promise<void> {
    const code = await within('the SIPp scenario to end', this.exited, limitMs).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.report()}`);
    });
    if (code !== 0) throw new Error(`SIPp ended with ${code}\n${this.report()}`);
  }

  /** What happened, for a failure's message. */
  report(): string {
    let errors = '';
    for (const name of safeList(this.#folder))
      if (name.startsWith('errors')) errors += readFileSync(join(this.#folder, name), 'utf8').slice(-2_000);
    const ladder = this.messages.map((m) => {
      const direction = audioOf(m.body)?.direction;
      return `  ${m.direction === 'sent' ? '<-' : '->'} ${m.startLine}${direction === undefined ? '' : ` [${direction}]`}`;
    });
    return [`SIPp ${this.#role} on ${this.port}:`, ...ladder, errors, this.#output].join('\n');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await this.exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const isSteering = (message: TracedMessage): boolean => message.startLine.includes(' sip:steer@');

function safeList(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
