/**
 * No line of the control connection is longer. A peer's SDP of 64 KiB is in it, and JSON spells a control character in
 * six: what a peer may send must never break the connection that all calls depend on.
 */
export const MAX_LINE = 512 * 1024;

/**
 * Splits a byte stream into JSON values, one a line. Returns what takes chunks; `broken` is called once when a line is
 * longer than `MAX_LINE` or no JSON object, and everything after it is ignored.
 */
export function jsonLines(
  value: (object: Readonly<Record<string, unknown>>) => void,
  broken: (why: string) => void,
): (chunk: string) => void {
  let rest = '';
  let dead = false;
  const fail = (why: string): void => {
    dead = true;
    rest = '';
    broken(why);
  };
  return (chunk) => {
    if (dead) return;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (dead) return;
      if (line.length > MAX_LINE) return fail('line too long');
      if (line === '') continue;
      let parsed: unknown;
      try {
        parsed = JSON.parse(line);
      } catch {
        return fail('not JSON');
      }
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
        return fail('not an object');
      value(parsed as Record<string, unknown>);
    }
    if (rest.length > MAX_LINE) fail('line too long');
  };
}
