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
};

/** Node modules that are pure computation. */
const PURE_NODE = new Set(['node:crypto', 'node:buffer', 'node:util']);

/** Reaching for the world. Ids come from the injected random source, time from the argument. */
const WORLD =
  /\b(?:Date\.now|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|queueMicrotask|process\.(?:env|exit|argv|on|nextTick|stdout|stderr|cwd|hrtime|pid|send|memoryUsage|cpuUsage)|console\.|randomBytes|randomUUID|getRandomValues)\b|\bnew Date\(\)/;

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
    if (kind !== 'packages') continue;
    const code = withoutComments(text);
    for (const [, from] of code.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
      const own = /^@sidetone\/([^/]+)/.exec(from!)?.[1];
      if (own !== undefined && !MAY_IMPORT[room]?.includes(own))
        breaks.push(`${file}: ${room} may not import ${own}`);
      if (from!.startsWith('node:') && !PURE_NODE.has(from!))
        breaks.push(`${file}: ${from} has no place in a package`);
      if (
        from!.startsWith('.') &&
        !join(folder, 'src', from!).startsWith(folder) &&
        /\.\.\/\.\.\/\.\./.test(from!)
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
