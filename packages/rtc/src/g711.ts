/**
 * G.711 (ITU-T G.711, RFC 3551 §4.5.14) by table: 256 entries to expand, 65,536 to compress. Silence is 0xff (PCMU) and
 * 0xd5 (PCMA).
 */

/** μ-law: inverted bits, 4-bit step within 8 segments above a bias of 132. */
function expandMu(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = (((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4);
  return (bits & 0x80) !== 0 ? 0x84 - magnitude : magnitude - 0x84;
}

/** A-law: even bits inverted, a linear first segment, then 7 doubling ones; sign bit set means positive. */
function expandA(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits & 0x70) >> 4;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (bits & 0x80) !== 0 ? magnitude : -magnitude;
}

function compressMu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32_635) + 0x84;
  const segment = 31 - Math.clz32(magnitude) - 7;
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

function compressA(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = sample < 0 ? -sample - 1 : sample;
  const segment = magnitude < 256 ? 0 : 31 - Math.clz32(magnitude) - 7;
  const step = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f;
  return (sign | (segment << 4) | step) ^ 0x55;
}

const MU_TO_PCM = Int16Array.from({ length: 256 }, (_, code) => expandMu(code));
const A_TO_PCM = Int16Array.from({ length: 256 }, (_, code) => expandA(code));
/** Indexed by the sample's 16 bits. */
const PCM_TO_MU = Uint8Array.from({ length: 65_536 }, (_, bits) => compressMu((bits << 16) >> 16));
const PCM_TO_A = Uint8Array.from({ length: 65_536 }, (_, bits) => compressA((bits << 16) >> 16));

/** PCMU to 16-bit samples. `output` must hold `input.length` entries. */
export function decodePcmu(input: Uint8Array, output: Int16Array): void {
  for (let i = 0; i < input.length; i++) output[i] = MU_TO_PCM[input[i]!]!;
}

/** PCMA to 16-bit samples. `output` must hold `input.length` entries. */
export function decodePcma(input: Uint8Array, output: Int16Array): void {
  for (let i = 0; i < input.length; i++) output[i] = A_TO_PCM[input[i]!]!;
}

/** 16-bit samples to PCMU. `output` must hold `input.length` entries. */
export function encodePcmu(input: Int16Array, output: Uint8Array): void {
  for (let i = 0; i < input.length; i++) output[i] = PCM_TO_MU[input[i]! & 0xffff]!;
}

/** 16-bit samples to PCMA. `output` must hold `input.length` entries. */
export function encodePcma(input: Int16Array, output: Uint8Array): void {
  for (let i = 0; i < input.length; i++) output[i] = PCM_TO_A[input[i]! & 0xffff]!;
}
