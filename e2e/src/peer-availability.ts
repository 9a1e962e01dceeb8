import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The real peers of the suites: which program proves each one, and the Debian package that brings it. */
const PEERS = {
  chromium: { programs: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium' },
  firefox: { programs: ['firefox-esr', 'firefox'], package: 'firefox-esr' },
  sipp: { programs: ['sipp'], package: 'sip-tester' },
  baresip: { programs: ['baresip'], package: 'baresip-core' },
  rtpengine: { programs: ['rtpengine'], package: 'rtpengine-daemon' },
  nginx: { programs: ['nginx'], package: 'nginx-light' },
  'espeak-ng': { programs: ['espeak-ng'], package: 'espeak-ng' },
  coturn: { programs: ['turnserver'], package: 'coturn' },
} as const;

export type PeerName = keyof typeof PEERS;

/** The path of a peer's program, or `undefined`. */
export function findPeer(name: PeerName): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/sbin', '/usr/local/bin'];
  for (const program of PEERS[name].programs)
    for (const folder of folders) {
      const path = `${folder}/${program}`;
      if (folder !== '' && existsSync(path)) return path;
    }
  return undefined;
}

/** The path of a peer's program; throws a sentence when it is missing. */
export function peerPath(name: PeerName): string {
  const path = findPeer(name);
  if (path === undefined) throw new Error(`${name} is missing: run npm run peers`);
  return path;
}

/**
 * Options for `describe`: skipped by name with the reason when a peer is missing. In CI (`CI=true`) nothing is
 * skipped: the suite runs and fails at the missing program.
 */
export function needs(...names: readonly PeerName[]): { readonly skip?: string } {
  const missing = names.filter((name) => findPeer(name) === undefined);
  if (missing.length === 0 || inCi()) return {};
  const packages = missing.map((name) => PEERS[name].package).join(', ');
  return { skip: `missing here: ${missing.join(', ')} (Debian: ${packages}); npm run peers installs it` };
}

const inCi = (): boolean => /^(1|true)$/i.test(process.env['CI'] ?? '');

/** baresip's module folder, as the package manager knows it. */
export function baresipModules(): string {
  const listed = spawnSync('dpkg', ['-L', 'baresip-core'], { encoding: 'utf8' }).stdout ?? '';
  const line = listed.split('\n').find((path) => path.endsWith('/g711.so'));
  return line === undefined ? '/usr/lib/baresip/modules' : line.slice(0, line.lastIndexOf('/'));
}
