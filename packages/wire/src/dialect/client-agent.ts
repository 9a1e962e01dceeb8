import { browserOf, type ClientAgent, clientOf, UNNAMED_BROWSER } from '../client-traits.ts';
import { isObject, type JsonObject, member, textMember } from './json.ts';

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
  if (typeof stated === 'string') return clientOf(printable(stated));
  if (!isObject(stated)) return UNNAMED_BROWSER;
  const version = printable(textMember(stated, 'sdkVersion') ?? '');
  const data = printable(textMember(stated, 'data') ?? '');
  for (const text of [version, data]) {
    const client = clientOf(text);
    if (client.family !== 'unknown') return client;
  }
  return version === '' ? UNNAMED_BROWSER : browserOf(version);
}
