/** G.711 (RFC 3551 §4.5.14) by table. `output` must hold `input.length` entries. */
export function decodePcmu(input: Uint8Array, output: Int16Array): void {
  throw new Error(String(input) + output);
}
export function decodePcma(input: Uint8Array, output: Int16Array): void {
  throw new Error(String(input) + output);
}
export function encodePcmu(input: Int16Array, output: Uint8Array): void {
  throw new Error(String(input) + output);
}
export function encodePcma(input: Int16Array, output: Uint8Array): void {
  throw new Error(String(input) + output);
}
