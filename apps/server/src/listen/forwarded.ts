import { canonicalHost, familyOf } from '@sidetone/core';

/** One node on the way of a request, as a proxy saw it. */
export interface Hop {
  /** In its one spelling. */
  readonly address: string;
  readonly port?: number;
  /** By https or wss. */
  readonly secure?: boolean;
  /** As the client named us (Host). */
  readonly host?: string;
}

/** From the client's end to ours. `null`: a hop that is not told, so whatever stands before it proves nothing. */
export type Chain = readonly (Hop | null)[];

/** Longer chains are of nobody we know. */
const MOST_HOPS = 32;
/** RFC 7239 §4: `token=value` or `token="value"`. Addresses with `:` and `[` need the quotes, and often go without. */
const PAIR = /\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))\s*([;,]|$)/gy;

/** `X-Forwarded-For`, with `X-Forwarded-Proto` and `X-Forwarded-Host` of whoever stands in front of all. */
export function chainOfList(addresses: string, proto: string | undefined, host: string | undefined): Chain {
  const hops = last(addresses.split(',')).map(nodeOf);
  const said = saidOf(firstOf(proto), firstOf(host));
  return hops.map((hop) => hop && { ...hop, ...said });
}

/** `Forwarded` (RFC 7239). What is malformed is a chain that tells nothing. */
export function chainOfForwarded(text: string): Chain {
  const hops: (Hop | null)[] = [];
  let element = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (let at = 0; at < text.length; at = PAIR.lastIndex) {
    const pair = PAIR.exec(text);
    if (pair === null || element.has(pair[1]!.toLowerCase())) return [null];
    element.set(pair[1]!.toLowerCase(), pair[2]?.replace(/\\(.)/g, '$1') ?? pair[3]!);
    if (pair[4] === ';') continue;
    const node = nodeOf(element.get('for') ?? '');
    hops.push(node && { ...node, ...saidOf(element.get('proto'), element.get('host')) });
    element = new Map();
  }
  return element.size > 0 ? [null] : last(hops);
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; `unknown` and `_hidden` (§6.3) are `null`. */
function nodeOf(text: string): Hop | null {
  const node = text.trim();
  if (node.length > 64) return null;
  const bare = familyOf(node) !== null;
  const split = bare ? null : /^(\[[^\]]*\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(node);
  const host = bare ? node : split?.[1]?.replace(/^\[|\]$/g, '');
  if (host === undefined || familyOf(host) === null) return null;
  const port = Number(split?.[2]);
  return { address: canonicalHost(host), ...(port > 0 && port < 65536 ? { port } : {}) };
}

function saidOf(proto: string | undefined, host: string | undefined): Pick<Hop, 'secure' | 'host'> {
  return {
    ...(proto === undefined || proto === '' ? {} : { secure: /^(https|wss)$/i.test(proto) }),
    ...(host === undefined || host === '' ? {} : { host }),
  };
}

const firstOf = (list: string | undefined): string | undefined => list?.split(',', 1)[0]?.trim();

const last = <T>(list: readonly T[]): readonly T[] => list.slice(-MOST_HOPS);
