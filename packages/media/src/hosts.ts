import { formatIp, parseIp } from '@sidetone/rtc';

/** `::ffff:0:0/96` (RFC 4291 §2.5.5.2): an IPv4 host as a socket of both families names it. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** One spelling for each host, so that addresses of descriptions, of signalling and of datagrams can be compared. */
export function canonicalHost(address: string): string {
  const bytes = parseIp(address.replace(/^\[(.*)\]$/, '$1'));
  if (bytes === null) return address.toLowerCase();
  const mapped = bytes.length === 16 && MAPPED.every((byte, i) => bytes[i] === byte);
  return formatIp(mapped ? bytes.subarray(12) : bytes);
}
