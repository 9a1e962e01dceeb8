import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { classify, newRtpHeader, RTP_HEADER_LENGTH, readRtp, writeRtp } from '../src/index.ts';

describe('RTP headers', () => {
  it('reads what it writes', () => {
    const header = newRtpHeader();
    fc.assert(
      fc.property(
        fc.nat(127),
        fc.boolean(),
        fc.nat(0xffff),
        fc.nat(0xffffffff),
        fc.nat(0xffffffff),
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(15),
        fc.option(fc.nat(5)),
        fc.nat(20),
        (payloadType, marker, sequence, timestamp, ssrc, payload, csrcs, extension, padding) => {
          const extended = extension === null ? 0 : 4 + 4 * extension;
          const payloadOffset = RTP_HEADER_LENGTH + 4 * csrcs + extended;
          const packet = new Uint8Array(payloadOffset + payload.length + padding);
          writeRtp(packet, 0, payloadType, marker, sequence, timestamp, ssrc);
          packet[0]! |= csrcs | (extension === null ? 0 : 0x10) | (padding === 0 ? 0 : 0x20);
          if (extension !== null) packet[12 + 4 * csrcs + 3] = extension;
          packet.set(payload, payloadOffset);
          if (padding > 0) packet[packet.length - 1] = padding;
          assert.ok(readRtp(packet, packet.length, header));
          const payloadLength = payload.length;
          assert.deepEqual(header, {
            payloadType,
            marker,
            sequence,
            timestamp,
            ssrc,
            payloadOffset,
            payloadLength,
          });
        },
      ),
    );
  });

  it('never points outside the packet', () => {
    const header = newRtpHeader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        if (bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
        if (!readRtp(bytes, bytes.length, header)) return;
        assert.ok(header.payloadOffset >= 12 && header.payloadLength >= 0);
        assert.ok(header.payloadOffset + header.payloadLength <= bytes.length);
      }),
    );
  });

  it('refuses padding that is longer than the payload, or of no length', () => {
    const packet = new Uint8Array(20);
    writeRtp(packet, 0, 0, false, 1, 1, 1);
    packet[0]! |= 0x20;
    assert.ok(!readRtp(packet, 20, newRtpHeader()));
    packet[19] = 9;
    assert.ok(!readRtp(packet, 20, newRtpHeader()));
    packet[19] = 8;
    assert.ok(readRtp(packet, 20, newRtpHeader()));
  });
});

describe('demultiplexing', () => {
  it('follows RFC 7983 and RFC 5761', () => {
    const of = (first: number, second = 0): string => {
      const packet = new Uint8Array(20);
      packet[0] = first;
      packet[1] = second;
      return classify(packet);
    };
    assert.equal(of(0), 'stun');
    assert.equal(of(1), 'stun');
    assert.equal(of(4), 'unknown');
    assert.equal(of(19), 'unknown');
    assert.equal(of(20), 'dtls');
    assert.equal(of(63), 'dtls');
    assert.equal(of(64), 'unknown');
    assert.equal(of(128, 111), 'rtp');
    assert.equal(of(128, 0x80 | 111), 'rtp');
    assert.equal(of(191, 0), 'rtp');
    for (const type of [192, 200, 201, 206, 207, 223]) assert.equal(of(129, type), 'rtcp');
    assert.equal(of(192), 'unknown');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => void classify(bytes)));
  });

  it('takes a bare 8-byte receiver report for RTCP', () => {
    assert.equal(classify(Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 1)), 'rtcp');
  });
});
