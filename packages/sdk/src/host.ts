/** Which part of the page's address decides where the server is. */
export interface PageLocation {
  readonly protocol: string;
  readonly host: string;
}

/** Where to connect, and what the connection is asked for. */
export interface HostChoice {
  readonly host?: string | undefined;
  readonly region?: string | undefined;
  readonly env?: string | undefined;
}

/**
 * The WebSocket address for the options of a client. Without `host` it is the page's own origin. A host without a scheme gets
 * `wss://`. `env: 'development'` and `region` change hosts whose name begins with `rtc`: `rtcdev.example.com`,
 * `eu.rtc.example.com`; other hosts stay as they are.
 */
export function serverUrl(choice: HostChoice, page: PageLocation | undefined): string {
  let url = choice.host ?? '';
  if (url === '') {
    if (page === undefined || page.host === '')
      throw new Error('no host: this page has no address of its own, give `host`');
    url = `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}/`;
  } else if (/^https?:\/\//i.test(url)) url = url.replace(/^http/i, 'ws');
  else if (!/^wss?:\/\//i.test(url)) url = `wss://${url}`;
  if (choice.env === 'development') url = url.replace(/^(wss?:\/\/)rtc\./i, '$1rtcdev.');
  if (choice.region) url = url.replace(/^(wss?:\/\/)(rtc(?:dev)?\.)/i, `$1${choice.region}.$2`);
  return url;
}

/** Adds query parameters; those without a value are left out. */
export function withQuery(url: string, query: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}
