import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import {
  createReception,
  ntpFrom,
  ntpMiddle,
  parseRtcp,
  type ReportBlock,
  roundTrip,
  writeReport,
} from '../src/index.ts';

const word = fc.nat(0xffffffff);
const block = fc.record<ReportBlock>(
  {
    ssrc: word,
    fractionLost: fc.nat(255),
    cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
    highestSequence: word,
    jitter: word,
    lastSenderReport: word,
    delaySinceLast: word,
  },
  { noNullPrototype: true },
);
const sender = fc.record(
  {
    ntpSeconds: word,
    ntpFraction: word,
    rtpTimestamp: word,
    packets: word,
    octets: word,
  },
  { noNullPrototype: true },
);

describe('RTCP', () => {
  it('reads the reports it writes', () => {
    fc.assert(
      fc.property(
        word,
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.option(sender),
        fc.array(block, { maxLength: 31 }),
        fc.boolean(),
        (ssrc, cname, info, blocks, bye) => {
          const packet = new Uint8Array(1500);
          const length = writeReport(packet, { ssrc, cname, sender: info, blocks, bye });
          assert.ok(length > 0 && length % 4 === 0);
          const parsed = parseRtcp(packet, length);
          assert.ok(parsed.ok);
          const [report, sdes, end] = parsed.value;
          assert.deepEqual(
            report,
            info === null ? { type: 'rr', ssrc, blocks } : { type: 'sr', ssrc, sender: info, blocks },
          );
          const utf8 = Buffer.from(cname);
          if (utf8.length < 255 && utf8.toString() === cname && !cname.startsWith('\ufeff')) {
            assert.deepEqual(sdes, { type: 'sdes', chunks: [{ ssrc, cname }] });
          }
          assert.deepEqual(end, bye ? { type: 'bye', ssrcs: [ssrc] } : undefined);
        },
      ),
    );
  });

  it('writes nothing where there is no room', () => {
    const draft = { ssrc: 1, cname: 'me', sender: null, blocks: [] };
    assert.equal(writeReport(new Uint8Array(10), draft), -1);
  });

  it('is total: random compounds, and lengths that lie', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(31),
        fc.integer({ min: 192, max: 223 }),
        (bytes, count, type) => {
          if (bytes.length >= 4) bytes.set([0x80 | count, type, 0, Math.max(0, (bytes.length >> 2) - 1)]);
          const parsed = parseRtcp(bytes, bytes.length);
          if (parsed.ok) assert.ok(parsed.value.length <= 32);
          assert.ok(!parseRtcp(bytes, bytes.length + 1).ok);
        },
      ),
    );
  });

  it('refuses more than 32 packets, counts beyond the body, an SDES without end', () => {
    const many = new Uint8Array(33 * 4);
    for (let i = 0; i < 33; i++) many.set([0x80, 203, 0, 0], i * 4);
    assert.deepEqual(parseRtcp(many, many.length), { ok: false, error: 'too-many' });
    assert.deepEqual(parseRtcp(Uint8Array.of(0x9f, 201, 0, 1, 0, 0, 0, 1), 8), {
      ok: false,
      error: 'bad-packet',
    });
    const endless = Uint8Array.of(0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 65, 66);
    assert.deepEqual(parseRtcp(endless, 12), { ok: false, error: 'bad-packet' });
  });

  it('reads feedback', () => {
    const nack = Uint8Array.of(0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 0);
    assert.deepEqual(parseRtcp(nack, 16), {
      ok: true,
      value: [{ type: 'rtpfb', format: 1, ssrc: 1, media: 2 }],
    });
    const pli = Uint8Array.of(0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2);
    assert.deepEqual(parseRtcp(pli, 12), {
      ok: true,
      value: [{ type: 'psfb', format: 1, ssrc: 1, media: 2 }],
    });
  });

  it('measures the round trip on our own clock', () => {
    const sentAt = 1_000_123.25;
    const receivedAfter = 40;
    const heldFor = 500;
    const reportBlock: ReportBlock = {
      ssrc: 1,
      fractionLost: 0,
      cumulativeLost: 0,
      highestSequence: 0,
      jitter: 0,
      lastSenderReport: ntpMiddle(ntpFrom(sentAt)),
      delaySinceLast: Math.round(heldFor * 65.536),
    };
    const rtt = roundTrip(reportBlock, sentAt + receivedAfter + heldFor + receivedAfter);
    assert.ok(rtt !== null && Math.abs(rtt - 80) < 0.1);
    assert.equal(roundTrip({ ...reportBlock, lastSenderReport: 0 }, sentAt), null);
    assert.equal(roundTrip({ ...reportBlock, delaySinceLast: 0xffffff }, sentAt), null);
  });
});

describe('reception', () => {
  it('counts loss exactly under loss and reordering, over the wrap', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(1000), (start, seed) => {
        const random = seededRandom(seed);
        const reception = createReception(1, 8000);
        let kept = 2;
        let hold: number | undefined;
        const give = (i: number): void => void reception.receive((start + i) & 0xffff, i * 160, i * 20);
        give(0);
        for (let i = 1; i < 2000; i++) {
          if (random.int(20) === 0) continue;
          kept++;
          if (hold === undefined && random.int(10) === 0) {
            hold = i;
            continue;
          }
          give(i);
          if (hold !== undefined) give(hold);
          hold = undefined;
        }
        if (hold !== undefined) give(hold);
        give(2000);
        assert.equal(reception.packets, kept);
        assert.equal(reception.lost, 2001 - kept);
        const report = reception.report(40_000);
        assert.equal(report.cumulativeLost, 2001 - kept);
        assert.equal(report.highestSequence, start + 2000);
        assert.equal(report.fractionLost, Math.floor(((2001 - kept) * 256) / 2001));
        assert.equal(reception.report(40_000).fractionLost, 0);
      }),
      { numRuns: 30 },
    );
  });

  it('has no jitter on a steady stream, whatever the timestamps do at their wrap', () => {
    const reception = createReception(1, 48_000);
    for (let i = 0; i < 200; i++)
      reception.receive(i, (0xffffffff - 50 * 960 + i * 960) % 4_294_967_296, i * 20);
    assert.ok(reception.jitterMs < 0.001);
  });

  it('measures the jitter of an uneven stream', () => {
    const reception = createReception(1, 8000);
    for (let i = 0; i < 1000; i++) reception.receive(i, i * 160, i * 20 + (i % 2) * 5);
    assert.ok(Math.abs(reception.jitterMs - 5) < 0.1);
  });

  it('believes a jump of the sequence only when the next packet confirms it', () => {
    const reception = createReception(1, 8000);
    reception.receive(10, 0, 0);
    assert.equal(reception.receive(30_000, 160, 20), false);
    assert.equal(reception.receive(11, 160, 20), true);
    assert.equal(reception.receive(40_000, 320, 40), false);
    assert.equal(reception.receive(40_001, 480, 60), true);
    assert.equal(reception.packets, 1);
    assert.equal(reception.lost, 0);
  });

  it('gives back the peer’s sender report with the delay', () => {
    const reception = createReception(9, 8000);
    reception.receive(1, 1, 0);
    reception.senderReport(0x12345678, 1000);
    const report = reception.report(1500);
    assert.equal(report.lastSenderReport, 0x12345678);
    assert.equal(report.delaySinceLast, 32_768);
    assert.equal(report.ssrc, 9);
  });
});
