import {
  type Checks,
  hexId,
  isString,
  type JournalEntry,
  type JournalLine,
  listOf,
  type Random,
  readRecord,
  sameHost,
} from '@sidetone/core';
import {
  authorize,
  type Flow,
  realmsAnswered,
  realmsAsked,
  type SipRequest,
  type SipResponse,
} from '@sidetone/sip';
import type { Identity, Trunk } from '@sidetone/wire';

/*
 * A carrier is chosen here, so its credentials are known here: `voice` never sees them. They are given for a place and for realms:
 *
 *   the place    host, port and transport of the trunk: the request went there, and the challenge came from there. Where Contact and
 *                Route lead is the far end's word
 *   the realms   what the trunk states. Without a statement they are learned: a call that we route to the trunk may be challenged by at
 *                most two (an edge and its core); when it rings or is answered, those it was challenged with are the trunk's, and no
 *                others ever after. Requests in a dialog teach nothing, since the far end may answer them through the carrier; nor is a
 *                call challenged by the carrier once it rings
 *
 * What the far end says through the carrier and in the carrier's own realm is the carrier's word: digest knows no more.
 */

/** An edge and its core. More are to be stated. */
const MOST_LEARNED = 2;
const LONGEST_REALM = 256;

/** What the journal keeps of a trunk: its realms, and of which account they are. */
interface Learned {
  readonly userName: string;
  readonly host: string;
  readonly realms: readonly string[];
}

const PREFIX = 'realms ';

/** A challenge, and what it is the answer to. */
export interface Challenged {
  /** The trunk that the request was for. */
  readonly trunk: string;
  readonly sent: SipRequest;
  readonly hop: Flow;
  readonly response: SipResponse;
  readonly from: Flow;
  /** How often it was sent again already. */
  readonly tries: number;
  /** The far end was reached: this challenge is its own. */
  readonly rang: boolean;
}

type Withheld = 'place' | 'source' | 'realm' | 'ringing';

export type TrunkAnswer =
  | { readonly type: 'again'; readonly request: SipRequest }
  /** There are credentials, and this challenge may not have them. */
  | { readonly type: 'withheld'; readonly why: Withheld; readonly realm: string }
  /** No credentials, or they were refused. */
  | { readonly type: 'none' };

export class TrunkCredentials {
  readonly #random: Random;
  readonly #identity: () => Identity;
  readonly #learned = new Map<string, Learned>();

  constructor(random: Random, identity: () => Identity) {
    this.#random = random;
    this.#identity = identity;
  }

  /** What the process before has learned; the lines of trunks that are no more go. */
  restore(entries: readonly JournalEntry[]): readonly JournalLine[] {
    return entries.flatMap(({ key, value }): readonly JournalLine[] => {
      const learned = readRecord(LEARNED, value);
      const trunk = this.#trunk(key.slice(PREFIX.length));
      if (!key.startsWith(PREFIX)) return [];
      if (trunk === undefined || learned === null || !isOf(trunk, learned))
        return [{ type: 'journal', key, value: null }];
      this.#learned.set(trunk.name, learned);
      return [];
    });
  }

  /**
   * The request again with the trunk's credentials (RFC 3261 §22.2, §22.3). CSeq stays: a proxy between two sides that count for
   * themselves cannot take the next one.
   */
  answer({ trunk: name, sent, hop, response, from, tries, rang }: Challenged): TrunkAnswer {
    const trunk = this.#trunk(name);
    if (trunk?.user_name === undefined || trunk.password === undefined) return { type: 'none' };
    const [realm = ''] = realmsAsked(response);
    const withheld = (why: Withheld): TrunkAnswer => ({ type: 'withheld', why, realm });
    if (!isPlaceOf(trunk, hop)) return withheld('place');
    if (!isPlaceOf(trunk, from)) return withheld('source');
    if (rang) return withheld('ringing');
    const known = this.#realmsOf(trunk, sent, response);
    if (!realmsAsked(response).some((asked) => known.includes(asked))) return withheld('realm');
    const request = authorize(sent, response, {
      credentials: { userName: trunk.user_name, password: trunk.password },
      isFor: (asked) => known.includes(asked),
      tries,
      cnonce: () => hexId(this.#random, 8),
    });
    return request === null ? { type: 'none' } : { type: 'again', request };
  }

  /** A call rings or was answered: who challenged it was the trunk. Nothing, or one line. */
  passed(name: string, sent: SipRequest): readonly JournalLine[] {
    const trunk = this.#trunk(name);
    const realms = realmsAnswered(sent);
    if (trunk?.user_name === undefined || trunk.realms !== undefined || realms.length === 0) return [];
    if (!teaches(sent) || this.#learnedOf(trunk) !== undefined) return [];
    const learned: Learned = { userName: trunk.user_name, host: nameOf(trunk), realms };
    this.#learned.set(trunk.name, learned);
    return [{ type: 'journal', key: PREFIX + trunk.name, value: learned }];
  }

  #realmsOf(trunk: Trunk, sent: SipRequest, response: SipResponse): readonly string[] {
    const known = trunk.realms ?? this.#learnedOf(trunk)?.realms;
    if (known !== undefined) return known;
    if (!teaches(sent)) return [];
    const asked = realmsAsked(response).filter((realm) => realm.length <= LONGEST_REALM);
    return [...new Set([...realmsAnswered(sent), ...asked])].slice(0, MOST_LEARNED);
  }

  #learnedOf(trunk: Trunk): Learned | undefined {
    const learned = this.#learned.get(trunk.name);
    return learned !== undefined && isOf(trunk, learned) ? learned : undefined;
  }

  #trunk(name: string): Trunk | undefined {
    return this.#identity().trunks.find((trunk) => trunk.name === name);
  }
}

/** Only a request outside of dialogs goes where we have decided. */
const teaches = ({ headers }: SipRequest): boolean => headers.to.params['tag'] === undefined;

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The host as the configuration has it: the address of a name may change. */
const nameOf = (trunk: Trunk): string => trunk.hostName ?? trunk.host;

const isOf = (trunk: Trunk, { userName, host }: Learned): boolean =>
  trunk.user_name === userName && same(nameOf(trunk), host);

const LEARNED: Checks<Learned> = {
  userName: isString,
  host: isString,
  realms: listOf(isString, MOST_LEARNED),
};

/**
 * Whether a hop is the trunk's own listening place, at any address of its name; requests that are too large for UDP may go by TCP to
 * the same.
 */
export const isPlaceOf = (trunk: Trunk, hop: Flow): boolean =>
  hop.transport !== 'local' &&
  (hop.transport === trunk.transport || hop.transport === trunk.large_requests) &&
  [trunk.host, ...(trunk.addresses ?? [])].some((own) => sameHost(own, hop.host)) &&
  hop.port === trunk.port;

/** A hop that names a trunk as the configuration does is the trunk's address. */
export function trunkHop(trunks: readonly Trunk[], hop: Flow): Flow {
  if (hop.transport === 'local') return hop;
  const named = trunks.find(({ hostName }) => hostName !== undefined && same(hostName, hop.host));
  return named === undefined ? hop : { ...hop, host: named.host };
}
