/*
 * Checks of values that come from outside: of a journal, of another process. A reader that names a check for every field of its
 * record (`Checks<T>`) does not compile when a new field has none.
 */

export type Fields = Readonly<Record<string, unknown>>;
export type Check = (value: unknown) => boolean;
export type Checks<T> = { readonly [K in keyof Required<T>]: Check };

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Text that is not empty. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
export const isString = (value: unknown): value is string => typeof value === 'string';
export const isNumber = (value: unknown): value is number => Number.isFinite(value);
export const isFlag = (value: unknown): value is boolean => typeof value === 'boolean';

export const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
export const orNull =
  (is: Check): Check =>
  (value) =>
    value === null || is(value);
/** The field may be missing. */
export const maybe =
  (is: Check): Check =>
  (value) =>
    value === undefined || is(value);
export const listOf =
  (is: Check, most = 1024): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(is);
/** The first field, in the order of the checks, that is not as it has to be; `null` when all are. */
export function wrongField<T>(checks: Checks<T>, value: Fields): string | null {
  for (const [name, is] of Object.entries<Check>(checks)) if (!is(value[name])) return name;
  return null;
}
export const recordOf =
  <T>(checks: Checks<T>): Check =>
  (value) =>
    isFields(value) && wrongField(checks, value) === null;

/** The fields that `checks` names, and no others; `null` when one of them is wrong. */
export function readRecord<T>(checks: Checks<T>, value: unknown): T | null {
  if (!isFields(value) || wrongField(checks, value) !== null) return null;
  const named = Object.keys(checks).filter((name) => value[name] !== undefined);
  return Object.fromEntries(named.map((name) => [name, value[name]])) as T;
}
