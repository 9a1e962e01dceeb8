import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Both SDKs as an application's bundler makes them: one named import, minified, gzip level 9. */
const PACKAGES = [
  ['@sidetone/webrtc', join(ROOT, 'packages/sdk/src/index.ts')],
  ['@telnyx/webrtc 2.27.10', join(ROOT, 'node_modules/telnyx-webrtc-2.27.10/lib/bundle.mjs')],
] as const;

export async function run(print: (line: string) => void): Promise<void> {
  const sizes: number[] = [];
  for (const [name, entry] of PACKAGES) {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { TelnyxRTC } from ${JSON.stringify(entry)}; globalThis.TelnyxRTC = TelnyxRTC;`,
        resolveDir: ROOT,
      },
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      write: false,
    });
    const { contents } = outputFiles[0]!;
    const gzip = gzipSync(contents, { level: 9 }).length;
    sizes.push(gzip);
    print(
      `${name}: ${(gzip / 1000).toFixed(1)} kB gzip (${(contents.length / 1000).toFixed(1)} kB minified)`,
    );
  }
  print(
    `ratio ${(sizes[0]! / sizes[1]!).toFixed(2)}; the published package also has a recorder, video and screen share`,
  );
}
