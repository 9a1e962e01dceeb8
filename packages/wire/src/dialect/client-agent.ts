import type { ClientAgent } from './client-frame.ts';
import { isObject, type JsonObject, member, textMember } from './json.ts';

/** The family is told by the name in front of the version, in login and in call requests alike. */
const FAMILIES: readonly (readonly [RegExp, ClientAgent['family']])[] = [
  [/^Sidetone-/i, 'sidetone'],
  [/^Web-/i, 'web'],
  [/^iOS-/i, 'ios'],
  [/^Android-/i, 'android'],
  [/^Flutter-/i, 'flutter'],
  [/^ReactNative-/i, 'react-native'],
];

const familyOf = (text: string): ClientAgent['family'] =>
  FAMILIES.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown';

const printable = (text: string): string =>
  text
    .slice(0, 256)
    .replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, 128);

/**
 * `params["User-Agent"]`: a string (native clients; every client in call requests) or an object with `sdkVersion` and `data`
 * (browsers, at login). The oldest published browser package states none.
 */
export function parseClientAgent(params: JsonObject): ClientAgent {
  const stated = member(params, 'User-Agent');
  if (typeof stated === 'string') {
    const text = printable(stated);
    return { family: familyOf(text), text };
  }
  if (!isObject(stated)) return { family: 'web', text: '' };
  const version = printable(textMember(stated, 'sdkVersion') ?? '');
  const data = printable(textMember(stated, 'data') ?? '');
  for (const text of [version, data]) {
    const family = familyOf(text);
    if (family !== 'unknown') return { family, text };
  }
  return { family: 'web', text: version === '' ? '' : `Web-${version}` };
}
