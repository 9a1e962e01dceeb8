import {
  type AccountEntry,
  type ApplicationEntry,
  type ConnectionEntry,
  canonicalNumber,
  type Identity,
  type NumberEntry,
  type ProfileEntry,
  type SipUser,
  type Trunk,
} from '../src/index.ts';

/** A connection and what belongs to it; what is not said has the defaults of the configuration file. */
export interface FixedConnection extends Partial<Omit<ConnectionEntry, 'id' | 'userName'>> {
  readonly userName: string;
  readonly password: string;
  readonly numbers?: readonly string[];
  readonly credentials?: readonly Pick<SipUser, 'name' | 'password' | 'expiresAt'>[];
}

export interface FixedPeople {
  readonly domain: string;
  readonly connections: readonly FixedConnection[];
  readonly trunks?: readonly Trunk[];
  /** Accounts that differ from one without limits; those that connections name are there. */
  readonly accounts?: readonly (Pick<AccountEntry, 'id'> & Partial<AccountEntry>)[];
  readonly profiles?: readonly ProfileEntry[];
  readonly applications?: readonly (ApplicationEntry & { readonly numbers?: readonly string[] })[];
}

const SETTINGS = {
  accountId: 'default',
  active: true,
  sipUriCalling: 'internal',
  dnisFormat: 'sip_username',
  aniFormat: '+E.164',
  simultaneousRinging: false,
  codecs: ['OPUS', 'PCMU', 'PCMA'],
  dtmf: 'rfc4733',
  rejectCode: 487,
  timeout1xxSecs: 120,
  timeout2xxSecs: 90,
  inboundChannelLimit: null,
  outboundChannelLimit: null,
  aniOverride: null,
  aniOverrideType: 'always',
  localization: 'US',
  profileId: null,
  parking: false,
  ringback: 'ringing',
  webhook: null,
} as const satisfies Partial<ConnectionEntry>;

/** An `Identity` that never changes, for a house without a store: simulations, benches, embedding. The id of a user is its name. */
export function fixedIdentity(people: FixedPeople): Identity {
  const users = new Map<string, SipUser>();
  const connections = new Map<string, ConnectionEntry>();
  const numbers = new Map<string, NumberEntry>();
  const assigned = new Map<string, NumberEntry[]>();
  const accounts = new Map<string, AccountEntry>();
  const account = (id: string): AccountEntry => ({
    id,
    active: true,
    concurrentCalls: null,
    callsPerSecond: null,
    profileRequired: false,
  });
  for (const entry of people.accounts ?? []) accounts.set(entry.id, { ...account(entry.id), ...entry });
  for (const { password, numbers: own = [], credentials = [], ...settings } of people.connections) {
    const id = settings.userName;
    const connection: ConnectionEntry = { ...SETTINGS, name: id, ...settings, id };
    const { accountId } = connection;
    if (!accounts.has(accountId)) accounts.set(accountId, account(accountId));
    connections.set(id, connection);
    users.set(id, { id, kind: 'connection', name: id, password, connectionId: id, accountId });
    for (const credential of credentials)
      users.set(credential.name, {
        ...credential,
        id: credential.name,
        kind: 'credential',
        connectionId: id,
        accountId,
      });
    const entries = own.map(canonicalNumber).map((number) => entryOf(number, accountId, id));
    assigned.set(id, entries);
    for (const entry of entries) numbers.set(entry.number, entry);
  }
  const applications = new Map<string, ApplicationEntry>();
  for (const { numbers: own = [], ...application } of people.applications ?? []) {
    const { id, accountId } = application;
    applications.set(id, application);
    if (!accounts.has(accountId)) accounts.set(accountId, account(accountId));
    const entries = own.map(canonicalNumber).map((number) => entryOf(number, accountId, id));
    assigned.set(id, entries);
    for (const entry of entries) numbers.set(entry.number, entry);
  }
  const profiles = new Map((people.profiles ?? []).map((profile) => [profile.id, profile]));
  return {
    domain: people.domain,
    trunks: people.trunks ?? [],
    revision: 0,
    userByName: (name) => users.get(name),
    userById: (id) => users.get(id),
    users: () => users.values(),
    account: (id) => accounts.get(id),
    connection: (id) => connections.get(id),
    application: (id) => applications.get(id),
    applicationOfSubdomain: (name) => [...applications.values()].find((a) => a.subdomain?.name === name),
    profile: (id) => profiles.get(id),
    number: (canonical) => numbers.get(canonical),
    numbersOf: (assignee) => assigned.get(assignee) ?? [],
    ownerOfNumber: (canonical) => connections.get(numbers.get(canonical)?.assignee ?? ''),
    refusal: (user, now) => {
      if (accounts.get(user.accountId)?.active !== true) return 'account-inactive';
      if (connections.get(user.connectionId)?.active !== true) return 'connection-inactive';
      return user.expiresAt !== undefined && user.expiresAt <= now ? 'credential-expired' : undefined;
    },
  };
}

const entryOf = (number: string, accountId: string, assignee: string): NumberEntry => ({
  id: number,
  number,
  accountId,
  assignee,
  forwardTo: null,
});
