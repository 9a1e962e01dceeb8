const KNOWN = [
  'Accept',
  'Accept-Contact',
  'Accept-Encoding',
  'Accept-Language',
  'Alert-Info',
  'Allow',
  'Allow-Events',
  'Authentication-Info',
  'Authorization',
  'Call-ID',
  'Call-Info',
  'Contact',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Type',
  'CSeq',
  'Date',
  'Diversion',
  'Error-Info',
  'Event',
  'Expires',
  'Flow-Timer',
  'From',
  'History-Info',
  'Identity',
  'In-Reply-To',
  'Join',
  'Max-Breadth',
  'Max-Forwards',
  'MIME-Version',
  'Min-Expires',
  'Min-SE',
  'Organization',
  'P-Access-Network-Info',
  'P-Asserted-Identity',
  'P-Associated-URI',
  'P-Charging-Vector',
  'P-Preferred-Identity',
  'Path',
  'Priority',
  'Privacy',
  'Proxy-Authenticate',
  'Proxy-Authentication-Info',
  'Proxy-Authorization',
  'Proxy-Require',
  'RAck',
  'Reason',
  'Record-Route',
  'Recv-Info',
  'Refer-To',
  'Referred-By',
  'Reject-Contact',
  'Remote-Party-ID',
  'Replaces',
  'Reply-To',
  'Request-Disposition',
  'Require',
  'Retry-After',
  'Route',
  'RSeq',
  'Server',
  'Service-Route',
  'Session-Expires',
  'SIP-ETag',
  'SIP-If-Match',
  'Subject',
  'Subscription-State',
  'Supported',
  'Target-Dialog',
  'Timestamp',
  'To',
  'Unsupported',
  'User-Agent',
  'Info-Package',
  'Via',
  'Warning',
  'WWW-Authenticate',
] as const;

/** Compact forms (RFC 3261 §7.3.3 and the IANA registry). */
const COMPACT: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
};

const BY_SPELLING = new Map<string, string>();
for (const name of KNOWN) {
  BY_SPELLING.set(name, name);
  BY_SPELLING.set(name.toLowerCase(), name);
}
for (const [short, name] of Object.entries(COMPACT)) {
  BY_SPELLING.set(short, name);
  BY_SPELLING.set(short.toUpperCase(), name);
}

/** The canonical spelling of a known header (compact forms undone); an unknown one stays as written. */
export function canonicalName(name: string): string {
  if (name.startsWith('X-')) return name;
  return BY_SPELLING.get(name) ?? BY_SPELLING.get(name.toLowerCase()) ?? name;
}

/** Headers that have a field of their own in `Headers`, or that the writer makes. */
const STRUCTURED = new Set([
  'Via',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Max-Forwards',
  'Contact',
  'Route',
  'Record-Route',
  'Content-Type',
  'Content-Length',
]);

export const isStructured = (canonical: string): boolean => STRUCTURED.has(canonical);

/**
 * The structured header whose usual spelling (`Name: `) begins at `at`, or ''. Most lines of most peers are spelled so,
 * and comparing is cheaper than cutting the name out and looking it up.
 */
export function usualName(text: string, at: number): string {
  switch (text.charCodeAt(at)) {
    case 86:
      return text.startsWith('Via: ', at) ? 'Via' : '';
    case 70:
      return text.startsWith('From: ', at) ? 'From' : '';
    case 84:
      return text.startsWith('To: ', at) ? 'To' : '';
    case 77:
      return text.startsWith('Max-Forwards: ', at) ? 'Max-Forwards' : '';
    case 82:
      if (text.startsWith('Record-Route: ', at)) return 'Record-Route';
      return text.startsWith('Route: ', at) ? 'Route' : '';
    case 67:
      if (text.startsWith('CSeq: ', at)) return 'CSeq';
      if (text.startsWith('Call-ID: ', at)) return 'Call-ID';
      if (text.startsWith('Contact: ', at)) return 'Contact';
      if (text.startsWith('Content-Length: ', at)) return 'Content-Length';
      return text.startsWith('Content-Type: ', at) ? 'Content-Type' : '';
    default:
      return '';
  }
}
