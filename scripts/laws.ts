import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { circlesOf } from './circles.ts';

/** The laws of the house that a type checker cannot see: who imports whom, no circles, no world inside packages, no giant files. */

const ROOT = join(import.meta.dirname, '..');
const MOST_LINES = 450;

/** Which rooms a room may import. Apps may import every package. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  wire: ['core'],
  sip: ['core'],
  sdp: ['core'],
  rtc: ['core'],
  webrtc: [],
  react: ['webrtc'],
  vsp: ['core', 'wire', 'sip', 'sdp'],
  proxy: ['core', 'wire', 'sip'],
  media: ['core', 'wire', 'rtc', 'sdp'],
  voice: ['core', 'wire', 'sip', 'sdp'],
  webhooks: ['core', 'wire'],
};

/** What a room has for tests, simulations and benches: a door of its own, or a path. */
const FOR_TESTS = /^@sidetone\/[^/]+\/testing\b|^\..*\/(?:testing|test)\//;

/** Node modules that are pure computation. */
const PURE_NODE = new Set(['node:crypto', 'node:buffer', 'node:util']);

/** Reaching for the world. Ids come from the injected random source, time from the argument. */
const WORLD =
  /\b(?:Date\.now|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|queueMicrotask|process\.(?:env|exit|argv|on|nextTick|stdout|stderr|cwd|hrtime|pid|send|memoryUsage|cpuUsage)|console\.|randomBytes|randomUUID|getRandomValues)\b|\bnew Date\(\)/;

/** The time of day is read in one file of each app, so that who uses it can be found. The console stamps its list of calls. */
const TIME_OF_DAY = /\bDate\.now\b|\bnew Date\(\)/;
const READS_TIME_OF_DAY = new Set([
  'apps/server/src/clock.ts',
  'apps/console/src/phone.ts',
  'packages/sdk/src/environment.ts',
]);

/**
 * How long something lasts or waits is no difference of two times of day, which a clock that is set makes any number. This sees the
 * plain form alone: the reading of the clock beside a minus sign or a comparison.
 */
const DIFFERENCE_OF_DAYS =
  /\b(?:epoch|Date\.now)\(\)\s*[-<>]|(?<!=)[-<>]=?\s*[\w.#?!]*\b(?:epoch|Date\.now)\(\)/;
/** What is written down for another page; files, which know no other time; where the two clocks meet; and the run of a machine that has no name for it. */
const MAY_DIFFER = new Set([
  'packages/sdk/src/resume-store.ts',
  'packages/sdk/src/environment.ts',
  'apps/server/src/journal/boot-identity.ts',
  'apps/server/src/sounds/file-age.ts',
]);

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

export function lawBreaks(): string[] {
  const breaks = circleBreaks();
  for (const file of globSync('{packages,apps}/*/src/**/*.{ts,tsx}', { cwd: ROOT }).sort()) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const [kind, folder] = file.split('/') as [string, string];
    const room = folder === 'sdk' ? 'webrtc' : folder;
    const lines = text.split('\n').length;
    if (lines > MOST_LINES) breaks.push(`${file}: ${lines} lines; would two files be easier to live in?`);
    const code = withoutComments(text);
    if (TIME_OF_DAY.test(code) && !READS_TIME_OF_DAY.has(file))
      breaks.push(`${file}: the time of day is read in ${[...READS_TIME_OF_DAY].join(', ')}`);
    if (DIFFERENCE_OF_DAYS.test(code) && !MAY_DIFFER.has(file))
      breaks.push(`${file}: a difference of times of day; durations are of the monotonic clock`);
    const imported = [...code.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, from]) => from!);
    for (const from of imported)
      if (FOR_TESTS.test(from)) breaks.push(`${file}: ${from} is for tests, simulations and benches`);
    if (kind !== 'packages') continue;
    for (const from of imported) {
      const own = /^@sidetone\/([^/]+)/.exec(from)?.[1];
      if (own !== undefined && !MAY_IMPORT[room]?.includes(own))
        breaks.push(`${file}: ${room} may not import ${own}`);
      if (from.startsWith('node:') && !PURE_NODE.has(from))
        breaks.push(`${file}: ${from} has no place in a package`);
      if (
        from.startsWith('.') &&
        !join(folder, 'src', from).startsWith(folder) &&
        /\.\.\/\.\.\/\.\./.test(from)
      ) {
        breaks.push(`${file}: ${from} leaves the package; import its door`);
      }
    }
    if (room === 'webrtc') continue;
    code.split('\n').forEach((line, i) => {
      const found = WORLD.exec(line.replace(/'[^']*'/g, "''"));
      if (found !== null) breaks.push(`${file}: ${found[0]} reaches for the world (near line ${i + 1})`);
    });
  }
  return breaks;
}

/** Files that import each other, over whatever way and be it for a type alone: neither can be read without the other. */
function circleBreaks(): string[] {
  const imports = new Map<string, readonly string[]>();
  for (const file of globSync('{packages,apps}/*/src/**/*.{ts,tsx}', { cwd: ROOT }).sort()) {
    const code = withoutComments(readFileSync(join(ROOT, file), 'utf8'));
    const named = [...code.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)];
    imports.set(
      file,
      named.map(([, from]) => join(dirname(file), from!)),
    );
  }
  return circlesOf(imports).map((circle) => `import circle: ${circle.join(', ')}`);
}
