import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import type { Random } from '@sidetone/core';
import {
  createMediaEngine,
  fallbackOpus,
  loadOpus,
  type MediaEngine,
  type OpusFactory,
} from '@sidetone/media';
import { createWeriftDtls } from '../dtls/werift.ts';
import { createLog } from '../log.ts';
import { isBindable } from '../net/addresses.ts';
import type { FromChild } from '../supervise/messages.ts';
import { type ControlServer, listenControl } from './control-server.ts';
import { udpSockets } from './datagrams.ts';
import { type RecordingFiles, recordingFiles } from './recording-files.ts';
import { createRemote } from './remote-lines.ts';
import { soundFiles } from './sound-files.ts';
import { listenStreams, type Streams } from './streams.ts';
import { monotonic, timers } from './timers.ts';

/** What the media process is started with: JSON in its first argument. */
export interface MediaStart {
  /** Absolute path of the Unix socket to listen on. */
  readonly controlSocket: string;
  /** Where sounds lie that it may be told to play, and recordings are written; without it there are none. */
  readonly dataDir?: string;
  readonly addresses: readonly string[];
  readonly ports: readonly [number, number];
  /** What peers call the first address that is not loopback. */
  readonly publicAddress?: string;
  /** Where ICE-TCP connections come in. */
  readonly tcpPort?: number;
  readonly rtpTimeoutMs: number;
  readonly heldTimeoutMs?: number;
  /** What media streams may reach though it is none of the public Internet, as `webhooks.allow`. */
  readonly allow?: readonly string[];
  readonly logLevel?: string;
}

/** Whoever signals all processes at once: signalling ends its calls first, while their media stands. */
const LONGEST_FAREWELL_MS = 5000;
/** What is recorded to the end is on the disk by then. */
const LONGEST_CLOSING_MS = 2000;

const systemRandom: Random = {
  int: (bound) => (bound <= 1 ? 0 : randomInt(Math.min(bound, 2 ** 48 - 1))),
  bytes: (length) => new Uint8Array(randomBytes(length)),
};

async function opus(): Promise<OpusFactory> {
  try {
    return await loadOpus();
  } catch {
    return fallbackOpus();
  }
}

/** The media process: the engine, its sockets and clock, and the control connection it is commanded by. */
async function main(start: MediaStart): Promise<void> {
  const log = createLog('media', start.logLevel ?? 'info');
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    process.exit(70);
  });
  let control: ControlServer | undefined;
  let end = async (): Promise<void> => {};
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await Promise.race([control?.unowned(), rest(LONGEST_FAREWELL_MS)]);
    await end();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  // Ctrl-C reaches the whole process group; the supervisor decides.
  process.on('SIGINT', () => {});
  // The supervisor is gone: nobody would ever end this process.
  process.on('disconnect', () => void stop());
  const refuse = (sentence: string): void => {
    tell({ type: 'failed', sentence });
    setTimeout(() => process.exit(1), 50);
  };

  const foreign = await firstForeign(start.addresses);
  if (foreign !== undefined) return refuse(`media.address: ${foreign} is not an address of this machine`);
  let streams: Streams | undefined;
  try {
    if (start.tcpPort !== undefined) streams = await listenStreams(start.addresses, start.tcpPort);
  } catch (error) {
    return refuse((error as Error).message);
  }
  const [codec, dtls] = await Promise.all([opus(), createWeriftDtls()]);

  const recordings: RecordingFiles | undefined =
    start.dataDir === undefined
      ? undefined
      : recordingFiles(start.dataDir, (event, why) => log.error({ why }, event));

  const engine: MediaEngine = createMediaEngine({
    sockets: udpSockets,
    now: monotonic,
    schedule: timers,
    random: systemRandom,
    dtls,
    opus: codec,
    ...(start.dataDir === undefined
      ? {}
      : { sounds: soundFiles(start.dataDir, (event, why) => log.warn({ why }, event)) }),
    ...(recordings === undefined ? {} : { recordings }),
    addresses: start.addresses,
    ...(start.publicAddress === undefined ? {} : { publicAddress: start.publicAddress }),
    ...(streams === undefined ? {} : { streams }),
    remote: createRemote({ allow: start.allow ?? [] }),
    ports: start.ports,
    limits: {
      rtpTimeoutMs: start.rtpTimeoutMs,
      ...(start.heldTimeoutMs === undefined ? {} : { heldTimeoutMs: start.heldTimeoutMs }),
    },
    emit: (event) => control?.event(event),
  });

  end = async () => {
    engine.closeAll();
    control?.close();
    await Promise.race([recordings?.settled(), rest(LONGEST_CLOSING_MS)]);
  };
  try {
    control = await listenControl(start.controlSocket, engine, (event) => log.info(event));
  } catch (error) {
    return refuse(`media cannot listen on its control socket: ${(error as Error).message}`);
  }
  const { addresses, publicAddress, ports, tcpPort } = start;
  log.info({ opus: codec.name, addresses, publicAddress, ports, tcpPort }, 'media engine up');
  tell({ type: 'ready', users: [] });
}

/** The first address that no socket can be bound to: every call would fail for want of a port. */
async function firstForeign(addresses: readonly string[]): Promise<string | undefined> {
  for (const address of addresses) {
    if (!(await isBindable(address))) return address;
  }
  return undefined;
}

function tell(message: FromChild): void {
  process.send?.(message);
}

void main(JSON.parse(process.argv[2] ?? '{}') as MediaStart);
