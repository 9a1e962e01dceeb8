import assert from 'node:assert/strict';
import { createCipheriv, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import {
  createSrtpSession,
  SRTP_EXHAUSTED,
  SRTP_MALFORMED,
  SRTP_NO_ROOM,
  SRTP_REPLAYED,
  SRTP_TOO_MANY_STREAMS,
  SRTP_UNAUTHENTICATED,
  type SrtpProfile,
  type SrtpSession,
  writeRtp,
} from '../src/index.ts';
import { HmacSha1 } from '../src/sha1.ts';
import { deriveKeys } from '../src/srtp-keys.ts';
import { CounterMode, Gcm } from '../src/srtp-transform.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const PROFILES: readonly SrtpProfile[] = ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'];

function keysFor(profile: SrtpProfile, seed: number) {
  const random = seededRandom(seed);
  const saltLength = profile === 'AEAD_AES_128_GCM' ? 12 : 14;
  return {
    local: { key: random.bytes(16), salt: random.bytes(saltLength) },
    remote: { key: random.bytes(16), salt: random.bytes(saltLength) },
  };
}

function pairOf(profile: SrtpProfile, seed = 1): { alice: SrtpSession; bob: SrtpSession } {
  const keys = keysFor(profile, seed);
  return {
    alice: createSrtpSession({ profile, keys }),
    bob: createSrtpSession({ profile, keys: { local: keys.remote, remote: keys.local } }),
  };
}

function rtp(sequence: number, ssrc: number, payload: Uint8Array): { packet: Uint8Array; length: number } {
  const packet = new Uint8Array(12 + payload.length + 32);
  writeRtp(packet, 0, 111, false, sequence, sequence * 960, ssrc);
  packet.set(payload, 12);
  return { packet, length: 12 + payload.length };
}

function rtcp(ssrc: number, words: number): { packet: Uint8Array; length: number } {
  const length = 8 + 4 * words;
  const packet = new Uint8Array(length + 40);
  packet.set([0x80, 201, 0, 1 + words, ssrc >>> 24, ssrc >>> 16, ssrc >>> 8, ssrc]);
  return { packet, length };
}

describe('published vectors', () => {
  it('RFC 3711 B.3: key derivation', () => {
    const keys = deriveKeys(
      'AES_CM_128_HMAC_SHA1_80',
      { key: hex('E1F97A0D3E018BE0D64FA32C06DE4139'), salt: hex('0EC675AD498AFEEBB6960B3AABE6') },
      'rtp',
    );
    assert.equal(toHex(keys.key), 'c61e7a93744f39ee10734afe3ff7a087');
    assert.equal(toHex(keys.salt), '30cbbc08863d8c85d49db34a9ae1');
    assert.equal(toHex(keys.auth), 'cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  it('RFC 3711 B.2: AES-CM keystream', () => {
    const transform = new CounterMode(
      {
        key: hex('2B7E151628AED2A6ABF7158809CF4F3C'),
        salt: hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'),
        auth: new Uint8Array(20),
      },
      false,
    );
    const packet = new Uint8Array(48 + 10);
    transform.seal(packet, 0, 48, 0, 0);
    assert.equal(
      toHex(packet.subarray(0, 48)),
      'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
    );
  });

  it('RFC 7714 16.1.1: AEAD_AES_128_GCM', () => {
    const transform = new Gcm(
      {
        key: hex('000102030405060708090a0b0c0d0e0f'),
        salt: hex('517569642070726f2071756f'),
        auth: new Uint8Array(0),
      },
      false,
    );
    const plain = hex(
      '8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573',
    );
    const packet = new Uint8Array(plain.length + 16);
    packet.set(plain);
    transform.seal(packet, 12, plain.length, 0x5501a0b2, 0xf17b);
    assert.equal(
      toHex(packet),
      '8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
    );
    assert.ok(transform.open(packet, 12, plain.length, 0x5501a0b2, 0xf17b));
    assert.equal(toHex(packet.subarray(0, plain.length)), toHex(plain));
  });
});

describe('against node:crypto', () => {
  it('HMAC-SHA1, with and without the appended word', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.uint8Array({ maxLength: 400 }),
        fc.option(fc.nat(0x7fffffff)),
        (key, message, word) => {
          const out = new Uint8Array(20);
          new HmacSha1(key).sign(message, message.length, word ?? -1, out, 0, 20);
          const naive = createHmac('sha1', key).update(message);
          if (word !== null) naive.update(Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word));
          assert.equal(toHex(out), naive.digest('hex'));
        },
      ),
    );
  });

  it('whole SRTP packets of AES-CM', () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.nat(0xffff),
        fc.nat(0xffffffff),
        fc.uint8Array({ maxLength: 1200 }),
        (seed, sequence, ssrc, payload) => {
          const profile = 'AES_CM_128_HMAC_SHA1_80';
          const keys = keysFor(profile, seed);
          const { packet, length } = rtp(sequence, ssrc, payload);
          const clear = packet.slice(0, length);
          const end = createSrtpSession({ profile, keys }).protectRtp(packet, length);
          assert.equal(toHex(packet.subarray(0, end)), toHex(naiveSeal(keys.local, clear, sequence, ssrc)));
        },
      ),
    );
  });
});

describe('keystream made ahead', () => {
  it('is the same as made for each packet, in any order of indices, streams and lengths', () => {
    const profile = 'AES_CM_128_HMAC_SHA1_80';
    const packets = fc.uniqueArray(
      fc.record({
        sequence: fc.oneof(fc.nat(40), fc.nat(2000)),
        ssrc: fc.constantFrom(1, 2),
        payload: fc.uint8Array({ maxLength: 260, size: 'max' }),
      }),
      { maxLength: 40, selector: (p) => `${p.sequence} ${p.ssrc}` },
    );
    fc.assert(
      fc.property(packets, (list) => {
        const keys = keysFor(profile, 9);
        const sender = createSrtpSession({ profile, keys });
        const receiver = createSrtpSession({ profile, keys: { local: keys.remote, remote: keys.local } });
        for (const { sequence, ssrc, payload } of list) {
          const { packet, length } = rtp(sequence, ssrc, payload);
          const clear = packet.slice(0, length);
          const end = sender.protectRtp(packet, length);
          if (end === SRTP_REPLAYED) continue;
          assert.equal(toHex(packet.subarray(0, end)), toHex(naiveSeal(keys.local, clear, sequence, ssrc)));
          assert.equal(receiver.unprotectRtp(packet, end), length);
          assert.deepEqual(packet.slice(0, length), clear);
        }
      }),
    );
  });
});

/** RFC 3711 word by word, roll-over counter 0, a cipher and a MAC object per packet. */
function naiveSeal(
  master: { key: Uint8Array; salt: Uint8Array },
  packet: Uint8Array,
  sequence: number,
  ssrc: number,
): Uint8Array {
  const session = deriveKeys('AES_CM_128_HMAC_SHA1_80', master, 'rtp');
  const iv = Buffer.alloc(16);
  iv.set(session.salt);
  iv.writeUInt32BE((iv.readUInt32BE(4) ^ ssrc) >>> 0, 4);
  iv.writeUInt16BE(iv.readUInt16BE(12) ^ sequence, 12);
  const body = createCipheriv('aes-128-ctr', session.key, iv).update(packet.subarray(12));
  const sealed = Buffer.concat([packet.subarray(0, 12), body]);
  const tag = createHmac('sha1', session.auth)
    .update(sealed)
    .update(Buffer.alloc(4))
    .digest()
    .subarray(0, 10);
  return Buffer.concat([sealed, tag]);
}

for (const profile of PROFILES) {
  describe(profile, () => {
    it('opens what it sealed, RTP and RTCP, any header', () => {
      const { alice, bob } = pairOf(profile);
      let sequence = 0;
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 1000 }),
          fc.nat(15),
          fc.boolean(),
          fc.nat(20),
          (payload, csrcs, extended, words) => {
            const header = 12 + 4 * csrcs + (extended ? 8 : 0);
            const length = header + payload.length;
            const packet = new Uint8Array(length + alice.rtpOverhead);
            writeRtp(packet, 0, 0, false, sequence++, 1, 7);
            packet[0]! |= csrcs | (extended ? 0x10 : 0);
            if (extended) packet[12 + 4 * csrcs + 3] = 1;
            packet.set(payload, header);
            const before = packet.slice(0, length);
            const end = alice.protectRtp(packet, length);
            assert.equal(end, length + alice.rtpOverhead);
            if (payload.length > 3) assert.notDeepEqual(packet.slice(0, length), before);
            assert.deepEqual(packet.slice(0, header), before.slice(0, header));
            assert.equal(bob.unprotectRtp(packet, end), length);
            assert.deepEqual(packet.slice(0, length), before);

            const report = rtcp(7, words);
            const clear = report.packet.slice(0, report.length);
            const sealed = alice.protectRtcp(report.packet, report.length);
            assert.equal(sealed, report.length + alice.rtcpOverhead);
            assert.equal(bob.unprotectRtcp(report.packet, sealed), report.length);
            assert.deepEqual(report.packet.slice(0, report.length), clear);
          },
        ),
      );
    });

    it('refuses every single changed bit, and keeps its state', () => {
      const { alice, bob } = pairOf(profile);
      const { packet, length } = rtp(9, 77, new Uint8Array(20).fill(3));
      const end = alice.protectRtp(packet, length);
      // The first byte's changes may make it no RTP at all.
      for (let bit = 8; bit < end * 8; bit++) {
        const copy = packet.slice();
        copy[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(bob.unprotectRtp(copy, end), SRTP_UNAUTHENTICATED, `bit ${bit}`);
      }
      assert.deepEqual(bob.exportState().received, []);
      assert.equal(bob.unprotectRtp(packet, end), length);
    });

    it('takes each packet once, whatever the order within the window', () => {
      fc.assert(
        fc.property(
          fc.nat(0xffff),
          fc.shuffledSubarray([...Array(200).keys()], { minLength: 2 }),
          (start, order) => {
            const { alice, bob } = pairOf(profile);
            const sealed = Array.from({ length: 200 }, (_, i) => {
              const { packet, length } = rtp((start + i) & 0xffff, 5, Uint8Array.of(i));
              return packet.slice(0, alice.protectRtp(packet, length));
            });
            // The roll-over counter can only be guessed from a first packet before the wrap.
            const first = sealed[0]!.slice();
            assert.ok(bob.unprotectRtp(first, first.length) > 0);
            for (const i of order) {
              const expected = i === 0 ? SRTP_REPLAYED : 13;
              const copy = sealed[i]!.slice();
              assert.equal(bob.unprotectRtp(copy, copy.length), expected);
              const again = sealed[i]!.slice();
              assert.equal(bob.unprotectRtp(again, again.length), SRTP_REPLAYED);
            }
          },
        ),
        { numRuns: 20 },
      );
    });

    it('follows the sequence number round and round', () => {
      const { alice, bob } = pairOf(profile);
      let received = 0;
      for (let i = 0; i < 3 * 65_536; i += 1021) {
        const { packet, length } = rtp(i & 0xffff, 5, Uint8Array.of(1, 2, 3));
        const end = alice.protectRtp(packet, length);
        if (bob.unprotectRtp(packet, end) === length) received++;
      }
      assert.equal(received, Math.ceil((3 * 65_536) / 1021));
      assert.ok(bob.exportState().received[0]!.rtpIndex > 2 * 65_536);
    });

    it('drops replays from before the wrap and from behind the window', () => {
      const { alice, bob } = pairOf(profile);
      const old = rtp(65_000, 5, Uint8Array.of(1));
      const oldEnd = alice.protectRtp(old.packet, old.length);
      const copy = old.packet.slice();
      assert.equal(bob.unprotectRtp(old.packet, oldEnd), old.length);
      for (let i = 65_001; i < 66_000; i++) {
        const { packet, length } = rtp(i & 0xffff, 5, Uint8Array.of(1));
        assert.equal(bob.unprotectRtp(packet, alice.protectRtp(packet, length)), length);
      }
      assert.equal(bob.unprotectRtp(copy, oldEnd), SRTP_REPLAYED);
    });

    it('never uses a sending index twice', () => {
      const { alice } = pairOf(profile);
      const once = rtp(1, 5, Uint8Array.of(1));
      assert.ok(alice.protectRtp(once.packet, once.length) > 0);
      const twice = rtp(1, 5, Uint8Array.of(2));
      assert.equal(alice.protectRtp(twice.packet, twice.length), SRTP_REPLAYED);
    });

    it('drops replayed RTCP', () => {
      const { alice, bob } = pairOf(profile);
      const { packet, length } = rtcp(5, 3);
      const end = alice.protectRtcp(packet, length);
      const copy = packet.slice();
      assert.equal(bob.unprotectRtcp(packet, end), length);
      assert.equal(bob.unprotectRtcp(copy, end), SRTP_REPLAYED);
    });

    it('keeps at most eight streams, and none for the unauthenticated', () => {
      const { alice, bob } = pairOf(profile);
      const stranger = createSrtpSession({ profile, keys: keysFor(profile, 55) });
      for (let ssrc = 0; ssrc < 8; ssrc++) {
        const { packet, length } = rtp(1, ssrc, Uint8Array.of(1));
        assert.equal(
          bob.unprotectRtp(packet.slice(), stranger.protectRtp(packet.slice(), length)),
          SRTP_UNAUTHENTICATED,
        );
      }
      assert.equal(bob.exportState().received.length, 0);
      for (let ssrc = 0; ssrc < 8; ssrc++) {
        const { packet, length } = rtp(1, ssrc, Uint8Array.of(1));
        assert.equal(bob.unprotectRtp(packet, alice.protectRtp(packet, length)), length);
      }
      const ninth = rtp(1, 99, Uint8Array.of(1));
      assert.equal(alice.protectRtp(ninth.packet, ninth.length), SRTP_TOO_MANY_STREAMS);
      const other = pairOf(profile).alice;
      assert.equal(
        bob.unprotectRtp(ninth.packet, other.protectRtp(ninth.packet, ninth.length)),
        SRTP_TOO_MANY_STREAMS,
      );
    });

    it('resumes from its saved state: jumps ahead, and the peer follows', () => {
      const keys = keysFor(profile, 3);
      const { alice, bob } = pairOf(profile, 3);
      const first = rtp(40_000, 5, Uint8Array.of(1));
      assert.equal(
        bob.unprotectRtp(first.packet, alice.protectRtp(first.packet, first.length)),
        first.length,
      );
      const report = rtcp(5, 2);
      assert.ok(bob.unprotectRtcp(report.packet, alice.protectRtcp(report.packet, report.length)) > 0);
      const saved = JSON.parse(JSON.stringify(alice.exportState()));
      const resumed = createSrtpSession({ profile, keys, state: saved, jump: 1000 });
      const next = rtp(41_001, 5, Uint8Array.of(2));
      assert.equal(bob.unprotectRtp(next.packet, resumed.protectRtp(next.packet, next.length)), next.length);
      const nextReport = rtcp(5, 2);
      const end = resumed.protectRtcp(nextReport.packet, nextReport.length);
      assert.equal(bob.unprotectRtcp(nextReport.packet, end), nextReport.length);
      // What was received before the crash is still a replay after it.
      const again = createSrtpSession({
        profile,
        keys: { local: keys.remote, remote: keys.local },
        state: JSON.parse(JSON.stringify(bob.exportState())),
      });
      const replay = rtp(40_000, 5, Uint8Array.of(1));
      const replayEnd = pairOf(profile, 3).alice.protectRtp(replay.packet, replay.length);
      assert.equal(again.unprotectRtp(replay.packet, replayEnd), SRTP_REPLAYED);
    });

    it('stops when the key is used up', () => {
      const keys = keysFor(profile, 1);
      const state = { sent: [{ ssrc: 5, rtpIndex: 2 ** 48 - 1, rtcpIndex: 2 ** 31 - 1 }], received: [] };
      const session = createSrtpSession({ profile, keys, state, jump: 0 });
      const { packet, length } = rtp(0, 5, Uint8Array.of(1));
      assert.equal(session.protectRtp(packet, length), SRTP_EXHAUSTED);
      const report = rtcp(5, 1);
      assert.equal(session.protectRtcp(report.packet, report.length), SRTP_EXHAUSTED);
    });

    it('answers anything with a length or a code', () => {
      const { alice, bob } = pairOf(profile);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 1600 }), (bytes) => {
          if (bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
          for (const result of [
            bob.unprotectRtp(bytes.slice(), bytes.length),
            bob.unprotectRtcp(bytes.slice(), bytes.length),
            alice.protectRtp(bytes.slice(), bytes.length),
            alice.protectRtcp(bytes.slice(), bytes.length),
          ]) {
            assert.ok(result < 0 && result >= SRTP_EXHAUSTED);
          }
        }),
      );
      const { packet, length } = rtp(1, 1, new Uint8Array(0));
      assert.equal(alice.protectRtp(packet.subarray(0, length), length), SRTP_NO_ROOM);
      assert.equal(alice.protectRtp(packet, 5), SRTP_MALFORMED);
    });
  });
}
