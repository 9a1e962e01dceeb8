import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Debian's `janus` puts its modules. */
const MODULES = '/usr/lib/x86_64-linux-gnu/janus';
const OTHERS = 'duktape echotest lua nosip recordplay sip streaming textroom videocall videoroom voicemail'
  .split(' ')
  .map((name) => `libjanus_${name}.so`)
  .join(',');
const ROOM = 77;

type Json = Readonly<Record<string, unknown>>;

/** Debian's Janus with its AudioBridge, the conference that decodes and encodes for each member, commanded by HTTP on the loopback. */
export class Janus {
  readonly process: ChildProcess;
  readonly #folder: string;
  readonly #url: string;
  #session = '';
  #joined: ((port: number) => void) | undefined;
  #stopped = false;

  private constructor(process: ChildProcess, folder: string, url: string) {
    this.process = process;
    this.#folder = folder;
    this.#url = url;
  }

  static async start(path: string, httpPort: number, rate: number): Promise<Janus> {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-janus-'));
    writeFileSync(
      join(folder, 'janus.jcfg'),
      `general: { configs_folder = "${folder}" plugins_folder = "${MODULES}/plugins" transports_folder = "${MODULES}/transports"
        events_folder = "${folder}" loggers_folder = "${folder}" interface = "127.0.0.1" debug_level = 2 }
      plugins: { disable = "${OTHERS}" }
      transports: { disable = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so,libjanus_websockets.so" }`,
    );
    writeFileSync(
      join(folder, 'janus.transport.http.jcfg'),
      `general: { json = "compact" base_path = "/janus" http = true port = ${httpPort} ip = "127.0.0.1" https = false }
      admin: { admin_http = false }`,
    );
    writeFileSync(
      join(folder, 'janus.plugin.audiobridge.jcfg'),
      'general: { local_ip = "127.0.0.1" rtp_port_range = "14000-16999" }',
    );
    const child = spawn(path, ['-F', folder], { stdio: 'ignore' });
    const janus = new Janus(child, folder, `http://127.0.0.1:${httpPort}/janus`);
    try {
      await janus.#open(rate);
    } catch (error) {
      janus.stop();
      throw error;
    }
    return janus;
  }

  /** The port at which Janus hears a member that is at `port`. */
  async join(codec: 'pcmu' | 'opus', port: number, payloadType: number): Promise<number> {
    const handle = await this.#attach();
    const joined = new Promise<number>((resolve) => {
      this.#joined = resolve;
    });
    await this.#post(`/${this.#session}/${handle}`, {
      janus: 'message',
      body: {
        request: 'join',
        room: ROOM,
        codec,
        rtp: { ip: '127.0.0.1', port, payload_type: payloadType },
      },
    });
    return joined;
  }

  stop(): void {
    this.#stopped = true;
    this.process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #open(rate: number): Promise<void> {
    for (let tries = 0; this.#session === ''; tries++) {
      try {
        this.#session = idOf(await this.#post('', { janus: 'create' }));
      } catch (error) {
        if (tries > 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const handle = await this.#attach();
    await this.#post(`/${this.#session}/${handle}`, {
      janus: 'message',
      body: {
        request: 'create',
        room: ROOM,
        sampling_rate: rate,
        allow_rtp_participants: true,
        audiolevel_event: false,
        audiolevel_ext: false,
      },
    });
    void this.#listen();
  }

  async #attach(): Promise<string> {
    return idOf(
      await this.#post(`/${this.#session}`, { janus: 'attach', plugin: 'janus.plugin.audiobridge' }),
    );
  }

  /** Events come one after the other by long polls, which keep the session, too. */
  async #listen(): Promise<void> {
    while (!this.#stopped) {
      try {
        const reply = await fetch(`${this.#url}/${this.#session}?maxev=1`);
        const text = await reply.text();
        const port = /"audiobridge":"joined".*"rtp":\{[^}]*"port":(\d+)/.exec(text)?.[1];
        if (port !== undefined) this.#joined?.(Number(port));
      } catch {
        if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async #post(path: string, body: Json): Promise<string> {
    const reply = await fetch(this.#url + path, {
      method: 'POST',
      body: JSON.stringify({ ...body, transaction: 't' }),
    });
    const text = await reply.text();
    if (!/"janus":"(success|ack)"/.test(text)) throw new Error(`janus: ${text}`);
    return text;
  }
}

/** Ids have more digits than a number of ours keeps. */
const idOf = (text: string): string => /"data":\{"id":(\d+)\}/.exec(text)?.[1] ?? '';
