/** G.711 as its tables say, written for the tests alone: the product's own codec is what they check. */

export type G711 = 'PCMU' | 'PCMA';

function muLawToLinear(code: number): number {
  const u = ~code & 0xff;
  const magnitude = (((u & 0x0f) << 3) + 0x84) << ((u >> 4) & 7);
  return u & 0x80 ? 0x84 - magnitude : magnitude - 0x84;
}

function aLawToLinear(code: number): number {
  const a = code ^ 0x55;
  const segment = (a >> 4) & 7;
  let magnitude = ((a & 0x0f) << 4) + 8;
  if (segment >= 1) magnitude += 0x100;
  if (segment > 1) magnitude <<= segment - 1;
  return a & 0x80 ? magnitude : -magnitude;
}

const DECODE: Readonly<Record<G711, Int16Array>> = {
  PCMU: Int16Array.from({ length: 256 }, (_, i) => muLawToLinear(i)),
  PCMA: Int16Array.from({ length: 256 }, (_, i) => aLawToLinear(i)),
};

/** Every linear value gets the code whose decoded value is nearest. */
function inverse(decode: Int16Array): Uint8Array {
  const sorted = Array.from(decode, (value, code) => ({ value, code })).sort((a, b) => a.value - b.value);
  const out = new Uint8Array(65_536);
  let at = 0;
  for (let linear = -32_768; linear < 32_768; linear++) {
    while (
      at + 1 < sorted.length &&
      Math.abs(sorted[at + 1]!.value - linear) <= Math.abs(sorted[at]!.value - linear)
    )
      at++;
    out[linear + 32_768] = sorted[at]!.code;
  }
  return out;
}

const ENCODE: Readonly<Record<G711, Uint8Array>> = {
  PCMU: inverse(DECODE.PCMU),
  PCMA: inverse(DECODE.PCMA),
};

export function decodeG711(law: G711, payload: Uint8Array): Int16Array {
  const table = DECODE[law];
  return Int16Array.from(payload, (code) => table[code]!);
}

export function encodeG711(law: G711, samples: Int16Array): Uint8Array {
  const table = ENCODE[law];
  return Uint8Array.from(samples, (sample) => table[sample + 32_768]!);
}
