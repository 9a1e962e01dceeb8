import { canonicalHost, err, ok, type Result } from '@sidetone/core';
import { type ParsedLevel, type ParsedMedia, type ParsedSession, parse, type Word } from 'sdp-transform';
import type {
  Bandwidth,
  Candidate,
  Direction,
  Fingerprint,
  IceParameters,
  MediaSection,
  Payload,
  SessionDescription,
  SetupRole,
} from './description.ts';
import { withoutDisabled } from './disabled.ts';

/** Why a text is no usable session description. `at` is the line's number from 1, when one line is to blame. */
export interface SdpError {
  readonly code:
    | 'too-long'
    | 'too-many-lines'
    | 'syntax'
    | 'bad-origin'
    | 'bad-payload'
    | 'bad-media'
    | 'no-media';
  readonly message: string;
  readonly at?: number;
}

/** What a peer's description may be. More candidates than these are ignored, the rest is refused. */
export const SDP_LIMITS = {
  bytes: 65_536,
  lines: 500,
  lineLength: 4096,
  media: 32,
  candidates: 100,
} as const;

/**
 * Reads a session description. Total: never throws; limits in `SDP_LIMITS`; unknown lines are skipped, and whatever stands in a section
 * with port 0.
 */
export function parseSdp(text: string): Result<SessionDescription, SdpError> {
  if (text.length > SDP_LIMITS.bytes) return fail('too-long', `more than ${SDP_LIMITS.bytes} bytes`);
  const lines = text.split(/\r\n|\r|\n/);
  while (lines.at(-1) === '') lines.pop();
  if (lines.length > SDP_LIMITS.lines) return fail('too-many-lines', `more than ${SDP_LIMITS.lines} lines`);
  const { lines: told, disabled } = withoutDisabled(lines);
  const broken = told.find(({ text: l }) => l.length > SDP_LIMITS.lineLength || !/^[a-z]=/.test(l));
  if (broken !== undefined) return fail('syntax', 'not of the form x=value', broken.at);

  const meant = told.map((line) => line.text);
  const session = parse(meant.join('\r\n'));
  const fingerprints = readFingerprints(meant);
  const { origin } = session;
  if (origin === undefined || !isDigits(origin.sessionId) || !isDigits(origin.sessionVersion)) {
    return fail('bad-origin', 'no usable o= line');
  }
  if (session.media.length === 0) return fail('no-media', 'no m= line');
  if (session.media.length > SDP_LIMITS.media) return fail('bad-media', 'too many m= lines');
  const media: MediaSection[] = [];
  let candidates: number = SDP_LIMITS.candidates;
  for (const [i, parsed] of session.media.entries()) {
    const off = disabled.get(i);
    if (off !== undefined) {
      media.push(off);
      continue;
    }
    const section = readSection(session, parsed, fingerprints[0]!, fingerprints[i + 1]!, candidates);
    if (!section.ok) return section;
    candidates -= section.value.candidates.length;
    media.push(section.value);
  }
  const bundle = session.groups?.find((g) => g.type === 'BUNDLE')?.mids;
  return ok({
    origin: {
      username: string(origin.username) || '-',
      sessionId: string(origin.sessionId),
      version: string(origin.sessionVersion),
      address: string(origin.address),
    },
    name: string(session.name),
    iceLite: session.icelite !== undefined,
    bundle: string(bundle).split(' ').filter(Boolean),
    media,
  });
}

/** Reads one trickled candidate: `candidate:…`, with or without a leading `a=`. `null`: not usable. */
export function parseCandidate(text: string): Candidate | null {
  if (text.length > SDP_LIMITS.lineLength) return null;
  const parts = text.replace(/^a=/, '').split(' ');
  if (!parts[0]!.startsWith('candidate:') || parts[6] !== 'typ') return null;
  return candidateOf({
    foundation: parts[0]!.slice('candidate:'.length),
    component: parts[1]!,
    transport: parts[2]!,
    priority: parts[3]!,
    ip: parts[4]!,
    port: parts[5]!,
    type: parts[7] ?? '',
    tcptype: parts[parts.indexOf('tcptype', 8) + 1] ?? '',
  });
}

function readSection(
  session: ParsedSession,
  m: ParsedMedia,
  sessionFingerprints: readonly Fingerprint[],
  ownFingerprints: readonly Fingerprint[],
  room: number,
): Result<MediaSection, SdpError> {
  const kind = string(m.type);
  const port = integer(m.port, 65_535);
  if (kind === '' || port === null) return fail('bad-media', 'unreadable m= line');
  const protocol = string(m.protocol);
  const formats = string(m.payloads).split(' ').filter(Boolean);
  const payloads = /(^|\/)RTP\//.test(protocol) ? readPayloads(m, formats) : [];
  if (payloads === null) return fail('bad-payload', 'payload types are numbers from 0 to 127');
  const connection = (m.connection ?? session.connection)?.ip;
  return ok({
    kind,
    port,
    protocol,
    formats,
    address: connection === undefined ? null : canonicalHost(string(connection).split('/')[0]!),
    direction: (string(m.direction ?? session.direction) || 'sendrecv') as Direction,
    payloads,
    ptime: integer(m.ptime, 1000) || null,
    bandwidth: { ...readBandwidth(session), ...readBandwidth(m) },
    ice: readIce(m) ?? readIce(session),
    fingerprints: ownFingerprints.length > 0 ? ownFingerprints : sessionFingerprints,
    setup: readSetup(m.setup ?? session.setup),
    candidates: (m.candidates ?? [])
      .map(candidateOf)
      .filter((c) => c !== null)
      .slice(0, room),
    endOfCandidates: m.endOfCandidates !== undefined,
    mid: m.mid === undefined ? null : string(m.mid),
    rtcpMux: m.rtcpMux !== undefined,
    rtcp: readRtcp(m),
    ssrcs: readSsrcs(m),
    msid:
      m.msid?.[0] === undefined
        ? null
        : `${string(m.msid[0].id)} ${string(m.msid[0].appdata)}`.trim() || null,
  });
}

/** RFC 3551 §6: what a payload type means without an rtpmap. */
const STATIC: Readonly<Record<number, { name: string; clockRate: number }>> = {
  0: { name: 'PCMU', clockRate: 8000 },
  3: { name: 'GSM', clockRate: 8000 },
  4: { name: 'G723', clockRate: 8000 },
  8: { name: 'PCMA', clockRate: 8000 },
  9: { name: 'G722', clockRate: 8000 },
  13: { name: 'CN', clockRate: 8000 },
  15: { name: 'G728', clockRate: 8000 },
  18: { name: 'G729', clockRate: 8000 },
};

/** In the order of the m= line; those that nothing describes are left out. `null`: not a payload type at all. */
function readPayloads(m: ParsedMedia, formats: readonly string[]): Payload[] | null {
  const out: Payload[] = [];
  const seen = new Set<number>();
  for (const format of formats) {
    const pt = /^\d{1,3}$/.test(format) ? integer(format, 127) : null;
    if (pt === null) return null;
    if (seen.has(pt)) continue;
    seen.add(pt);
    const map = m.rtp.find((r) => r.payload === pt);
    const fmtp = Object.assign({}, ...m.fmtp.filter((f) => f.payload === pt).map((f) => readFmtp(f.config)));
    const clockRate = integer(map?.rate, 1_000_000);
    if (map !== undefined && clockRate) {
      out.push({ pt, name: string(map.codec), clockRate, channels: integer(map.encoding, 255) || 1, fmtp });
    } else if (STATIC[pt] !== undefined) out.push({ pt, ...STATIC[pt], channels: 1, fmtp });
  }
  return out;
}

function readFmtp(config: Word | undefined): Record<string, string> {
  const entries = string(config)
    .split(';')
    .map((part) => part.trim())
    .filter(Boolean)
    .slice(0, 64)
    .map((part): [string, string] => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    });
  return Object.fromEntries(entries);
}

/** By section, the session's own first. sdp-transform would keep only the last of several (RFC 8122 §5). */
function readFingerprints(lines: readonly string[]): Fingerprint[][] {
  const out: Fingerprint[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) out.push([]);
    const found = /^a=fingerprint:([\w-]{1,16}) ([0-9a-fA-F:]{1,200})\s*$/.exec(line);
    if (found !== null && out.at(-1)!.length < 8) {
      out.at(-1)!.push({ hash: found[1]!.toLowerCase(), value: found[2]!.toUpperCase() });
    }
  }
  return out;
}

function readBandwidth(level: ParsedLevel): Bandwidth {
  const limit = (type: string): number | null =>
    integer(level.bandwidth?.find((b) => b.type === type)?.limit, 1e9);
  const as = limit('AS');
  const tias = limit('TIAS');
  return { ...(as !== null && { as }), ...(tias !== null && { tias }) };
}

function readIce(level: ParsedLevel): IceParameters | null {
  const ufrag = string(level.iceUfrag);
  const pwd = string(level.icePwd);
  // RFC 8839 §5.4: at least 4 and 22, at most 256 characters.
  if (ufrag.length < 4 || pwd.length < 22 || ufrag.length > 256 || pwd.length > 256) return null;
  return { ufrag, pwd, options: string(level.iceOptions).split(' ').filter(Boolean) };
}

function readSetup(value: Word | undefined): SetupRole | null {
  const setup = string(value);
  return ['active', 'passive', 'actpass', 'holdconn'].includes(setup) ? (setup as SetupRole) : null;
}

function readRtcp(m: ParsedMedia): MediaSection['rtcp'] {
  const port = integer(m.rtcp?.port, 65_535);
  if (port === null) return null;
  return { port, address: m.rtcp?.address === undefined ? null : canonicalHost(string(m.rtcp.address)) };
}

function readSsrcs(m: ParsedMedia): MediaSection['ssrcs'] {
  const out = new Map<number, string | null>();
  for (const { id, attribute, value } of m.ssrcs ?? []) {
    const ssrc = integer(id, 0xffffffff);
    if (ssrc === null || (out.size >= 16 && !out.has(ssrc))) continue;
    out.set(ssrc, attribute === 'cname' ? string(value) : (out.get(ssrc) ?? null));
  }
  return [...out].map(([ssrc, cname]) => ({ ssrc, cname }));
}

const TYPES = ['host', 'srflx', 'prflx', 'relay'];
const TCP_TYPES = ['active', 'passive', 'so'];

function candidateOf(c: NonNullable<ParsedMedia['candidates']>[number]): Candidate | null {
  const component = integer(c.component, 256);
  const priority = integer(c.priority, 0xffffffff);
  const port = integer(c.port, 65_535);
  const transport = string(c.transport).toLowerCase();
  const address = string(c.ip);
  const type = string(c.type);
  if (component === null || priority === null || port === null || !TYPES.includes(type)) return null;
  if ((transport !== 'udp' && transport !== 'tcp') || !/^[\w.:%-]{1,255}$/.test(address)) return null;
  const foundation = string(c.foundation);
  const candidate: Candidate = {
    foundation,
    component,
    transport,
    priority,
    address,
    port,
    type: type as Candidate['type'],
  };
  const tcpType = string(c.tcptype);
  if (transport === 'udp' || !TCP_TYPES.includes(tcpType)) return candidate;
  return { ...candidate, tcpType: tcpType as NonNullable<Candidate['tcpType']> };
}

function string(word: Word | undefined): string {
  return word === undefined ? '' : String(word);
}

/** A decimal integer from 0 to `most`, or `null`. */
function integer(word: Word | undefined, most: number): number | null {
  const text = string(word);
  if (!/^\d{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value <= most ? value : null;
}

function isDigits(word: Word | undefined): boolean {
  return /^\d{1,20}$/.test(string(word));
}

function fail(
  code: SdpError['code'],
  message: string,
  at?: number,
): { readonly ok: false; readonly error: SdpError } {
  return err(at === undefined ? { code, message } : { code, message, at });
}
