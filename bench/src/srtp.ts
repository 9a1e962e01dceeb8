import { createCipheriv, createHmac } from 'node:crypto';
import { createSrtpSession, type SrtpProfile, type SrtpSession, writeRtp } from '@sidetone/rtc';

/** Microseconds of CPU per packet of 172 bytes (20 ms of G.711): ours, and AES-CM with a cipher and a MAC object each. */
const LENGTH = 172;
const PACKETS = 30_000;
const RUNS = 5;

/** Measures `work` over `PACKETS` packets: the median of `RUNS` runs, in µs of CPU each. */
function measure(work: (i: number) => void): number {
  const results: number[] = [];
  let next = 0;
  for (let run = 0; run < RUNS; run++) {
    const before = process.cpuUsage();
    for (let i = 0; i < PACKETS; i++) work(next++);
    const { user, system } = process.cpuUsage(before);
    results.push((user + system) / PACKETS);
  }
  return results.sort((a, b) => a - b)[RUNS >> 1]!;
}

function keysFor(profile: SrtpProfile): {
  local: { key: Uint8Array; salt: Uint8Array };
  remote: { key: Uint8Array; salt: Uint8Array };
} {
  const salt = new Uint8Array(profile === 'AEAD_AES_128_GCM' ? 12 : 14).fill(7);
  return {
    local: { key: new Uint8Array(16).fill(1), salt },
    remote: { key: new Uint8Array(16).fill(2), salt },
  };
}

function ours(profile: SrtpProfile): { protect: number; unprotect: number } {
  const keys = keysFor(profile);
  const sender: SrtpSession = createSrtpSession({ profile, keys });
  const receiver = createSrtpSession({ profile, keys: { local: keys.remote, remote: keys.local } });
  const packet = new Uint8Array(LENGTH + sender.rtpOverhead);
  const protect = measure((i) => {
    writeRtp(packet, 0, 0, false, i & 0xffff, i * 160, 1);
    sender.protectRtp(packet, LENGTH);
  });
  // Sealed beforehand, so that only opening is measured; each packet is opened once.
  const source = createSrtpSession({ profile, keys });
  const total = PACKETS * RUNS;
  const sealed = new Uint8Array(packet.length * total);
  for (let i = 0; i < total; i++) {
    const at = sealed.subarray(i * packet.length, (i + 1) * packet.length);
    writeRtp(at, 0, 0, false, i & 0xffff, i * 160, 1);
    source.protectRtp(at, LENGTH);
  }
  let failed = 0;
  const unprotect = measure((i) => {
    const at = sealed.subarray(i * packet.length, (i + 1) * packet.length);
    if (receiver.unprotectRtp(at, packet.length) < 0) failed++;
  });
  if (failed > 0) throw new Error(`${failed} packets did not open`);
  return { protect, unprotect };
}

function naive(): number {
  const key = Buffer.alloc(16, 1);
  const auth = Buffer.alloc(20, 3);
  const packet = Buffer.alloc(LENGTH);
  const iv = Buffer.alloc(16);
  return measure((i) => {
    iv.writeUInt32BE(i, 10);
    const body = createCipheriv('aes-128-ctr', key, iv).update(packet.subarray(12));
    body.copy(packet, 12);
    createHmac('sha1', auth).update(packet).digest();
  });
}

export async function run(print: (line: string) => void): Promise<void> {
  const us = (value: number): string => `${value.toFixed(2)} µs`;
  const plain = naive();
  print(`${LENGTH}-byte packets, CPU per packet, median of ${RUNS} runs of ${PACKETS}`);
  for (const profile of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const) {
    const { protect, unprotect } = ours(profile);
    print(
      `${profile.padEnd(24)} protect ${us(protect)}  unprotect ${us(unprotect)}  (${(plain / protect).toFixed(1)}x cheaper than naive)`,
    );
  }
  print(`${'naive node:crypto'.padEnd(24)} protect ${us(plain)}`);
}
