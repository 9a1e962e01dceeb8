import { emptySection, type MediaSection } from './description.ts';

/**
 * Sections with port 0 (RFC 3264 §6, §8.2): refused or ended. Whatever they say means nothing and may be nonsense, but they keep their
 * place, so that an answer has as many sections in the same order.
 */
const DISABLED = /^m=([!-~]{1,64})[ \t]+0{1,10}(?:\/\d{1,10})?(?:[ \t]+([!-~]{1,64})(?:[ \t]+(.*))?)?[ \t]*$/;
const FORMAT = /^[!-~]{1,64}$/;
const MID = /^a=mid:([!-~]{1,64})\s*$/;
/** In the place of a disabled section's `m=` line. */
const PLACEHOLDER = 'm=disabled 0 none';

export interface WithoutDisabled {
  /** The lines that mean something, with their numbers from 1. */
  readonly lines: readonly { readonly text: string; readonly at: number }[];
  /** By the section's index. */
  readonly disabled: ReadonlyMap<number, MediaSection>;
}

export function withoutDisabled(lines: readonly string[]): WithoutDisabled {
  const kept: { text: string; at: number }[] = [];
  const disabled = new Map<number, MediaSection>();
  let section = -1;
  for (const [i, text] of lines.entries()) {
    if (text.startsWith('m=')) {
      section++;
      const found = DISABLED.exec(text);
      if (found !== null) disabled.set(section, nothing(found[1]!, found[2] ?? 'RTP/AVP', found[3] ?? ''));
      kept.push({ text: found === null ? text : PLACEHOLDER, at: i + 1 });
      continue;
    }
    const off = disabled.get(section);
    if (off === undefined) kept.push({ text, at: i + 1 });
    else {
      const mid = MID.exec(text)?.[1];
      if (mid !== undefined) disabled.set(section, { ...off, mid });
    }
  }
  return { lines: kept, disabled };
}

function nothing(kind: string, protocol: string, formats: string): MediaSection {
  return {
    ...emptySection(kind, 0, protocol),
    formats: formats.split(/[ \t]+/).filter((format) => FORMAT.test(format)),
  };
}
