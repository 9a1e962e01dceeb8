/**
 * A payload as a query, in the form that servers read back into the same object:
 * `data[event_type]=call.initiated&data[payload][custom_headers][0][name]=X-One&…`. null and an empty list are an empty value.
 */
export function queryOf(value: object): string {
  const parts: string[] = [];
  const write = (name: string, inner: unknown): void => {
    if (typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0)
      for (const [key, deeper] of Object.entries(inner)) write(`${name}[${key}]`, deeper);
    else parts.push(`${encoded(name)}=${encoded(typeof inner === 'object' ? '' : String(inner))}`);
  };
  for (const [key, inner] of Object.entries(value)) write(key, inner);
  return parts.join('&');
}

/** Brackets stay what they are; half of a surrogate pair is no character. */
const encoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/%5B/g, '[').replace(/%5D/g, ']');
