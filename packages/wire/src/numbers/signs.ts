/*
 * The signs of a number as people write and typesetting makes them. RFC 3966 §3 has the visual separators `-.()`; copied text brings
 * format characters that nobody sees (Unicode category Cf), blanks and dashes of any kind, and the wide forms of East Asian type.
 */

/** Seen by nobody, or blank. U+2800 is a blank that Unicode counts as a symbol. */
const INVISIBLE = '\\p{Cf}\\p{Default_Ignorable_Code_Point}\\p{White_Space}\\u2800';
/** Dashes: those of Unicode, and signs that are typed for them (bullet hyphen, modifier, heavy minus, long vowel marks). */
const DASHES = '\\p{Dash}\\u02d7\\u2043\\u2796\\u30fc\\uff70';
/** Dots and slashes that stand between digits, and brackets. */
const OTHERS = '.\\u00b7\\u2022\\u2024\\u2027\\u2219\\u22c5\\u30fb/\\u2044\\u2215()\\[\\]';

const BETWEEN_DIGITS = new RegExp(`[${INVISIBLE}${DASHES}${OTHERS}]`, 'gu');
const UNSEEN = new RegExp(`[${INVISIBLE}]`, 'u');
const FOREIGN = new RegExp(`[${INVISIBLE}]|(?!-)[${DASHES}]`, 'u');
/** The 0 that is not dialled from abroad: `+44 (0)20`. */
const NATIONAL_ZERO = /^(\(?\+[^(]{1,8}\)?[^(]?)\(0\)/;
/** There it is part of the number. */
const KEEPS_ZERO = /^\+3(?:9|78)/;

/** What may be dialled as a number: digits, `*` and `#`, with `+` in front or not. */
export const isNumber = (text: string): boolean => /^\+?[0-9*#]+$/.test(text);

/** The digits of a number that somebody wrote or pasted, `+` kept; `undefined` for what is none. */
export function digitsOf(text: string): string | undefined {
  if (isNumber(text)) return text;
  const narrow = text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
  const bare = (written: string): string => written.replace(BETWEEN_DIGITS, '');
  const digits = bare(narrow);
  if (!isNumber(digits)) return undefined;
  return KEEPS_ZERO.test(digits) ? digits : bare(narrow.replace(NATIONAL_ZERO, '$1'));
}

/** Without the blanks and invisible signs around it. */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && UNSEEN.test(text[from]!)) from += 1;
  while (from < to && UNSEEN.test(text[to - 1]!)) to -= 1;
  return text.slice(from, to);
}

/** Does it hold what only a number may lose: a blank, an invisible sign, a dash of typesetting? No name has one. */
export const holdsForeignSign = (text: string): boolean => FOREIGN.test(text);
