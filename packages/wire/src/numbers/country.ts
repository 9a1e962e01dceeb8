import { AREA_CODES, PLANS_OF, type Plan } from './plans.ts';

/** What `countryOf` says of a number that is of no country. */
export const NO_COUNTRY = 'ZZ';

/** ITU-T E.164: at most fifteen digits. */
const E164 = /^\+[1-9]\d{6,14}$/;

const NORTH_AMERICAN = /^(?:[2-9]\d\d){2}\d{4}$/;

export const isE164 = (text: string): boolean => E164.test(text);

const codes: ReadonlyMap<string, string> = new Map([
  ...[...PLANS_OF].flatMap(([code, plans]) => plans.map(({ country }) => [country, code] as const)),
  ...[...AREA_CODES.values()].map((country) => [country, '1'] as const),
]);

/** A +E.164 number cut behind its country code; `null` without a code that is a country's. */
function split(number: string): readonly [code: string, national: string] | null {
  if (!E164.test(number)) return null;
  for (const length of [1, 2, 3]) {
    const code = number.slice(1, 1 + length);
    if (code === '1' || PLANS_OF.has(code)) return [code, number.slice(1 + length)];
  }
  return null;
}

const fits = ({ lengths: [least, most] }: Plan, { length }: string): boolean =>
  length >= least && length <= most;

/**
 * The country whose plan has this +E.164 number, ISO 3166-1 alpha-2; `ZZ` for every other text. A number is of a country because its
 * length and first digits are in the plan, never because they are in no other: what carriers may read otherwise is of none.
 */
export function countryOf(number: string): string {
  const parts = split(number);
  if (parts === null) return NO_COUNTRY;
  const [code, national] = parts;
  if (code === '1')
    return (NORTH_AMERICAN.test(national) && AREA_CODES.get(national.slice(0, 3))) || NO_COUNTRY;
  const plan = PLANS_OF.get(code)!.find(({ begins }) => begins.test(national));
  return plan !== undefined && fits(plan, national) ? plan.country : NO_COUNTRY;
}

/** Whether there may be such a number: a country has its code, and numbers of this length. Judges nothing; see `countryOf`. */
export function isPossible(number: string): boolean {
  const parts = split(number);
  if (parts === null) return false;
  const [code, national] = parts;
  if (code === '1') return /^[2-9]\d{9}$/.test(national);
  return PLANS_OF.get(code)!.some((plan) => fits(plan, national));
}

/** The country to show with a number of ours: of a number that no plan has the one that its code stands for first. */
export function homeOf(number: string): string {
  const country = countryOf(number);
  const code = country === NO_COUNTRY ? split(number)?.[0] : undefined;
  if (code === undefined) return country;
  return code === '1' ? 'US' : PLANS_OF.get(code)!.at(-1)!.country;
}

/** The calling code of a country, without `+`; `undefined` for one that is not known. */
export const callingCodeOf = (country: string): string | undefined => codes.get(country);

/** All calling codes of countries. */
export const CALLING_CODES: readonly string[] = ['1', ...PLANS_OF.keys()];
