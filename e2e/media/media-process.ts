import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MediaCommand, MediaEvent, MediaReply } from '@sidetone/wire';
import { createMediaClient, type MediaClient } from '../../apps/server/src/media/control-client.ts';
import { machineAddresses } from '../../apps/server/src/net/addresses.ts';
import { until } from '../src/wait.ts';

const ENTRY = fileURLToPath(new URL('../../apps/server/src/media/media-process.ts', import.meta.url));

/** The product's media process alone, commanded as the signalling process would. */
export class MediaProcess {
  readonly events: MediaEvent[] = [];
  readonly client: MediaClient;
  readonly child: ChildProcess;
  /** The data folder. */
  readonly folder: string;
  #up = false;

  private constructor(child: ChildProcess, folder: string) {
    this.child = child;
    this.folder = folder;
    this.client = createMediaClient({
      socketPath: join(folder, 'media.sock'),
      onEvent: (event) => this.events.push(event),
      onState: (state) => {
        this.#up = state === 'up';
      },
    });
  }

  static async start(
    ports: readonly [number, number],
    addresses: readonly string[] = machineAddresses(),
  ): Promise<MediaProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-media-'));
    const child = fork(
      ENTRY,
      [
        JSON.stringify({
          controlSocket: join(folder, 'media.sock'),
          dataDir: folder,
          addresses,
          ports,
          logLevel: 'warn',
        }),
      ],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const media = new MediaProcess(child, folder);
    await until('the media process to answer', () => media.#up);
    return media;
  }

  async command(command: MediaCommand): Promise<Extract<MediaReply, { ok: true }>> {
    const reply = await this.client.command(command);
    assert.ok(reply.ok, `${command.op}: ${JSON.stringify(reply)}`);
    return reply;
  }

  eventsOf<E extends MediaEvent['event']>(name: E, leg: string): Extract<MediaEvent, { event: E }>[] {
    return this.events.filter(
      (e): e is Extract<MediaEvent, { event: E }> => e.event === name && 'leg' in e && e.leg === leg,
    );
  }

  async stop(): Promise<number | null> {
    this.client.close();
    const ended = new Promise<number | null>((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const code = await ended;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}
