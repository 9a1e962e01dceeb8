import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Unix socket paths are limited to about 100 bytes. */
const LONGEST_SOCKET_PATH = 100;

/**
 * Where a Unix socket of the service lies: in the data folder, or, when that path is too long for a socket, in the
 * system's temporary one. `dataDir` is absolute.
 */
export function socketPath(dataDir: string, name: 'media' | 'admin'): string {
  const path = join(dataDir, `${name}.sock`);
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  const folder = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  return join(tmpdir(), `sidetone-${folder}${name === 'media' ? '' : `-${name}`}.sock`);
}
