import { isIP, type LookupFunction } from 'node:net';
import { err, familyOf, ok, type Result } from '@sidetone/core';
import { AddressRules } from './address-rules.ts';
import { type Resolve, systemResolve } from './resolve.ts';

/** Who may be reached when somebody else names the place, whatever is spoken there. */

export interface GuardOptions {
  /** Host names, addresses and networks that may be reached though they are none of the public Internet. */
  readonly allow: readonly string[];
  readonly resolve?: Resolve;
}

export interface Guard {
  /** Why this URL must not be reached, where that is known without asking a name server. */
  refusalOf(url: URL): string | null;
  refusalOfAddress(address: string): string | null;
  /**
   * For connections: asked once for each, which goes to what it says. An address in a URL never comes here.
   * @throws Refusal
   */
  readonly lookup: LookupFunction;
}

export const MOST_URL = 16_384;

/** Of the rules, on the way through Node's errors. */
export class Refusal extends Error {
  readonly kind: 'refused' | 'unresolved';
  constructor(kind: 'refused' | 'unresolved', why: string) {
    super(why);
    this.kind = kind;
  }
}

/** The URL, or why it is none that we connect to. `schemes`: with their colon. */
export function urlOfScheme(text: string, schemes: readonly [string, string]): Result<URL, string> {
  if (text.length > MOST_URL) return err(`the URL is longer than ${MOST_URL} characters`);
  if (!URL.canParse(text)) return err('it is no URL');
  const url = new URL(text);
  const [plain, secure] = schemes.map((scheme) => scheme.slice(0, -1));
  if (!schemes.includes(url.protocol)) return err(`only ${plain} and ${secure} are called`);
  if (url.username !== '' || url.password !== '') return err('a URL must not hold a user or a password');
  if (url.hostname === '') return err('it names no host');
  return ok(url);
}

export function createGuard(options: GuardOptions): Guard {
  const rules = new AddressRules(options.allow);
  const resolve = options.resolve ?? systemResolve((name) => rules.allowsName(name));

  /** Only addresses that may be reached, and an error when there is none. */
  async function addressesOf(name: string): Promise<readonly string[]> {
    let found: readonly string[] = [];
    try {
      found = await resolve(name);
    } catch {}
    if (found.length === 0) throw new Refusal('unresolved', `${name} has no address`);
    const judged = found.map((address) => rules.refusal(name, address));
    const good = found.filter((_, i) => judged[i] === null);
    if (good.length === 0) throw new Refusal('refused', `${name}: ${judged[0]}`);
    return good;
  }

  return {
    refusalOf: ({ hostname }) => {
      const host = hostOf(hostname);
      return isIP(host) === 0 ? null : rules.refusal(host, host);
    },
    refusalOfAddress: (address) => rules.refusal(address, address),
    lookup: (name, wanted, done) => {
      addressesOf(hostOf(name)).then(
        (addresses) => {
          const all = addresses.map((address) => ({ address, family: familyOf(address) ?? 4 }));
          if (wanted.all === true) done(null, all);
          else done(null, all[0]!.address, all[0]!.family);
        },
        (error: Error) => done(error, ''),
      );
    },
  };
}

/** As rules and name servers know it: no brackets, no dot at the end. */
const hostOf = (hostname: string): string =>
  hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();

/** Node's codes, without what may stand in its messages. */
export function wordsOf(error: NodeJS.ErrnoException): string {
  const inner =
    error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException | undefined) : error;
  switch (inner?.code) {
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was closed without an answer';
    default:
      return `no exchange: ${inner?.code ?? 'unknown error'}`;
  }
}
