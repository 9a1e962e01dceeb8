/**
 * Whether the text is an IPv6 address (RFC 4291 §2.2; an embedded IPv4 address as the last 32 bits is allowed), without
 * brackets and zone.
 */
export function isIpv6(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false;
  let groups = 0;
  let compressed = false;
  let i = 0;
  if (text.charCodeAt(0) === 58 && text.charCodeAt(1) !== 58) return false;
  while (i < text.length) {
    if (text.charCodeAt(i) === 58) {
      // Only "::" leads here; a single colon is eaten behind its group.
      if (compressed || text.charCodeAt(i + 1) !== 58) return false;
      compressed = true;
      i += 2;
      continue;
    }
    let j = i;
    while (j < text.length && isHex(text.charCodeAt(j))) j += 1;
    if (text.charCodeAt(j) === 46) {
      if (!isIpv4(text.slice(i))) return false;
      groups += 2;
      i = text.length;
      break;
    }
    if (j === i || j - i > 4) return false;
    groups += 1;
    if (j === text.length) {
      i = j;
      break;
    }
    if (text.charCodeAt(j) !== 58) return false;
    if (text.charCodeAt(j + 1) === 58) i = j;
    else if (j + 1 === text.length) return false;
    else i = j + 1;
    if (i === j) {
      if (compressed) return false;
      compressed = true;
      i = j + 2;
    }
  }
  return compressed ? groups < 8 : groups === 8;
}

/** Whether the text is a dotted IPv4 address. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.', 5);
  if (parts.length !== 4) return false;
  for (const part of parts) {
    if (part.length < 1 || part.length > 3) return false;
    for (let i = 0; i < part.length; i++)
      if (part.charCodeAt(i) < 48 || part.charCodeAt(i) > 57) return false;
    if (Number(part) > 255) return false;
  }
  return true;
}

const isHex = (c: number): boolean => (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
