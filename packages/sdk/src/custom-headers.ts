import { TelnyxError } from './errors.ts';

/** A custom SIP header of a call. */
export interface CustomHeader {
  name: string;
  value: string;
}

const MOST = 20;
const LONGEST = 1024;
const NAME = /^X-[A-Za-z0-9._-]{1,62}$/i;
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * Custom headers that the server will accept: names that begin with `X-`, values without line breaks or control characters. Throws
 * {@link TelnyxError} 44002 with a sentence that names the header, so that the mistake shows where it was made.
 */
export function checkedHeaders(headers: readonly CustomHeader[] | undefined): CustomHeader[] {
  if (headers === undefined) return [];
  if (!Array.isArray(headers)) throw refuse('customHeaders must be a list of {name, value}');
  if (headers.length > MOST) throw refuse(`at most ${MOST} custom headers can be sent`);
  return headers.map((header: CustomHeader | null) => {
    const name = String(header?.name ?? '');
    const value = String(header?.value ?? '');
    const shown = name.replace(/[^\w.-]/g, '?').slice(0, 40);
    const wrong = !NAME.test(name)
      ? 'a name is X- and letters, digits, dots or dashes'
      : /^x-sidetone-/i.test(name)
        ? 'X-Sidetone- names are reserved'
        : UNSAFE.test(value)
          ? 'a line break or control character'
          : new TextEncoder().encode(value).length > LONGEST
            ? `longer than ${LONGEST} bytes`
            : '';
    if (wrong !== '') throw refuse(`custom header "${shown}": ${wrong}`);
    return { name, value };
  });
}

const refuse = (detail: string): TelnyxError => new TelnyxError('INVALID_CALL_PARAMETERS', detail);

/** Custom headers that came from the server: what is no header is left out. */
export function receivedHeaders(value: unknown): CustomHeader[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    const { name, value: text } = (item ?? {}) as Partial<CustomHeader>;
    return typeof name === 'string' && typeof text === 'string' ? [{ name, value: text }] : [];
  });
}
