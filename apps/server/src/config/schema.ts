import { z } from 'zod';

/**
 * The configuration file. The JSON Schema in `docs/config.schema.json` is generated from here, and the server validates
 * against the same value, so they cannot part ways. Unknown keys are errors: a misspelt key must not be ignored.
 */

const port = z.int().min(1).max(65535);
const host = z.string().min(1).max(253);
const codec = z.enum(['OPUS', 'PCMU', 'PCMA', 'G722']);
const userName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9._-]{0,63}$/,
    'must start with a letter and hold only letters, digits, dot, dash, underscore',
  );
const dialled = z.string().regex(/^\+?[0-9*#]{1,32}$/, 'must be digits, with an optional + in front');

const connection = z.strictObject({
  user_name: userName.describe(
    'SIP user name: login of the clients and the part before @ when they are dialled.',
  ),
  password: z.string().min(8).max(128).describe('Password of the SIP user; at least 8 characters.'),
  numbers: z.array(dialled).default([]).describe('Phone numbers of this user, in E.164 form.'),
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
    .default(487)
    .describe('The SIP status a caller sees when the client rejects without stating one.'),
  codecs: z
    .array(codec)
    .min(1)
    .default(['OPUS', 'PCMU', 'PCMA'])
    .describe('Codecs towards the clients, most wanted first.'),
});

const trunk = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must hold only letters, digits, dot, dash, underscore'),
  host: host.describe('Address of the carrier. Calls from this address are accepted without credentials.'),
  port: port.default(5060),
  transport: z.enum(['udp', 'tcp']).default('udp'),
  prefixes: z
    .array(z.string().regex(/^\+?[0-9*#]{0,32}$/))
    .default(['+'])
    .describe('Numbers that start with one of these go to this trunk; the longest match wins.'),
  codecs: z.array(codec).min(1).default(['OPUS', 'PCMU', 'PCMA']),
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
  origins: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Origins of web pages that may open the WebSocket, beside the own one; "*" allows any. On a loopback host, pages of this machine may always.',
    ),
});

const sipSection = z.strictObject({
  host: host.default('127.0.0.1'),
  udp: port.default(5060),
  tcp: port.default(5060),
  public_host: host.optional().describe('Address that peers shall use, when it differs from host.'),
  digest: z
    .array(z.enum(['MD5', 'SHA-256']))
    .min(1)
    .default(['MD5'])
    .describe(
      'Digest algorithms offered to phones, in this order. Answers with either are accepted. Several phones fail when SHA-256 is offered at all.',
    ),
});

const stunSection = z.strictObject({ host: host.default('127.0.0.1'), port: port.default(3478) });

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
      'Address or addresses that media advertises; auto takes every IPv4 address of the machine, loopback too.',
    ),
  public_address: z
    .union([z.ipv4(), z.ipv6()])
    .optional()
    .describe(
      'Behind a one-to-one NAT: the public address of the first entry of media.address that is not loopback.',
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
      'Calls of a client that lost its connection wait this long for its return; with 0 they end with the connection.',
    ),
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
