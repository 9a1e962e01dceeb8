import type { Candidate, MediaSection, Payload, SessionDescription } from './description.ts';

/** Writes a session description with CRLF line ends. */
export function formatSdp(description: SessionDescription): string {
  const { origin, media } = description;
  const common = commonAddress(media);
  const lines = [
    'v=0',
    `o=${origin.username} ${origin.sessionId} ${origin.version} ${inAddress(origin.address)}`,
    `s=${description.name || '-'}`,
  ];
  if (common !== null) lines.push(`c=${inAddress(common)}`);
  lines.push('t=0 0');
  if (description.bundle.length > 0) lines.push(`a=group:BUNDLE ${description.bundle.join(' ')}`);
  if (description.iceLite) lines.push('a=ice-lite');
  for (const section of media) lines.push(...sectionLines(section, common));
  return `${lines.join('\r\n')}\r\n`;
}

/** One candidate as an attribute value, without `a=`. */
export function formatCandidate(c: Candidate): string {
  const line = `candidate:${c.foundation} ${c.component} ${c.transport} ${c.priority} ${c.address} ${c.port} typ ${c.type}`;
  return c.tcpType === undefined ? line : `${line} tcptype ${c.tcpType}`;
}

function sectionLines(m: MediaSection, common: string | null): string[] {
  const lines = [`m=${m.kind} ${m.port} ${m.protocol} ${m.formats.join(' ')}`];
  if (m.address !== null && m.address !== common) lines.push(`c=${inAddress(m.address)}`);
  if (m.bandwidth.as !== undefined) lines.push(`b=AS:${m.bandwidth.as}`);
  if (m.bandwidth.tias !== undefined) lines.push(`b=TIAS:${m.bandwidth.tias}`);
  if (m.rtcp !== null) {
    lines.push(`a=rtcp:${m.rtcp.port}${m.rtcp.address === null ? '' : ` ${inAddress(m.rtcp.address)}`}`);
  }
  for (const c of m.candidates) lines.push(`a=${formatCandidate(c)}`);
  if (m.endOfCandidates) lines.push('a=end-of-candidates');
  if (m.ice !== null) {
    lines.push(`a=ice-ufrag:${m.ice.ufrag}`, `a=ice-pwd:${m.ice.pwd}`);
    if (m.ice.options.length > 0) lines.push(`a=ice-options:${m.ice.options.join(' ')}`);
  }
  for (const f of m.fingerprints) lines.push(`a=fingerprint:${f.hash} ${f.value}`);
  if (m.setup !== null) lines.push(`a=setup:${m.setup}`);
  if (m.mid !== null) lines.push(`a=mid:${m.mid}`);
  lines.push(`a=${m.direction}`);
  if (m.rtcpMux) lines.push('a=rtcp-mux');
  for (const p of m.payloads) lines.push(...payloadLines(p));
  if (m.ptime !== null) lines.push(`a=ptime:${m.ptime}`);
  if (m.msid !== null) lines.push(`a=msid:${m.msid}`);
  for (const { ssrc, cname } of m.ssrcs) lines.push(`a=ssrc:${ssrc} cname:${cname ?? '-'}`);
  return lines;
}

function payloadLines(p: Payload): string[] {
  const lines = [`a=rtpmap:${p.pt} ${p.name}/${p.clockRate}${p.channels > 1 ? `/${p.channels}` : ''}`];
  const fmtp = Object.entries(p.fmtp).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  if (fmtp.length > 0) lines.push(`a=fmtp:${p.pt} ${fmtp.join(';')}`);
  return lines;
}

function inAddress(address: string): string {
  return `IN IP${address.includes(':') ? 6 : 4} ${address}`;
}

/** The address that all sections share goes to the session level, where old peers look for it. */
function commonAddress(media: readonly MediaSection[]): string | null {
  const first = media[0]?.address ?? null;
  return media.every((m) => m.address === first) ? first : null;
}
