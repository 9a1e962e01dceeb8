/** IP addresses as text and as bytes: one spelling of each, so that equal addresses are equal texts. */

export type Family = 4 | 6;

/** Of an address without brackets; `null`: a name. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is IPv4. */
export function familyOf(host: string): Family | null {
  const ip = parseIp(host);
  if (ip === null) return null;
  return ip.length === 4 || isMapped(ip) ? 4 : 6;
}

/**
 * A host in its one spelling: names in lower case, IPv6 as RFC 5952 writes it without brackets, with its zone, and IPv4 inside IPv6 as
 * IPv4 (RFC 5954 §4.2: addresses are compared by value).
 */
export function canonicalHost(host: string): string {
  if (!host.includes(':')) return host.toLowerCase();
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const [address, zone] = bare.split('%', 2) as [string, string?];
  const ip = parseIp(address);
  if (ip === null) return host.toLowerCase();
  if (isMapped(ip)) return formatIp(ip.subarray(12));
  return zone === undefined ? formatIp(ip) : `${formatIp(ip)}%${zone}`;
}

/** Whether two texts name the same host. */
export const sameHost = (a: string, b: string): boolean => a === b || canonicalHost(a) === canonicalHost(b);

/** An address as messages name it: zones are a matter of this machine (RFC 4007 §11). */
export const withoutZone = (address: string): string => address.split('%', 1)[0]!;

/** Who shares an address: an IPv4 address, or the 64 bits of an IPv6 one whose rest a host chooses as it likes (RFC 4291 §2.5.4). */
export function networkOf(address: string): string {
  const ip = parseIp(address);
  if (ip === null || ip.length === 4) return address;
  if (isMapped(ip)) return formatIp(ip.subarray(12));
  // ::1 and its like have no network.
  if (ip.subarray(0, 8).every((byte) => byte === 0)) return formatIp(ip);
  const network = new Uint8Array(16);
  network.set(ip.subarray(0, 8));
  return `${formatIp(network)}/64`;
}

/** This machine's own. */
export const isLoopbackAddress = (address: string): boolean => {
  const ip = parseIp(canonicalHost(address));
  if (ip === null) return false;
  return ip.length === 4 ? ip[0] === 127 : ip.every((byte, i) => byte === (i === 15 ? 1 : 0));
};

/** `fe80::/10`: means something on one link only, so a description cannot name it. */
export const isLinkLocal = (address: string): boolean => {
  const ip = parseIp(address);
  return ip?.length === 16 && ip[0] === 0xfe && (ip[1]! & 0xc0) === 0x80;
};

/** `0.0.0.0` and `::`, however written. */
export const isUnspecified = (address: string): boolean =>
  parseIp(canonicalHost(address))?.every((byte) => byte === 0) === true;

/** RFC 4291 §2.5.5.2. */
const isMapped = (ip: Uint8Array): boolean =>
  ip.length === 16 && ip[10] === 0xff && ip[11] === 0xff && ip.subarray(0, 10).every((byte) => byte === 0);

/** 4 or 16 bytes; `null`: no IP address. An IPv6 zone (`%eth0`) is cut off. */
export function parseIp(text: string): Uint8Array | null {
  if (text.length > 64) return null;
  return text.includes(':') ? parseIpv6(text.split('%')[0]!) : parseIpv4(text);
}

/** The usual text; IPv6 in the form of RFC 5952 without zone. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  const { start, length } = longestZeros(groups);
  const hex = groups.map((g) => g.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** Every datagram is asked for its family, so this makes nothing but the result. */
function parseIpv4(text: string): Uint8Array | null {
  if (text.length < 7 || text.length > 15) return null;
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== 46) return null;
    const start = at;
    let value = 0;
    for (; at < text.length && at < start + 3; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    // No part is empty, has a zero in front, or is more than a byte.
    if (at === start || value > 255 || (at > start + 1 && text.charCodeAt(start) === 48)) return null;
    bytes[part] = value;
  }
  return at === text.length ? bytes : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...new Array<number>(Math.max(0, missing)).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff]));
}

/** Groups of four hex digits; the last may be an IPv4 address when it ends the text. */
function groupsOf(text: string, last: boolean): number[] | null {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes('.')) {
      const v4 = parseIpv4(part);
      if (v4 === null) return null;
      out.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16));
    else return null;
  }
  return out;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > best.length) best = { start: i, length: n };
  }
  return best;
}
