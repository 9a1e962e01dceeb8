import { SoundFault } from '../limits.ts';

/**
 * The subset of SSML that is spoken: `speak p s break prosody emphasis say-as sub phoneme`. Anything else is stripped to its text. No
 * entities but the five of XML and numbers, no DTD, no external files; bounded in size and depth. Total: any text has a reading.
 */

export interface Spoken {
  /** Well-formed, within one `speak`. */
  readonly ssml: string;
  readonly text: string;
}

export const MOST_TEXT = 20_000;
const MOST_DEPTH = 32;
const MOST_BREAK_MS = 10_000;

type Check = (value: string) => string | undefined;

const word =
  (pattern: RegExp): Check =>
  (value) =>
    pattern.test(value) ? value : undefined;
const text: Check = (value) => value.slice(0, 500);

const PROSODY = word(/^[+-]?[\w.-]{1,12}%?$/);
/** Elements with the attributes that they keep. */
const ELEMENTS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  speak: {},
  p: {},
  s: {},
  break: { time: pause, strength: word(/^(none|x-weak|weak|medium|strong|x-strong)$/) },
  prosody: { rate: PROSODY, pitch: PROSODY, range: PROSODY, volume: PROSODY },
  emphasis: { level: word(/^(strong|moderate|none|reduced)$/) },
  'say-as': {
    'interpret-as': word(/^[\w:-]{1,32}$/),
    format: word(/^[\w-]{1,16}$/),
    detail: word(/^[\w-]{1,16}$/),
  },
  sub: { alias: text },
  phoneme: { alphabet: word(/^[\w-]{1,32}$/), ph: text },
};

/** A pause, which lasts ten seconds at most. */
function pause(value: string): string | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,6})?)(ms|s)$/.exec(value.trim());
  if (match === null) return undefined;
  const ms = Number(match[1]) * (match[2] === 's' ? 1000 : 1);
  return `${Math.round(Math.min(ms, MOST_BREAK_MS))}ms`;
}

const TAG =
  /^<(\/?)([A-Za-z_][\w:.-]{0,63})((?:\s+[\w:.-]{1,64}\s*=\s*(?:"[^"<]{0,2000}"|'[^'<]{0,2000}'))*)\s*(\/?)>/;
const ATTRIBUTE = /([\w:.-]{1,64})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;
/** A tag at the longest; what is longer is text. */
const MOST_TAG = 8192;

/** @throws SoundFault `too-large` */
export function readSsml(source: string): Spoken {
  if (source.length > MOST_TEXT)
    throw new SoundFault('too-large', `The text is longer than ${MOST_TEXT} characters.`);
  let ssml = '';
  let plain = '';
  /** Open elements; `undefined` one that is stripped. */
  const open: { readonly name: string; readonly kept: boolean }[] = [];
  const say = (words: string): void => {
    const clean = speakable(words);
    plain += clean;
    ssml += escaped(clean);
  };
  let at = 0;
  while (at < source.length) {
    const next = source.indexOf('<', at);
    if (next !== at) {
      const until = next < 0 ? source.length : next;
      say(unescaped(source.slice(at, until)));
      at = until;
      continue;
    }
    const skipped = aside(source, at);
    if (skipped !== undefined) {
      if (source.startsWith('<![CDATA[', at)) say(source.slice(at + 9, source.indexOf(']]>', at)));
      at = skipped;
      continue;
    }
    const tag = TAG.exec(source.slice(at, at + MOST_TAG));
    if (tag === null) {
      say('<');
      at += 1;
      continue;
    }
    at += tag[0].length;
    const name = tag[2]!.toLowerCase();
    if (tag[1] === '/') ssml += closed(open, name);
    else ssml += opened(open, name, tag[3]!, tag[4] === '/');
    // Words on both sides of a tag are two words in the plain text.
    if (!plain.endsWith(' ')) plain += ' ';
  }
  while (open.length > 0) ssml += closed(open, open.at(-1)!.name);
  return { ssml: `<speak>${ssml}</speak>`, text: plain.trim() };
}

/** The end of what is no element: a comment, CDATA, a processing instruction, a declaration. */
function aside(source: string, at: number): number | undefined {
  for (const [begin, end] of [
    ['<!--', '-->'],
    ['<![CDATA[', ']]>'],
    ['<?', '?>'],
    ['<!', '>'],
  ] as const) {
    if (!source.startsWith(begin, at)) continue;
    const found = source.indexOf(end, at + begin.length);
    return found < 0 ? (begin === '<![CDATA[' ? undefined : source.length) : found + end.length;
  }
  return undefined;
}

function opened(
  open: { name: string; kept: boolean }[],
  name: string,
  attributes: string,
  empty: boolean,
): string {
  const known = Object.hasOwn(ELEMENTS, name) ? ELEMENTS[name] : undefined;
  // `speak` is written around all of it once.
  const kept = known !== undefined && name !== 'speak' && open.length < MOST_DEPTH;
  if (!empty && name !== 'break' && open.length < MOST_TEXT) open.push({ name, kept });
  if (!kept) return '';
  let said = '';
  for (const [, key, double, single] of attributes.matchAll(ATTRIBUTE)) {
    const check = Object.hasOwn(known, key!.toLowerCase()) ? known[key!.toLowerCase()] : undefined;
    const value = check?.(speakable(unescaped(double ?? single ?? '')));
    if (value !== undefined && !said.includes(` ${key!.toLowerCase()}=`))
      said += ` ${key!.toLowerCase()}="${escaped(value)}"`;
  }
  return `<${name}${said}${empty || name === 'break' ? '/' : ''}>`;
}

/** Closes the innermost element of this name, and what is open within it. One that is not open is left out. */
function closed(open: { name: string; kept: boolean }[], name: string): string {
  const at = open.findLastIndex((element) => element.name === name);
  if (at < 0) return '';
  return open
    .splice(at)
    .toReversed()
    .map((element) => (element.kept ? `</${element.name}>` : ''))
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescaped = (words: string): string =>
  words.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,4}));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[String(name)] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10_ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '';
  });

const escaped = (words: string): string =>
  words.replace(/[&<>"]/g, (sign) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' }[sign]};`);

/** Control characters are commands to speech engines (espeak-ng: U+0001), and no text. */
export const speakable = (words: string): string =>
  words.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, ' ');
