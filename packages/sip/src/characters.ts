/** Character classes of the SIP grammar (RFC 3261 §25.1) as a table: one look-up per character, no regular expression. */
export const TOKEN = 1;
/** May stand in a URI outside of brackets: printable US-ASCII without the delimiters `<>"` and blank. */
export const URI = 2;
export const DIGIT = 4;
export const HOST = 8;
export const UPPER = 16;

const build = (): Uint8Array => {
  const table = new Uint8Array(256);
  const add = (text: string, bit: number): void => {
    for (let i = 0; i < text.length; i++) table[text.charCodeAt(i)]! |= bit;
  };
  const digits = '0123456789';
  const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const letters = upper + upper.toLowerCase();
  add(`${letters}${digits}-.!%*_+\`'~`, TOKEN);
  for (let c = 33; c < 127; c++) if (c !== 34 && c !== 60 && c !== 62) table[c]! |= URI;
  add(digits, DIGIT);
  // The underscore is no part of a host name, but private networks use it.
  add(`${letters}${digits}-._`, HOST);
  add(upper, UPPER);
  return table;
};

const TABLE = build();

/** Whether character code `c` belongs to a class. Codes above 255 belong to none. */
export const is = (c: number, bits: number): boolean => c < 256 && (TABLE[c]! & bits) !== 0;

/** Whether `text[from, to)` is not empty and all of the class. */
export function all(text: string, from: number, to: number, bits: number): boolean {
  for (let i = from; i < to; i++) if (!is(text.charCodeAt(i), bits)) return false;
  return to > from;
}

export function skipBlank(text: string, from: number, to: number): number {
  let i = from;
  while (i < to) {
    const c = text.charCodeAt(i);
    if (c !== 32 && c !== 9) break;
    i += 1;
  }
  return i;
}

/** The slice in lower case; most names already are, and slicing is cheaper than folding. */
export function lowerSlice(text: string, from: number, to: number): string {
  const slice = text.slice(from, to);
  for (let i = from; i < to; i++) if (is(text.charCodeAt(i), UPPER)) return slice.toLowerCase();
  return slice;
}

/** A decimal number of at most `max` in `text[from, to)`, or -1. Leading zeros are fine, signs are not. */
export function decimal(text: string, from: number, to: number, max: number): number {
  if (to <= from) return -1;
  let value = 0;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i) - 48;
    if (c < 0 || c > 9) return -1;
    value = value * 10 + c;
    if (value > max) return -1;
  }
  return value;
}
