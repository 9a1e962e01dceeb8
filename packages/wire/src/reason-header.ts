import { CAUSE, type Cause, causeByName, causeForQ850, causeForSip } from './causes.ts';

/** One value of a Reason header (RFC 3326 §2). */
export interface ReasonValue {
  /** In upper case: `SIP`, `Q.850`. */
  readonly protocol: string;
  readonly cause?: number;
  readonly text?: string;
}

const MAX_LENGTH = 2048;
const MAX_VALUES = 8;

/** Writes a Reason header for a cause: Q.850 where the number is one, else SIP (RFC 3326 §2). */
export function formatReason(cause: Cause): string {
  if (cause.name === 'LOSE_RACE' || cause.name === 'PICKED_OFF')
    return 'SIP;cause=200;text="Call completed elsewhere"';
  return cause.code <= 127
    ? `Q.850;cause=${cause.code};text="${cause.name}"`
    : `SIP;cause=${cause.sip};text="${cause.name}"`;
}

/** Reads one Reason header line: a comma separated list. What does not parse is left out. */
export function parseReason(line: string): readonly ReasonValue[] {
  if (line.length > MAX_LENGTH) return [];
  const values: ReasonValue[] = [];
  for (const part of split(line, ',')) {
    const [protocol, ...params] = split(part, ';');
    if (protocol === undefined || !/^[A-Za-z0-9.\-_]{1,32}$/.test(protocol)) continue;
    let cause: number | undefined;
    let text: string | undefined;
    for (const param of params) {
      const equals = param.indexOf('=');
      if (equals < 0) continue;
      const name = param.slice(0, equals).trim().toLowerCase();
      const value = param.slice(equals + 1).trim();
      if (name === 'cause' && /^[0-9]{1,4}$/.test(value)) cause = Number(value);
      if (name === 'text') text = unquote(value);
    }
    values.push({
      protocol: protocol.toUpperCase(),
      ...(cause === undefined ? {} : { cause }),
      ...(text === undefined ? {} : { text }),
    });
    if (values.length === MAX_VALUES) break;
  }
  return values;
}

/** Splits outside of quoted strings and trims the parts. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '\\') i += 1;
    else if (c === '"') quoted = !quoted;
    else if (c === separator && !quoted) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

const unquote = (text: string): string =>
  text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text;

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/**
 * The cause that a message states, most exact first: our own header by name, a Q.850 number, a SIP cause. `undefined` when it states
 * none; then the status decides (`causeForSip`). `SIP;cause=200` in a CANCEL says that another device answered
 * (RFC 3326 §3.1).
 */
export function causeFromReason(reasons: readonly string[], internal: string | undefined): Cause | undefined {
  const values = reasons.flatMap((line) => parseReason(line));
  const q850 = values.find((v) => v.protocol === 'Q.850' && v.cause !== undefined && v.cause >= 1)?.cause;
  if (internal !== undefined && NAME.test(internal.trim())) {
    const name = internal.trim();
    const known = causeByName(name);
    if (known !== undefined) return known;
    const code = q850 ?? CAUSE.normalUnspecified.code;
    return { name, code, sip: causeForQ850(code)?.sip ?? CAUSE.normalUnspecified.sip };
  }
  if (q850 !== undefined) return causeForQ850(q850) ?? { ...CAUSE.normalUnspecified, code: q850 };
  const sip = values.find((v) => v.protocol === 'SIP' && v.cause !== undefined)?.cause;
  if (sip === undefined || sip > 699) return undefined;
  return sip === 200 ? CAUSE.loseRace : causeForSip(sip);
}
