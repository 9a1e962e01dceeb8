import type { Direction, MediaSection } from './description.ts';
import { parseSdp } from './parse.ts';

/**
 * The text with the direction of every media section replaced and the origin version raised by one: turns the last
 * description of a client into a hold or resume offer. Everything else stays byte for byte; a text without `o=` or `m=`
 * comes back unchanged.
 */
export function withDirection(sdp: string, direction: Direction): string {
  const lines = sdp.split('\n');
  if (!lines.some((l) => l.startsWith('o=')) || !lines.some((l) => l.startsWith('m='))) return sdp;
  const end = lines[0]!.endsWith('\r') ? '\r' : '';
  const out: string[] = [];
  let sections = 0;
  for (const line of lines) {
    if (/^a=(sendrecv|sendonly|recvonly|inactive)\s*$/.test(line)) continue;
    if (line.startsWith('o=')) {
      out.push(raised(line));
      continue;
    }
    // Each section's direction stands right before the next begins.
    if (line.startsWith('m=') && sections++ > 0) out.push(`a=${direction}${end}`);
    out.push(line);
  }
  const trailing = out.at(-1) === '' ? out.pop() : undefined;
  if (trailing === undefined) {
    out.push(`a=${direction}`);
    out[out.length - 2] = out[out.length - 2]!.replace(/\r?$/, end);
  } else out.push(`a=${direction}${end}`, '');
  return out.join('\n');
}

function raised(origin: string): string {
  return origin.replace(
    /^(o=\S+ \d{1,20} )(\d{1,20})( )/,
    (_, head: string, version: string, tail: string) => {
      return `${head}${BigInt(version) + 1n}${tail}`;
    },
  );
}

/** Do two descriptions of one peer speak of the same transport: same ICE ufrag and fingerprint (plain RTP: same address and port)? */
export function sameTransport(a: string, b: string): boolean {
  const first = transportOf(a);
  return first !== null && first === transportOf(b);
}

function transportOf(sdp: string): string | null {
  const parsed = parseSdp(sdp);
  if (!parsed.ok) return null;
  const audio = parsed.value.media.find((m) => m.kind === 'audio' && m.port !== 0);
  return audio === undefined ? null : keyOf(audio);
}

function keyOf(m: MediaSection): string {
  if (m.ice === null) return `${m.address} ${m.port}`;
  return `${m.ice.ufrag} ${m.ice.pwd} ${m.fingerprints.map((f) => `${f.hash} ${f.value}`).join(' ')}`;
}
