import { canonicalHost, familyOf } from '@sidetone/core';
import { callingCodeOf, listedNumber, readNumber } from '@sidetone/wire';
import { z } from 'zod';
import { DEFAULT_CODECS, DEFAULT_REJECT_CODE } from '../identity/defaults.ts';
import { recordingsSection } from './recordings-section.ts';
import { soundsSection, speechSection, streamsSection, transcriptionSection } from './sound-sections.ts';

/**
 * The configuration file. The JSON Schema in `docs/config.schema.json` is generated from here, and the server validates
 * against the same value, so they cannot part ways. Unknown keys are errors: a misspelt key must not be ignored.
 */

const port = z.int().min(1).max(65535);
/** Addresses are taken with brackets, too, and kept in one spelling. */
const host = z
  .string()
  .min(1)
  .max(253)
  .overwrite((text) => (text.includes(':') ? canonicalHost(text) : text))
  .refine((text) => !text.includes(':') || familyOf(text) !== null, {
    message: 'must be a name or an address, without a port',
  });
/** One, or one for each address family. */
const HOSTS = 'must be a name or an address, or a list of one IPv4 and one IPv6 address';
const hosts = z.union([host, z.array(host).min(1, HOSTS).max(2, HOSTS)], { error: HOSTS });
const codec = z.enum(['OPUS', 'PCMU', 'PCMA', 'G722']);
const userName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9._-]{0,63}$/,
    'must start with a letter and hold only letters, digits, dot, dash, underscore',
  );
/** A number as people write and paste it; kept in its one spelling. */
const dialled = z
  .string()
  .max(64)
  .transform((text, context) => {
    const number = readNumber(text);
    if (number !== undefined && number.length <= 33) return listedNumber(number);
    context.addIssue({
      code: 'custom',
      message: 'must be digits, with an optional + in front, such as +13125550100',
    });
    return z.NEVER;
  });
/** A number that is listed with `+` and without is one. */
const distinct = (numbers: readonly string[]): string[] =>
  [...new Set(numbers)].filter((n) => n.length < 7 || !numbers.includes(`+${n}`));

/** An address, or a network by the length of its prefix. IPv4 inside IPv6 is written as IPv4, and a zone names no network. */
const network = z.string().refine(isNetwork, 'must be an address or a network, like 10.0.0.0/8');

function isNetwork(text: string): boolean {
  const match = /^([0-9a-fA-F:.]{2,45})(?:\/(\d{1,3}))?$/.exec(text);
  const family = familyOf(match?.[1] ?? '');
  if (match === null || family === null || (family === 4 && text.includes(':'))) return false;
  return Number(match[2] ?? 0) <= (family === 4 ? 32 : 128);
}

/** A host name has letters, so that a misspelt address is not one. */
function isHostOrNetwork(text: string): boolean {
  return isNetwork(text) || (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text) && /[A-Za-z]/.test(text));
}

const connection = z.strictObject({
  user_name: userName.describe(
    'SIP user name: login of the clients and the part before @ when they are dialled.',
  ),
  password: z.string().min(8).max(128).describe('Password of the SIP user; at least 8 characters.'),
  numbers: z
    .array(dialled)
    .transform(distinct)
    .prefault([])
    .describe('Phone numbers of this user, in E.164 form with +.'),
  sip_uri_calling_preference: z
    .enum(['disabled', 'internal', 'unrestricted'])
    .default('internal')
    .describe('Who may dial user_name@domain: nobody, users of the same account, or anyone.'),
  dnis_number_format: z
    .enum(['+e164', 'e164', 'national', 'sip_username'])
    .default('sip_username')
    .describe('With sip_username, dialling one of the numbers rings the clients of this user.'),
  simultaneous_ringing: z
    .enum(['enabled', 'disabled'])
    .default('disabled')
    .describe('Ring all clients of the user at once, or only the last that logged in.'),
  reject_code: z
    .int()
    .min(400)
    .max(699)
    .default(DEFAULT_REJECT_CODE)
    .describe('The SIP status a caller sees when the client rejects without stating one.'),
  codecs: z
    .array(codec)
    .min(1)
    .default([...DEFAULT_CODECS])
    .describe('Codecs towards the clients, most wanted first.'),
});

const trunk = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must hold only letters, digits, dot, dash, underscore'),
  host: host.describe('Address of the carrier. Calls from this address are accepted without credentials.'),
  port: port.default(5060),
  transport: z.enum(['udp', 'tcp']).default('udp'),
  large_requests: z
    .enum(['udp', 'tcp'])
    .default('udp')
    .describe(
      'With transport udp: by what requests above 1300 bytes go. tcp: by TCP to the same port, and by UDP when no connection is made.',
    ),
  prefixes: z
    .array(z.string().regex(/^\+?[0-9*#]{0,32}$/))
    .default(['+'])
    .describe('Numbers that start with one of these go to this trunk; the longest match wins.'),
  number_format: z
    .enum(['auto', 'e164', 'national'])
    .default('auto')
    .describe(
      'How the carrier writes numbers that have no +. auto: seen from the number it calls. e164: the digits of +E.164. national: as country dials.',
    ),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a country code of two capital letters, such as US')
    .refine((country) => callingCodeOf(country) !== undefined, {
      message: 'must be the code of a country that has telephone numbers, such as US or GB',
    })
    .optional()
    .describe('Country whose national numbers the carrier writes. Without it: that of the number called.'),
  codecs: z
    .array(codec)
    .min(1)
    .default([...DEFAULT_CODECS]),
  dtmf: z
    .enum(['rfc4733', 'info'])
    .default('rfc4733')
    .describe('How digits are sent: as RTP events or as SIP INFO.'),
  policy: z
    .enum(['quality', 'capacity'])
    .default('quality')
    .describe(
      'quality: Opus to the browser, transcoding where the carrier has none. capacity: give the browser the codec of the carrier.',
    ),
  user_name: z.string().min(1).max(128).optional().describe('For a carrier that challenges our calls.'),
  password: z.string().min(1).max(128).optional(),
  realms: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(8)
    .optional()
    .describe(
      'The digest realms that user_name and password are for. Without it: those that the carrier states when it challenges the first call.',
    ),
});

const httpSection = z.strictObject({
  host: host.default('127.0.0.1'),
  port: port.default(8080),
  tls: z
    .strictObject({
      cert: z.string().min(1).describe('PEM file with the certificate chain.'),
      key: z.string().min(1).describe('PEM file with the private key.'),
    })
    .optional()
    .describe(
      'With a certificate the same port serves https and wss. Browsers need it for the microphone beyond localhost.',
    ),
  public_url: z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[^\s?#]+$/, 'must look like https://voice.example')
    .optional()
    .describe(
      'How others reach this server: links to recordings begin with it. Default: the address that it listens on.',
    ),
  origins: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Origins of web pages that may open the WebSocket, beside the own one; "*" allows any. On a loopback host, pages of this machine may always.',
    ),
  trusted_proxies: z
    .array(network)
    .max(256)
    .default([])
    .describe(
      'Addresses and networks of the reverse proxies before this server. The client is then who they say (X-Forwarded-For or Forwarded); from anybody else those headers mean nothing.',
    ),
});

const sipSection = z.strictObject({
  host: hosts
    .default('127.0.0.1')
    .describe(
      'Where SIP listens: an address, or one IPv4 and one IPv6 address. :: is every address of both.',
    ),
  udp: port.default(5060),
  tcp: port.default(5060),
  public_host: hosts
    .optional()
    .describe('Address that peers shall use, when it differs from host; one for each family.'),
  digest: z
    .array(z.enum(['MD5', 'SHA-256']))
    .min(1)
    .default(['MD5'])
    .describe(
      'Digest algorithms offered to phones, in this order. Answers with either are accepted. Several phones fail when SHA-256 is offered at all.',
    ),
});

const stunSection = z.strictObject({
  host: hosts.default('127.0.0.1').describe('As sip.host.'),
  port: port.default(3478),
});

const turnSection = z
  .strictObject({
    urls: z
      .array(
        z
          .string()
          .max(255)
          .regex(
            /^turns?:[^?#/@\s]+(\?transport=(udp|tcp))?$/,
            'must look like turn:host:port?transport=udp',
          ),
      )
      .min(1)
      .max(8)
      .describe('Where clients find the TURN server, as browsers spell it.'),
    secret: z
      .string()
      .min(16, 'must hold at least 16 characters')
      .max(512)
      .optional()
      .describe('The secret shared with the TURN server (static-auth-secret of coturn).'),
    secret_file: z
      .string()
      .min(1)
      .optional()
      .describe('A file with the secret, instead of secret; white space around it is dropped.'),
    ttl_seconds: z
      .int()
      .min(60)
      .max(2_592_000)
      .default(86_400)
      .describe('So long a credential is good; a client gets a new one with each login.'),
  })
  .refine((turn) => (turn.secret === undefined) !== (turn.secret_file === undefined), {
    message: 'needs either secret or secret_file',
  });

const mediaSection = z.strictObject({
  address: z
    .union([host, z.array(host).min(1)])
    .default('auto')
    .describe(
      'Address or addresses that media advertises; auto takes every address of the machine, IPv6 and IPv4, loopback too.',
    ),
  public_address: z
    .union([z.ipv4(), z.ipv6()])
    .optional()
    .describe(
      'Behind a one-to-one NAT: the public address of the first entry of media.address that is of its family and not loopback.',
    ),
  tcp_port: port
    .optional()
    .describe('TCP port on the same addresses for clients whose network lets no UDP through (ICE-TCP).'),
  ports: z.tuple([port, port]).default([20000, 20999]).describe('First and last UDP port of media.'),
  rtp_timeout_seconds: z
    .int()
    .min(5)
    .max(3600)
    .default(60)
    .describe('An active call without any packet from a side for this long ends.'),
});

const limitsSection = z.strictObject({
  calls: z
    .int()
    .min(1)
    .max(100000)
    .default(500)
    .describe(
      'Calls at a time; more get 503. From ten on, one trunk or account has nine tenths at most, also of media.ports.',
    ),
  calls_per_user: z
    .int()
    .min(1)
    .max(100000)
    .default(100)
    .describe('Calls at a time that one user began; more get 503.'),
  contacts_per_user: z
    .int()
    .min(1)
    .max(10000)
    .default(100)
    .describe(
      'Registered phones of one user, and clients logged in as one user, each; another takes the place of the one that registered the longest ago.',
    ),
  api_requests_per_minute: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(6000)
    .describe('Requests of one API key in a minute; more get 429.'),
  ring_seconds: z
    .int()
    .min(5)
    .max(600)
    .default(90)
    .describe('A call that nobody answers ends after this long.'),
  reattach_seconds: z
    .int()
    .min(0)
    .max(3600)
    .default(120)
    .describe(
      'Calls of a client that lost its connection wait this long for its return, counted from the last sound of it; with 0 they end with the connection. Native clients try for 60 seconds: not less than 65.',
    ),
});

const webhooksSection = z.strictObject({
  allow: z
    .array(z.string().max(253).refine(isHostOrNetwork, 'must be a host name, an address or a network'))
    .max(256)
    .default([])
    .describe(
      'Host names, addresses and networks that webhooks, downloads, media streams and forks may reach although they are private; loopback, private and link-local addresses are refused otherwise.',
    ),
  keep_days: z
    .int()
    .min(1)
    .max(3650)
    .default(7)
    .describe('So long call events and their deliveries can be read and sent again.'),
  keep_events: z
    .int()
    .min(1000)
    .max(1_000_000_000)
    .default(1_000_000)
    .describe('So many call events are kept at most; the oldest go first.'),
  keep_megabytes: z
    .int()
    .min(10)
    .max(10_000_000)
    .default(4096)
    .describe('So large the database of call events may become; the oldest go first.'),
  keep_digits: z
    .boolean()
    .default(false)
    .describe('Keep the digits that people pressed, too. Without it such an event cannot be sent again.'),
});

const storeSection = z.strictObject({
  sqlite: z
    .strictObject({ file: z.string().min(1).describe('The database file.') })
    .optional()
    .describe('SQLite, which is the default: sidetone.db in the data folder.'),
  postgres: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
        .describe('postgres://user:password@host:port/database'),
    })
    .optional()
    .describe('PostgreSQL 15 or newer keeps accounts, users and numbers; call records stay in SQLite.'),
});

export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  domain: host.default('sip.localhost').describe('The SIP domain of the users.'),
  region: z.string().min(1).max(64).default('local').describe('Told to clients at login.'),
  http: httpSection.prefault({}),
  sip: sipSection.prefault({}),
  stun: stunSection.prefault({}),
  turn: turnSection.optional().describe('A TURN server whose credentials clients get at login.'),
  media: mediaSection.prefault({}),
  limits: limitsSection.prefault({}),
  connections: z
    .array(connection)
    .optional()
    .describe(
      'The users. Without this key the first start makes two, line1 and line2, with passwords of their own.',
    ),
  trunks: z.array(trunk).default([]).describe('The carriers.'),
  webhooks: webhooksSection.prefault({}),
  sounds: soundsSection.prefault({}),
  recordings: recordingsSection.prefault({}),
  speech: speechSection.prefault({}),
  streams: streamsSection.prefault({}),
  transcription: transcriptionSection.prefault({}),
  store: storeSection.prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});

export type Config = z.infer<typeof configSchema>;

/** The JSON Schema (draft 2020-12) of the configuration file. */
export function configJsonSchema(): object {
  return {
    $id: 'https://sidetone.example/config.schema.json',
    title: 'Sidetone configuration',
    ...z.toJSONSchema(configSchema, { io: 'input' }),
  };
}
