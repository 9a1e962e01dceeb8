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
export const recordOf =
  <T>(checks: Checks<T>): Check =>
  (value) =>
    isFields(value) && Object.entries<Check>(checks).every(([name, is]) => is(value[name]));
