import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { jsonLines } from '../src/media/json-lines.ts';
import { listenAdmin } from '../src/supervise/admin-server.ts';
import { type ChildPlan, Supervisor } from '../src/supervise/supervisor.ts';

/** Stands in for the signalling process: does what its argument says when it is told to. */
const CHILD = `
const how = process.argv[2];
const say = (message) => process.send(message);
process.on('message', ({ type, start }) => {
  if (type === 'start-signalling') say({ type: 'ready', users: [], calls: start?.afresh ? 99 : 0 });
  if (type === 'start-signalling' && how === 'faulty' && !start?.afresh) setTimeout(() => process.exit(70), 20);
  if (type === 'stand-by') how === 'bad' ? say({ type: 'failed', sentence: 'the port is taken' }) : say({ type: 'standing-by' });
  if (type === 'take-over') how === 'late' ? say({ type: 'failed', sentence: 'no room' }) : say({ type: 'ready', users: [], calls: 7 });
  if (type === 'hand-over' && how === 'staying') return say({ type: 'staying', why: 'the disk is full' });
  if (type === 'hand-over') {
    say({ type: 'handing-over', early: 2 });
    say({ type: 'leaving', calls: 7, ended: 1 });
    setTimeout(() => process.exit(0), 20);
  }
});
process.on('SIGTERM', () => process.exit(0));
setInterval(() => {}, 1000);
`;

describe('replacing a process', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-'));
  const file = join(folder, 'child.mjs');
  before(() => writeFileSync(file, CHILD));
  after(() => rmSync(folder, { recursive: true }));

  const plan = (how: string): ChildPlan => ({
    name: 'signalling',
    entry: pathToFileURL(file),
    args: [how],
    hello: { type: 'start-signalling', start: {} as never },
    lastResort: { type: 'start-signalling', start: { afresh: true } as never },
  });
  const standBy = { type: 'stand-by', start: {} as never } as const;

  /** A supervisor whose child is up; `ready` counts the starts. */
  async function running(
    how = 'good',
  ): Promise<{ supervisor: Supervisor; calls: number[]; next: () => Promise<void> }> {
    const calls: number[] = [];
    let wake = (): void => {};
    const supervisor = new Supervisor(pino({ level: 'silent' }), {
      ready: (_name, message) => {
        calls.push(message.calls ?? -1);
        wake();
      },
      refused: (_name, why) => assert.fail(why),
    });
    const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
    const first = next();
    supervisor.start(plan(how));
    await first;
    return { supervisor, calls, next };
  }

  it('tells each step, and how many calls were carried over', async () => {
    const { supervisor } = await running();
    const steps: string[] = [];
    const replaced = await supervisor.replace(plan('good'), standBy, (step) => steps.push(step.type));
    assert.deepEqual(steps, ['standing-by', 'handing-over', 'leaving']);
    assert.ok(replaced.ok);
    assert.deepEqual([replaced.calls, replaced.ended], [7, 1]);
    assert.ok(replaced.awayMs > 0);
    assert.ok((await supervisor.replace(plan('good'), standBy, () => {})).ok, 'and again');
    await supervisor.stop();
  });

  it('leaves the old one in service when the new one cannot start, and says why', async () => {
    const { supervisor, calls } = await running();
    const replaced = await supervisor.replace(plan('bad'), standBy, () => assert.fail('no step'));
    assert.deepEqual(replaced, { ok: false, why: 'the port is taken' });
    assert.deepEqual(calls, [0], 'nothing was started in its place');
    assert.ok((await supervisor.replace(plan('good'), standBy, () => {})).ok);
    await supervisor.stop();
  });

  it('leaves the old one in service when that says that it cannot go', async () => {
    const { supervisor, calls } = await running('staying');
    const steps: string[] = [];
    for (let i = 1; i <= 2; i++) {
      const replaced = await supervisor.replace(plan('good'), standBy, (step) => steps.push(step.type));
      assert.deepEqual(replaced, { ok: false, why: 'the disk is full' });
      assert.equal(steps.length, i);
    }
    assert.deepEqual(calls, [0], 'nothing was started in its place');
    await supervisor.stop();
  });

  it('starts what ran before when the new one cannot take over', async () => {
    const { supervisor, next } = await running();
    const again = next();
    const replaced = await supervisor.replace(plan('late'), standBy, () => {});
    assert.ok(!replaced.ok);
    assert.match(replaced.why, /^no room; what ran before is started again$/);
    await again;
    await supervisor.stop();
  });

  it('does one at a time, and none while it stops', async () => {
    const { supervisor } = await running();
    const both = await Promise.all([1, 2].map(() => supervisor.replace(plan('good'), standBy, () => {})));
    assert.deepEqual(
      both.map((one) => one.ok),
      [true, false],
    );
    await supervisor.stop();
    const late = await supervisor.replace(plan('good'), standBy, () => {});
    assert.deepEqual(late, { ok: false, why: 'the service is stopping' });
  });

  it('stopped in the middle, ends what took over', async () => {
    const { supervisor } = await running();
    let stopped: Promise<void> | undefined;
    const replaced = await supervisor.replace(plan('good'), standBy, (step) => {
      if (step.type === 'leaving') stopped = supervisor.stop();
    });
    assert.equal(replaced.ok, true);
    await stopped;
  });

  it('gives up what is inherited when that is what processes fail of', async () => {
    const { supervisor, calls, next } = await running('faulty');
    while (calls.at(-1) !== 99) await next();
    assert.deepEqual(calls, [0, 0, 0, 99]);
    await supervisor.stop();
  });
});

describe('the admin socket', () => {
  it('is private, answers what it knows, and shows that the folder is taken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-'));
    const path = join(folder, 'admin.sock');
    writeFileSync(path, 'left behind');
    const server = await listenAdmin(path, {
      hello: async (say) => {
        say('one');
        return { ok: true, line: 'two' };
      },
    });
    try {
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const ask = (text: string): Promise<unknown[]> =>
        new Promise((resolve) => {
          const answers: unknown[] = [];
          const socket = connect(path);
          socket.setEncoding('utf8');
          socket.on(
            'data',
            jsonLines(
              (answer) => answers.push(answer),
              () => {},
            ),
          );
          socket.on('error', () => {});
          socket.on('close', () => resolve(answers));
          socket.write(text);
        });
      assert.deepEqual(await ask('{"do":"hello"}\n'), [{ line: 'one' }, { ok: true, line: 'two' }]);
      for (const other of ['{"do":"toString"}\n', '{"do":7}\n', '{}\n'])
        assert.deepEqual(await ask(other), [{ ok: false, line: 'this service does not know that command' }]);
      assert.deepEqual(await ask('nonsense\n'), []);
      await assert.rejects(listenAdmin(path, {}), /another sidetone serves from this data folder/);
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
