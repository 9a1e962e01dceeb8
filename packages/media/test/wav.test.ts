import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readWavHead, WAV_HEAD_LIMIT } from '../src/index.ts';

const text = (name: string): number[] => [...name].map((c) => c.charCodeAt(0));
const u32 = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
const u16 = (n: number): number[] => [n & 255, n >>> 8];
const chunk = (name: string, body: readonly number[], length = body.length): number[] => [
  ...text(name),
  ...u32(length),
  ...body,
  ...(length & 1 ? [0] : []),
];
const format = (rate: number, tag = 1, channels = 1, bits = 16): number[] => [
  ...u16(tag),
  ...u16(channels),
  ...u32(rate),
  ...u32(rate * 2),
  ...u16(2),
  ...u16(bits),
];
const wav = (...chunks: readonly number[][]): Uint8Array =>
  Uint8Array.from([...text('RIFF'), ...u32(0), ...text('WAVE'), ...chunks.flat()]);
const data = chunk('data', [1, 2, 3, 4]);

describe('the head of a WAV', () => {
  it('says the rate and where the samples are, whatever stands between', () => {
    assert.deepEqual(readWavHead(wav(chunk('fmt ', format(8000)), data)), {
      rate: 8000,
      offset: 44,
      length: 4,
    });
    assert.deepEqual(
      readWavHead(wav(chunk('LIST', [1, 2, 3]), chunk('fmt ', [...format(48_000), 0, 0]), data)),
      {
        rate: 48_000,
        offset: 58,
        length: 4,
      },
    );
    const extensible = [
      ...format(16_000, 0xfffe),
      ...u16(22),
      ...u16(16),
      ...u32(4),
      ...u16(1),
      ...new Array(14).fill(0),
    ];
    assert.deepEqual(readWavHead(wav(chunk('fmt ', extensible), data)), {
      rate: 16_000,
      offset: 68,
      length: 4,
    });
  });

  it('takes a length that was not known for all that comes, and half a sample for none', () => {
    const endless = readWavHead(wav(chunk('fmt ', format(8000)), [...text('data'), ...u32(0xffff_ffff)]));
    assert.deepEqual(endless, { rate: 8000, offset: 44, length: null });
    const odd = readWavHead(wav(chunk('fmt ', format(8000)), [...text('data'), ...u32(7)]));
    assert.deepEqual(odd, { rate: 8000, offset: 44, length: 6 });
  });

  it('refuses what cannot be played, and says why', () => {
    const rows: readonly [string, Uint8Array, string][] = [
      ['nothing', new Uint8Array(0), 'short'],
      ['half a name', Uint8Array.from(text('RI')), 'short'],
      ['another file', Uint8Array.from(text('OggS and so on, and on')), 'not-wav'],
      ['another RIFF', Uint8Array.from([...text('RIFF'), ...u32(4), ...text('AVI ')]), 'not-wav'],
      ['no format', wav(data), 'format'],
      ['two channels', wav(chunk('fmt ', format(8000, 1, 2)), data), 'format'],
      ['no channel', wav(chunk('fmt ', format(8000, 1, 0)), data), 'format'],
      ['8 bits', wav(chunk('fmt ', format(8000, 1, 1, 8)), data), 'format'],
      ['mu-law', wav(chunk('fmt ', format(8000, 7)), data), 'format'],
      ['too slow', wav(chunk('fmt ', format(7999)), data), 'format'],
      ['too fast', wav(chunk('fmt ', format(48_001)), data), 'format'],
      ['a format cut short', wav(chunk('fmt ', [1, 0])), 'format'],
      ['a file cut short', wav(chunk('fmt ', format(8000))), 'short'],
      ['far away', wav(chunk('fmt ', format(8000)), chunk('LIST', [], 70_000)), 'too-long'],
      ['many chunks', wav(...new Array(70).fill(chunk('junk', []))), 'too-long'],
    ];
    for (const [what, bytes, why] of rows) assert.equal(readWavHead(bytes), why, what);
  });

  it('is total: any bytes are read or refused, and what is read lies within the limits', () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => [...bytes]),
      fc.constantFrom(data, chunk('fmt ', format(8000)), text('RIFF'), u32(0xffff_fffe), u32(0x7fff_ffff)),
      fc
        .tuple(
          fc.constantFrom('fmt ', 'data', 'LIST'),
          fc.nat({ max: 0xffff_ffff }),
          fc.uint8Array({ maxLength: 30 }),
        )
        .map(([name, length, body]) => chunk(name, [...body], length)),
    );
    let read = 0;
    fc.assert(
      fc.property(fc.nat({ max: 2 }), fc.array(pieces, { maxLength: 12 }), (kind, parts) => {
        const known = kind === 2 ? [chunk('fmt ', format(8000))] : [];
        const bytes = kind === 0 ? Uint8Array.from(parts.flat()) : wav(...known, ...parts);
        const head = readWavHead(bytes);
        if (typeof head === 'string') return;
        read++;
        assert.ok(head.rate >= 8000 && head.rate <= 48_000);
        assert.ok(head.offset <= bytes.length && head.offset <= WAV_HEAD_LIMIT);
        assert.ok(head.length === null || (head.length >= 0 && head.length % 2 === 0));
      }),
      { numRuns: 3000 },
    );
    assert.ok(read > 100, `${read}`);
  });

  it('needs no more of a file than its head: a longer beginning says the same', () => {
    const whole = wav(chunk('LIST', new Array(99).fill(7)), chunk('fmt ', format(22_050)), data);
    const head = readWavHead(whole);
    assert.ok(typeof head !== 'string');
    for (let cut = 0; cut <= whole.length; cut++) {
      const said = readWavHead(whole.subarray(0, cut));
      if (cut < head.offset) assert.equal(said, 'short');
      else assert.deepEqual(said, head);
    }
  });
});
