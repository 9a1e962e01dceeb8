/**
 * `npm test [-- FILTER…]`: every suite, in three passes. Unit tests, and end-to-end suites that wait for most of their time (`WAITING`), run
 * four files at a time; end-to-end suites that bear a neighbour (`PAIRED`) two at a time; the others one after the other, because
 * they count every packet, measure gaps, or kill by the clock, which a busy machine answers late. One closing summary covers all. A FILTER keeps the files whose path contains it.
 *
 * A suite whose real peer is missing is skipped by name with the reason (`npm run peers` installs them); with CI=true
 * nothing is skipped. No test at all is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
type Counts = Record<(typeof COUNTS)[number], number>;

/** In this order of folders: those that start the product take longest. */
const UNIT = [
  'apps/*/test/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'scripts/test/*.test.ts',
  'sim/test/**/*.test.ts',
];
const END_TO_END = ['e2e/**/*.test.ts'];

/** Without a browser, and most of the time they wait for timers and for processes to come back. The longest first. */
const WAITING = [
  'e2e/native.test.ts',
  'e2e/survival-commands.test.ts',
  'e2e/carrier-media.test.ts',
  'e2e/phone-nat.test.ts',
  'e2e/media/play.test.ts',
  'e2e/streams.test.ts',
  'e2e/instruments.test.ts',
  'e2e/scenarios.test.ts',
  'e2e/ipv6.test.ts',
  'e2e/webhook-verdict.test.ts',
];

/** With a browser; what they assert waits for events, and counts no packet that a busy machine may lose. */
const PAIRED = [
  'e2e/network.test.ts',
  'e2e/published-sdk.test.ts',
  'e2e/reattach.test.ts',
  'e2e/voice.test.ts',
  'e2e/conformance.test.ts',
  'e2e/examples.test.ts',
  'e2e/bundles.test.ts',
  'e2e/provisioning.test.ts',
  'e2e/registered-phones.test.ts',
  'e2e/ours-chromium.test.ts',
  'e2e/transfer.test.ts',
  'e2e/reverse-proxy.test.ts',
  'e2e/operator.test.ts',
  'e2e/sdk/sdk.test.ts',
  'e2e/media/chromium.test.ts',
  'e2e/sdk/softphone.test.ts',
  'e2e/sdk/react.test.ts',
  'e2e/firefox.test.ts',
  'e2e/media/firefox.test.ts',
  'e2e/media/chromium-ipv6.test.ts',
];

function filesOf(patterns: readonly string[], filters: readonly string[]): string[] {
  const found = patterns.flatMap((pattern) =>
    globSync(pattern, { cwd: ROOT, exclude: (name) => name === 'node_modules' || name === 'dist' }).sort(),
  );
  return found.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
}

/** What the tests need built: the SDK's and the console's bundles. */
function build(): boolean {
  if (!existsSync(`${ROOT}/scripts/build.ts`)) return true;
  const result = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: ROOT, stdio: 'inherit' });
  return result.status === 0;
}

/** One pass. Everything but the closing counts goes to the reporter; the counts are added up. */
async function pass(
  files: readonly string[],
  concurrency: number,
  into: Counts,
  skippedSuites: string[],
  failedSuites: Set<string>,
): Promise<void> {
  if (files.length === 0) return;
  const stream = run({
    files: files.map((file) => `${ROOT}/${file}`),
    execArgv: ['--import', `${ROOT}/scripts/test-limit.ts`],
    concurrency,
    cwd: ROOT,
  });
  const reporter = new spec();
  reporter.pipe(process.stdout, { end: false });
  for await (const event of stream) {
    if (event.type === 'test:summary') {
      const { file, counts } = event.data;
      // Per-file summaries carry a file; the last one, for the whole pass, does not.
      if (file !== undefined) continue;
      into.tests += counts.tests;
      into.suites += counts.suites;
      into.pass += counts.passed;
      into.fail += counts.failed;
      into.cancelled += counts.cancelled;
      into.skipped += counts.skipped;
      into.todo += counts.todo;
    }
    // A hook that fails ends its suite but counts as no test.
    if (event.type === 'test:fail' && event.data.details.type === 'suite') failedSuites.add(event.data.name);
    if (event.type === 'test:pass' && event.data.details.type === 'suite' && event.data.skip !== undefined)
      skippedSuites.push(`${event.data.name}: ${event.data.skip}`);
    if (
      event.type === 'test:diagnostic' &&
      /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) \d/.test(event.data.message)
    )
      continue;
    if (!reporter.write(event)) await new Promise((resolve) => reporter.once('drain', resolve));
  }
  await new Promise<void>((resolve) => {
    reporter.once('end', resolve);
    reporter.end();
  });
}

async function main(filters: readonly string[]): Promise<number> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) {
    process.stderr.write(
      `npm test needs Node 24 or newer, this is ${process.versions.node}; run "npm ci" first\n`,
    );
    return 1;
  }
  const started = performance.now();
  // Half of what a process of ours needs to start is the reading of its sources; the products that the tests start share it.
  process.env['NODE_COMPILE_CACHE'] ??= `${ROOT}/node_modules/.cache/compiled`;
  const unit = filesOf(UNIT, filters);
  const endToEnd = filesOf(END_TO_END, filters);
  if (unit.length + endToEnd.length === 0) {
    process.stderr.write(`no test file matches ${filters.join(', ') || 'the usual places'}\n`);
    return 1;
  }
  const gone = [...WAITING, ...PAIRED].filter((file) => !existsSync(`${ROOT}/${file}`));
  if (gone.length > 0) {
    process.stderr.write(`scripts/test.ts names what is not there: ${gone.join(', ')}\n`);
    return 1;
  }
  if (!build()) {
    process.stderr.write('the build failed, so no test was run\n');
    return 1;
  }
  const counts: Counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
  const skippedSuites: string[] = [];
  const failedSuites = new Set<string>();
  const cores = availableParallelism();
  const among = (names: readonly string[]) => names.filter((name) => endToEnd.includes(name));
  const [waiting, paired] = [among(WAITING), among(PAIRED)];
  const alone = endToEnd.filter((file) => !waiting.includes(file) && !paired.includes(file));
  await pass([...waiting, ...unit], Math.min(4, 2 * cores), counts, skippedSuites, failedSuites);
  await pass(paired, Math.min(2, cores), counts, skippedSuites, failedSuites);
  await pass(alone, 1, counts, skippedSuites, failedSuites);
  counts.skipped += skippedSuites.length;
  for (const suite of skippedSuites) process.stdout.write(`skipped suite: ${suite}\n`);
  if (counts.fail + counts.cancelled === 0)
    for (const suite of failedSuites)
      process.stdout.write(`failed suite (its set-up or its end): ${suite}\n`);
  const summary = COUNTS.map((name) => `ℹ ${name} ${counts[name]}`);
  process.stdout.write(`\n${summary.join('\n')}\nℹ duration_ms ${Math.round(performance.now() - started)}\n`);
  if (counts.tests + counts.skipped === 0) {
    process.stderr.write('no test was run\n');
    return 1;
  }
  return counts.fail + counts.cancelled + failedSuites.size > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2).filter((argument) => argument !== '--'));
