import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { Supervisor } from '../src/supervise/supervisor.ts';

describe('the supervisor', () => {
  it('gives up on a process that keeps dying before the service was ever ready', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    try {
      const file = join(dir, 'child.mjs');
      writeFileSync(file, 'process.exit(3);\n');
      const sentence = await new Promise<string>((resolve) => {
        const supervisor = new Supervisor(pino({ level: 'silent' }), {
          ready: () => {},
          refused: (_name, why) => void supervisor.stop().then(() => resolve(why)),
        });
        supervisor.start({ name: 'media', entry: pathToFileURL(file), args: [], hello: undefined });
      });
      assert.match(sentence, /^the media process ended 4 times before the service was ready/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('starts again what dies after it was ready', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    try {
      const file = join(dir, 'child.mjs');
      writeFileSync(file, "process.send({ type: 'ready', users: [] }, () => process.exit(1));\n");
      const times = await new Promise<number>((resolve) => {
        let ready = 0;
        const supervisor = new Supervisor(pino({ level: 'silent' }), {
          ready: () => {
            ready += 1;
            if (ready === 3) void supervisor.stop().then(() => resolve(ready));
          },
          refused: () => resolve(-1),
        });
        supervisor.start({ name: 'signalling', entry: pathToFileURL(file), args: [], hello: undefined });
      });
      assert.equal(times, 3);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
