import { relative } from 'node:path';
import type { Config } from '../config/schema.ts';
import { hostAndPort } from '../net/addresses.ts';
import { publicHosts } from '../net/listen-hosts.ts';
import { VERSION } from '../version.ts';

/** The address a browser on this machine opens. */
export function httpAddress(config: Config): string {
  const host = config.http.host === '0.0.0.0' || config.http.host === '::' ? '127.0.0.1' : config.http.host;
  return `${config.http.tls === undefined ? 'http' : 'https'}://${hostAndPort(host, config.http.port)}`;
}

/** What a person sees when the service is up. */
export function bannerText(
  config: Config,
  dataDir: string,
  mediaAddresses: readonly string[],
  users: readonly { readonly userName: string; readonly link?: string }[],
  hasEspeak: boolean,
): string {
  const address = httpAddress(config);
  const row = (name: string, value: string): string => `  ${name.padEnd(11)}${value}`;
  const links = users.filter((user) => user.link !== undefined);
  const names = users.map((user) => user.userName);
  const shown = shortList(names);
  const { udp, tcp } = config.sip;
  const sip = publicHosts(config.sip).map(
    (host) => `${hostAndPort(host, udp)} udp, ${hostAndPort(host, tcp)} tcp`,
  );
  return [
    '',
    `Sidetone ${VERSION}`,
    '',
    ...links.map((user, i) =>
      row(i === 0 ? 'Softphone' : '', `${address}/?token=${user.link}   (${user.userName}, works once)`),
    ),
    ...(links.length > 0
      ? [row('', 'Open it, press Call and hear yourself. A new link comes with every start.'), '']
      : [row('Softphone', address)]),
    row('Dial', `9196 echo, 9197 tone, 9664 music${names.length > 1 ? `; or a user: ${shown}` : ''}`),
    row('API', `${address}/v2, described at ${address}/v2/docs; "npx sidetone key create" prints a key`),
    row('SIP', `${sip.join('; ')}, domain ${config.domain}`),
    row(
      'Media',
      `udp ${config.media.ports[0]}-${config.media.ports[1]}${config.media.tcp_port === undefined ? '' : `, tcp ${config.media.tcp_port}`} on ${mediaAddresses.join(', ')}; STUN udp ${config.stun.port}`,
    ),
    ...(config.webhooks.allow.length === 0
      ? []
      : [row('Webhooks', `may reach ${shortList(config.webhooks.allow)}, besides the Internet`)]),
    ...(config.speech.url === undefined && !hasEspeak
      ? [
          row(
            'Speech',
            'none: commands that speak are silent; install espeak-ng, or name an engine (speech.url)',
          ),
        ]
      : []),
    row(
      'Data',
      relative(process.cwd(), dataDir).startsWith('..') ? dataDir : `./${relative(process.cwd(), dataDir)}`,
    ),
    row('Stop', 'Ctrl-C'),
    '',
  ].join('\n');
}

const shortList = (all: readonly string[]): string =>
  all.slice(0, 5).join(', ') + (all.length > 5 ? ` and ${all.length - 5} more` : '');
