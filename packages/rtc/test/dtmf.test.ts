import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createDtmfDetector, DTMF_DIGITS, type DtmfDetected, writeTelephoneEvent } from '../src/index.ts';

const payload = (event: number, end: boolean, duration: number): Uint8Array => {
  const out = new Uint8Array(4);
  writeTelephoneEvent(out, 0, event, end, duration);
  return out;
};

/** Updates every 20 ms, then three ends, at `clockRate`. */
function packetsOf(event: number, ms: number, clockRate: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let t = 20; t < ms; t += 20) out.push(payload(event, false, (t * clockRate) / 1000));
  for (let i = 0; i < 3; i++) out.push(payload(event, true, (ms * clockRate) / 1000));
  return out;
}

const SEGMENT = 0xffff;

interface Told {
  readonly timestamp: number;
  readonly bytes: Uint8Array;
  readonly marker: boolean;
}

/**
 * The same as Chromium's RTP sender does it: a segment begins at the time of the packet that no longer fits, which still states what went
 * beyond the one before.
 */
function chromiumSegmentsOf(event: number, start: number, ms: number, clockRate: number): Told[] {
  const out: Told[] = [];
  const tell = (timestamp: number, units: number, end: boolean): void => {
    out.push({ timestamp: timestamp >>> 0, bytes: payload(event, end, units), marker: out.length === 0 });
  };
  let begun = 0;
  let left = (ms * clockRate) / 1000;
  for (let at = 0, ended = false; !ended; ) {
    at += (20 * clockRate) / 1000;
    let units = at - begun;
    ended = units >= left;
    if (units > SEGMENT) {
      tell(start + begun, SEGMENT, ended);
      begun = at;
      left -= SEGMENT;
      units -= SEGMENT;
      tell(start + begun, units, ended);
    } else tell(start + begun, units, ended);
    if (ended) for (let i = 0; i < 2; i++) tell(start + begun, units, true);
  }
  return out;
}

/** The same for a key held long: segments of 65,535 units (RFC 4733 §2.5.1.3). With the timestamp of each packet. */
function segmentsOf(event: number, start: number, ms: number, clockRate: number): Told[] {
  const out: Told[] = [];
  let segment = 0;
  const tell = (units: number, end: boolean): void => {
    const timestamp = (start + segment * SEGMENT) >>> 0;
    out.push({ timestamp, bytes: payload(event, end, units - segment * SEGMENT), marker: out.length === 0 });
  };
  for (let t = 20; t <= ms; t += 20) {
    const units = (t * clockRate) / 1000;
    while (units > (segment + 1) * SEGMENT) {
      tell((segment + 1) * SEGMENT, false);
      segment++;
    }
    tell(units, t === ms);
  }
  for (let i = 0; i < 2; i++) tell((ms * clockRate) / 1000, true);
  return out;
}

describe('a-key-held-long-is-several-digits: segments of one event', () => {
  it('are one digit, also as Chromium sends them', () => {
    const detector = createDtmfDetector();
    const heard: DtmfDetected[] = [];
    for (const [i, made] of [segmentsOf, chromiumSegmentsOf].entries())
      for (const { timestamp, bytes, marker } of made(5, 0xffff_0000 + 500_000 * i, 3000, 48_000)) {
        const digit = detector.push(7, timestamp >>> 0, bytes, 48_000, marker);
        if (digit !== undefined) heard.push(digit);
      }
    assert.deepEqual(heard, [
      { digit: '5', durationMs: 3000 },
      { digit: '5', durationMs: 3040 },
    ]);
    assert.equal(detector.flush(), undefined);
  });

  it('are one digit with any packets lost but those of two seconds, and the next press is another one', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ ticks: fc.integer({ min: 2, max: 500 }), pause: fc.integer({ min: 1, max: 20 }) }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        fc.constantFrom(8000, 16_000, 48_000),
        fc.nat(0xffff_ffff),
        fc.infiniteStream(fc.nat(9)),
        fc.infiniteStream(fc.nat(30)),
        fc.constantFrom(segmentsOf, chromiumSegmentsOf),
        (presses, clockRate, start, lossy, flushes, made) => {
          const detector = createDtmfDetector();
          let heard = '';
          let expected = '';
          let at = start;
          for (const { ticks, pause } of presses) {
            const packets = made(5, at, ticks * 20, clockRate);
            let any = false;
            for (const [i, { timestamp, bytes, marker }] of packets.entries()) {
              // One of the three ends comes, else nobody could tell two presses from one.
              const needed = i === packets.length - 1;
              if (!needed && lossy.next().value < 4) continue;
              any = true;
              heard += detector.push(1, timestamp, bytes, clockRate, marker)?.digit ?? '';
              // Nothing came for a while: the leg takes it for ended.
              if (flushes.next().value === 0) heard += detector.flush()?.digit ?? '';
            }
            if (any) expected += '5';
            // Chromium sounds on for a tick a segment longer than it was asked to.
            const { timestamp, bytes } = packets.at(-1)!;
            const units = (bytes[2]! << 8) | bytes[3]!;
            at = (timestamp + units + (pause * 20 * clockRate) / 1000) >>> 0;
          }
          heard += detector.flush()?.digit ?? '';
          assert.equal(heard, expected);
        },
      ),
    );
  });

  it('that end as a segment begins are one digit', () => {
    for (const clockRate of [8000, 48_000]) {
      const ms = Math.ceil(0xffff / ((20 * clockRate) / 1000)) * 20;
      const detector = createDtmfDetector();
      const heard: string[] = [];
      for (const made of [chromiumSegmentsOf, segmentsOf])
        for (const { timestamp, bytes, marker } of made(5, heard.length * 200_000, ms, clockRate)) {
          const digit = detector.push(7, timestamp, bytes, clockRate, marker);
          if (digit !== undefined) heard.push(digit.digit);
        }
      assert.deepEqual(heard, ['5', '5']);
    }
  });

  it('whose border is lost, on both sides of it, are one digit at every clock', () => {
    for (const clockRate of [8000, 16_000, 48_000]) {
      const detector = createDtmfDetector();
      const packets = segmentsOf(11, 100, 20_000, clockRate);
      const border = packets.findIndex(({ timestamp }) => timestamp !== 100);
      let heard = '';
      for (const [i, { timestamp, bytes }] of packets.entries()) {
        if (i >= border - 12 && i < border + 12) continue;
        heard += detector.push(1, timestamp, bytes, clockRate)?.digit ?? '';
        if (i === border - 13) heard += detector.flush()?.digit ?? '';
      }
      assert.equal(heard, '#');
    }
  });
});

describe('DTMF detection', () => {
  it('hears each digit once, at either clock, with any part of it lost', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            event: fc.nat(15),
            ms: fc.integer({ min: 2, max: 20 }).map((n) => n * 20),
            kept: fc.infiniteStream(fc.boolean()),
          }),
          { minLength: 1, maxLength: 30 },
        ),
        fc.constantFrom(8000, 48_000),
        (digits, clockRate) => {
          const detector = createDtmfDetector();
          const heard: DtmfDetected[] = [];
          const note = (d: DtmfDetected | undefined): void => void (d && heard.push(d));
          let expected = '';
          for (const [i, { event, ms, kept }] of digits.entries()) {
            let any = false;
            for (const p of packetsOf(event, ms, clockRate)) {
              if (!kept.next().value) continue;
              any = true;
              // Too far apart for segments of one event.
              note(detector.push(1, i * 200_000, p, clockRate));
            }
            if (any) expected += DTMF_DIGITS[event]!;
          }
          note(detector.flush());
          assert.equal(heard.map((h) => h.digit).join(''), expected);
        },
      ),
    );
  });

  it('accepts an event of end packets only, once', () => {
    const detector = createDtmfDetector();
    assert.deepEqual(detector.push(1, 5, payload(11, true, 960), 8000), { digit: '#', durationMs: 120 });
    assert.equal(detector.push(1, 5, payload(11, true, 960), 8000), undefined);
    assert.equal(detector.push(1, 5, payload(11, false, 400), 8000), undefined);
    assert.equal(detector.flush(), undefined);
  });

  it('tells two presses of one key apart by their timestamp', () => {
    const detector = createDtmfDetector();
    assert.ok(detector.push(1, 100, payload(5, true, 800), 8000));
    assert.ok(detector.push(1, 3000, payload(5, true, 800), 8000));
  });

  it('reads the duration in the clock it is told', () => {
    const detector = createDtmfDetector();
    assert.equal(detector.push(1, 1, payload(0, true, 4800), 48_000)?.durationMs, 100);
    assert.equal(detector.push(1, 2, payload(0, true, 800), 8000)?.durationMs, 100);
  });

  it('ignores events that are no digits, and anything malformed', () => {
    const detector = createDtmfDetector();
    assert.equal(detector.push(1, 1, payload(16, true, 800), 8000), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), fc.nat(50), (bytes, timestamp) => {
        const heard = detector.push(1, timestamp, bytes, 8000);
        assert.ok(heard === undefined || DTMF_DIGITS.includes(heard.digit));
      }),
    );
  });

  it('caps the duration at its 16 bits', () => {
    assert.deepEqual([...payload(1, true, 100_000)], [1, 0x8a, 0xff, 0xff]);
  });
});
