import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { createLog } from '../log.ts';
import { machineAddresses } from '../net/addresses.ts';
import type { FromChild } from '../supervise/messages.ts';
import { Supervisor } from '../supervise/supervisor.ts';
import { bannerText, httpAddress } from './banner.ts';
import { fail } from './fail.ts';

/** Unix socket paths are limited to about 100 bytes. */
const LONGEST_SOCKET_PATH = 100;

/** `sidetone serve`: runs the product until SIGTERM or SIGINT, then ends every process it started and exits 0. */
export function serve(options: { readonly config: string | undefined; readonly data: string }): void {
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
  const log = createLog('supervisor', config.log.level);
  const mediaSocket = controlSocketPath(dataDir);
  const addresses = mediaAddresses(config);
  let stopping: Promise<void> | undefined;
  let announced = false;

  const supervisor = new Supervisor(log, {
    ready: (name, message) => {
      if (name === 'signalling' && !announced) {
        announced = true;
        announce(config, dataDir, addresses, message);
      }
    },
    refused: (_name, sentence) => {
      fail(sentence);
      void stop(1);
    },
  });

  const stop = (code: number): Promise<void> =>
    (stopping ??= supervisor.stop().then(() => process.exit(code)));
  process.on('SIGTERM', () => void stop(0));
  process.on('SIGINT', () => void stop(0));

  supervisor.start({
    name: 'media',
    entry: new URL('../media/media-process.ts', import.meta.url),
    args: [
      JSON.stringify({
        controlSocket: mediaSocket,
        addresses,
        publicAddress: config.media.public_address,
        tcpPort: config.media.tcp_port,
        ports: config.media.ports,
        rtpTimeoutMs: config.media.rtp_timeout_seconds * 1000,
        logLevel: config.log.level,
      }),
    ],
    hello: undefined,
  });
  supervisor.start({
    name: 'signalling',
    entry: new URL('../signalling/signalling-process.ts', import.meta.url),
    args: [],
    hello: { type: 'start-signalling', start: { config, dataDir, mediaSocket } },
  });
}

function announce(
  config: Config,
  dataDir: string,
  addresses: readonly string[],
  ready: Extract<FromChild, { type: 'ready' }>,
): void {
  process.stdout.write(
    `${bannerText(config, dataDir, addresses, ready.users)}\nready ${httpAddress(config)}\n`,
  );
}

function mediaAddresses(config: Config): readonly string[] {
  const { address } = config.media;
  if (address === 'auto') return machineAddresses();
  return typeof address === 'string' ? [address] : address;
}

/** The control socket lies in the data folder, or, when that path is too long for a socket, in the system's temporary one. */
function controlSocketPath(dataDir: string): string {
  const path = join(dataDir, 'media.sock');
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  return join(tmpdir(), `sidetone-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`);
}
