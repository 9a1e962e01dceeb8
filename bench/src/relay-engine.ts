import { seededRandom } from '@sidetone/core';
import { createMediaEngine, loadOpus } from '@sidetone/media';
import type { DtlsFactory } from '@sidetone/rtc';
import type { MediaCommand } from '@sidetone/wire';
import { udpSockets } from '../../apps/server/src/media/datagrams.ts';
import { createRemote } from '../../apps/server/src/media/remote-lines.ts';
import { monotonic, timers } from '../../apps/server/src/media/timers.ts';
import { FINGERPRINT, KEY_TO_ENGINE } from './relay-keys.ts';

/**
 * The media engine as it runs in the product, except for the handshake: DTLS here agrees at once on known keys, so that
 * the load generator can encrypt its packets beforehand. Commands come by IPC.
 */
const handshake: DtlsFactory = {
  fingerprint: FINGERPRINT,
  create: (options) => ({
    start: () =>
      options.connected({
        profile: 'AES_CM_128_HMAC_SHA1_80',
        localKeys: { key: new Uint8Array(16).fill(9), salt: new Uint8Array(14).fill(8) },
        remoteKeys: KEY_TO_ENGINE,
        remoteFingerprint: FINGERPRINT,
      }),
    receive: () => {},
    close: () => {},
  }),
};

const [first, last] = process.argv.slice(2).map(Number);
const engine = createMediaEngine({
  sockets: udpSockets,
  now: monotonic,
  schedule: timers,
  random: seededRandom(process.pid),
  dtls: handshake,
  opus: await loadOpus(),
  addresses: ['127.0.0.1'],
  remote: createRemote({ allow: ['127.0.0.1'] }),
  ports: [first!, last!],
  limits: { rtpTimeoutMs: 60_000 },
  emit: () => {},
});

process.on('message', ({ id, command }: { id: number; command: MediaCommand }) => {
  void engine.command(command).then((reply) => process.send?.({ id, reply }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0 });
