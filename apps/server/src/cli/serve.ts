import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { createLog } from '../log.ts';
import { isBindable, machineAddresses } from '../net/addresses.ts';
import { hostsOf } from '../net/listen-hosts.ts';
import { listenAdmin } from '../supervise/admin-server.ts';
import { socketPath } from '../supervise/data-sockets.ts';
import type { FromChild, SignallingStart } from '../supervise/messages.ts';
import { type ChildPlan, Supervisor } from '../supervise/supervisor.ts';
import { bannerText, httpAddress } from './banner.ts';
import { fail } from './fail.ts';
import { handoverCommand } from './handover-command.ts';

/** What all processes are started with; the addresses of media are known here. */
type Running = SignallingStart & Required<Pick<SignallingStart, 'mediaAddresses'>>;

/** `sidetone serve`: runs the product until SIGTERM or SIGINT, then ends every process it started and exits 0. */
export async function serve(options: {
  readonly config: string | undefined;
  readonly data: string;
}): Promise<void> {
  const loaded = loadConfig(options.config);
  if (!loaded.ok) return fail(loaded.error);
  const config = loaded.value;
  const dataDir = resolve(options.data);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    return fail(
      `cannot make the data folder ${dataDir} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
  const mediaSocket = socketPath(dataDir, 'media');
  const adminSocket = socketPath(dataDir, 'admin');
  const running = { config, dataDir, mediaSocket, mediaAddresses: await mediaAddresses(config) };
  const supervisor = supervisorOf(running, adminSocket);
  try {
    const handover = handoverCommand({ supervisor, plan: signalling, config: options.config, running });
    await listenAdmin(adminSocket, { handover });
  } catch (error) {
    return fail((error as Error).message);
  }
  supervisor.start(media(running));
  supervisor.start(signalling(running));
}

/** A supervisor that says once when all is ready, and ends with this process. */
function supervisorOf({ config, dataDir, mediaAddresses }: Running, adminSocket: string): Supervisor {
  let stopping: Promise<void> | undefined;
  let announced = false;
  const supervisor = new Supervisor(createLog('supervisor', config.log.level), {
    ready: (name, message) => {
      if (name !== 'signalling' || announced) return;
      announced = true;
      announce(config, dataDir, mediaAddresses, message);
    },
    refused: (_name, sentence) => {
      fail(sentence);
      void stop(1);
    },
  });
  const stop = (code: number): Promise<void> =>
    (stopping ??= supervisor.stop().then(() => {
      rmSync(adminSocket, { force: true });
      process.exit(code);
    }));
  process.on('SIGTERM', () => void stop(0));
  process.on('SIGINT', () => void stop(0));
  return supervisor;
}

const signalling = (start: SignallingStart): ChildPlan => ({
  name: 'signalling',
  entry: new URL('../signalling/signalling-process.ts', import.meta.url),
  args: [],
  hello: { type: 'start-signalling', start },
  lastResort: { type: 'start-signalling', start: { ...start, afresh: true } },
});

const media = ({ config, dataDir, mediaSocket, mediaAddresses }: Running): ChildPlan => ({
  name: 'media',
  entry: new URL('../media/media-process.ts', import.meta.url),
  args: [
    JSON.stringify({
      controlSocket: mediaSocket,
      dataDir,
      addresses: mediaAddresses,
      publicAddress: config.media.public_address,
      tcpPort: config.media.tcp_port,
      ports: config.media.ports,
      allow: config.webhooks.allow,
      rtpTimeoutMs: config.media.rtp_timeout_seconds * 1000,
      logLevel: config.log.level,
    }),
  ],
  hello: undefined,
});

function announce(
  config: Config,
  dataDir: string,
  addresses: readonly string[],
  ready: Extract<FromChild, { type: 'ready' }>,
): void {
  process.stdout.write(
    `${bannerText(config, dataDir, addresses, ready.users, onPath('espeak-ng'))}\nready ${httpAddress(config)}\n`,
  );
}

/** Is there a program of this name where the system looks for programs? */
const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, program)));

async function mediaAddresses(config: Config): Promise<readonly string[]> {
  const { address } = config.media;
  if (address !== 'auto') return hostsOf(address);
  const all = machineAddresses();
  const usable = await Promise.all(all.map(isBindable));
  return all.filter((_, i) => usable[i]);
}
