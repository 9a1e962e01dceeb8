import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  checkedUfrag,
  createStreamFramer,
  MAX_STREAM_PACKET,
  writeStreamLength,
  writeStun,
} from '../src/index.ts';

const framed = (packet: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(2 + packet.length);
  writeStreamLength(bytes, packet.length);
  bytes.set(packet, 2);
  return bytes;
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((p) => [...p]));

describe('packets on a stream', () => {
  it('come out as they went in, however the stream is cut', () => {
    const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (list, cuts) => {
        const stream = joined(list.map(framed));
        const framer = createStreamFramer();
        const seen: number[][] = [];
        for (let at = 0, i = 0; at < stream.length; at += cuts[i++ % cuts.length]!) {
          const chunk = stream.subarray(at, at + cuts[i % cuts.length]!);
          assert.ok(framer.push(chunk, (packet) => seen.push([...packet])));
        }
        assert.deepEqual(
          seen,
          list.map((packet) => [...packet]),
        );
        assert.equal(framer.pending, 0);
      }),
    );
  });

  it('keeps no more than one packet, and ends at one that is too long', () => {
    const framer = createStreamFramer();
    const none = () => assert.fail('no packet is whole');
    const longest = framed(new Uint8Array(MAX_STREAM_PACKET));
    for (const octet of longest.subarray(0, -1)) assert.ok(framer.push(Uint8Array.of(octet), none));
    assert.equal(framer.pending, MAX_STREAM_PACKET + 1);
    let length = 0;
    assert.ok(framer.push(Uint8Array.of(0), (packet) => (length = packet.length)));
    assert.equal(length, MAX_STREAM_PACKET);
    const tooLong = new Uint8Array(2);
    writeStreamLength(tooLong, MAX_STREAM_PACKET + 1);
    assert.equal(framer.push(tooLong, none), false);
  });

  it('passes over packets without octets', () => {
    const seen: number[] = [];
    assert.ok(createStreamFramer().push(Uint8Array.of(0, 0, 0, 0, 0, 1, 9), (p) => seen.push(...p)));
    assert.deepEqual(seen, [9]);
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        const framer = createStreamFramer();
        for (const chunk of chunks) if (!framer.push(chunk, (packet) => void checkedUfrag(packet))) return;
        assert.ok(framer.pending <= MAX_STREAM_PACKET + 1);
      }),
    );
  });
});

describe('whom a check is for', () => {
  const check = (username: string | null, kind: 'request' | 'indication' = 'request'): Uint8Array =>
    writeStun(
      {
        class: kind,
        method: 1,
        transactionId: new Uint8Array(12),
        attributes: username === null ? [] : [[0x0006, new TextEncoder().encode(username)]],
      },
      new TextEncoder().encode('any'),
    );

  it('is said by the first half of the user name', () => {
    assert.equal(checkedUfrag(check('ours:theirs')), 'ours');
    for (const bad of [check(null), check('ours'), check(':theirs'), check('a:b', 'indication')])
      assert.equal(checkedUfrag(bad), null);
    assert.equal(checkedUfrag(new Uint8Array(40)), null);
  });
});
