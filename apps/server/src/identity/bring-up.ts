import { createHash, randomBytes } from 'node:crypto';
import { canonicalNumber, homeOf } from '@sidetone/wire';
import type { Config } from '../config/schema.ts';
import type { AuditEntry, Change, StoredObject } from '../store/directory-store.ts';
import type { EarlierConnection } from '../store/store.ts';
import { DEFAULT_ACCOUNT } from './entries.ts';
import { accountName, docOf, isVisible, makeObject, numberName, remakeObject, userName } from './objects.ts';
import type { Registry } from './registry.ts';
import { CONNECTION_DEFAULTS, type ConnectionDoc } from './schema/credential-connection.ts';
import { type NumberDoc, VOICE_DEFAULTS } from './schema/phone-number.ts';
import type { Vault } from './vault.ts';

const FIRST_USERS = [
  ['line1', '+15005550001'],
  ['line2', '+15005550002'],
] as const;
const CODEC_NAMES = { OPUS: 'OPUS', PCMU: 'G711U', PCMA: 'G711A', G722: 'G722' } as const;

type ConfiguredConnection = NonNullable<Config['connections']>[number];

/** The account of the configuration file and of the first start; made when it is not there. */
export function ensureDefaultAccount(registry: Registry, now: number): Promise<StoredObject> {
  return registry.change(() => {
    const there = registry.named(accountName(DEFAULT_ACCOUNT));
    if (there !== undefined) return { change: { puts: [], removes: [], audit: [] }, result: there };
    const made = makeObject('account', null, { name: DEFAULT_ACCOUNT, active: true }, now);
    return { change: { puts: [made], removes: [], audit: [] }, result: made };
  });
}

/**
 * Brings the users of the configuration file into the registry, where they are connections of the default account like any
 * other, with the difference that only the file changes them. What the file names no more is hidden, not removed: the
 * credentials made under it come back with it. Without `connections` in the file the default account gets line1 and line2
 * once, with the passwords that an earlier release gave them (`stored`) or new ones. Throws with a sentence for the operator.
 */
export async function bringUp(
  registry: Registry,
  vault: Vault,
  configured: readonly ConfiguredConnection[] | undefined,
  stored: () => readonly EarlierConnection[],
  now: number,
): Promise<void> {
  const account = await ensureDefaultAccount(registry, now);
  await registry.change(() => {
    const plan = new Plan(registry, vault, account.id, now);
    if (configured !== undefined) {
      for (const connection of configured) plan.configure(connection);
      plan.hideOthers();
    } else {
      plan.hideConfigured();
      if (docOf<{ seeded?: boolean }>(registry.get(account.id)!).seeded !== true) plan.seed(stored());
    }
    return { change: plan.change, result: undefined };
  });
}

class Plan {
  readonly #registry: Registry;
  readonly #vault: Vault;
  readonly #account: string;
  readonly #now: number;
  readonly #puts = new Map<string, StoredObject>();
  readonly #named = new Set<string>();

  constructor(registry: Registry, vault: Vault, account: string, now: number) {
    this.#registry = registry;
    this.#vault = vault;
    this.#account = account;
    this.#now = now;
  }

  get change(): Change {
    const audit = [...this.#puts.values()].map(
      (put): AuditEntry => ({
        at: this.#now,
        account: this.#account,
        actor: 'configuration',
        source: 'local',
        action: put.version === 1 ? 'create' : 'update',
        kind: put.kind,
        object: put.id,
        fields: [],
        request: '',
      }),
    );
    return { puts: [...this.#puts.values()], removes: [], audit };
  }

  /** One connection of the file with its numbers. */
  configure(connection: ConfiguredConnection): void {
    const id = configuredId('connection', connection.user_name);
    const there = this.#mine(userName(connection.user_name), id, `the user name ${connection.user_name}`);
    const own = there?.id ?? id;
    const before = there === undefined ? undefined : docOf<ConnectionDoc>(there);
    const keeps =
      before !== undefined && this.#vault.open(before.password, `${own} password`) === connection.password;
    const doc: ConnectionDoc = {
      ...(CONNECTION_DEFAULTS as unknown as ConnectionDoc),
      connection_name: connection.user_name,
      user_name: connection.user_name,
      password: keeps ? before.password : this.#vault.seal(connection.password, `${own} password`),
      sip_uri_calling_preference: connection.sip_uri_calling_preference,
      inbound: {
        ...(CONNECTION_DEFAULTS.inbound as unknown as ConnectionDoc['inbound']),
        dnis_number_format: connection.dnis_number_format,
        ani_number_format: '+E.164',
        timeout_1xx_secs: 120,
        simultaneous_ringing: connection.simultaneous_ringing,
        codecs: connection.codecs.map((name) => CODEC_NAMES[name]),
      },
      reject_code: connection.reject_code,
      origin: 'configuration',
    };
    this.#put('connection', there, doc, id);
    for (const number of connection.numbers) this.#number(number, own, 'configuration');
  }

  /** What the file does not name: an earlier file's, and the users of the first start. */
  hideOthers(): void {
    this.#hide((origin) => origin === 'configuration' || origin === 'first start');
  }

  hideConfigured(): void {
    for (const object of this.#registry.list(this.#account, 'connection').values()) {
      const doc = docOf<ConnectionDoc>(object);
      if (doc.origin === 'first start' && doc.hidden === true && !this.#taken(userName(doc.user_name)))
        this.#put('connection', object, without(doc), object.id);
    }
    this.#hide((origin) => origin === 'configuration');
  }

  /** line1 and line2, once in the life of a data folder. */
  seed(stored: readonly EarlierConnection[]): void {
    const users: readonly { name: string; number: string | undefined; password: string }[] =
      stored.length > 0
        ? stored.map((c) => ({ name: c.user_name, number: c.numbers[0], password: c.password }))
        : FIRST_USERS.map(([name, number]) => ({
            name,
            number,
            password: randomBytes(18).toString('base64url'),
          }));
    for (const { name, number, password } of users) {
      if (this.#taken(userName(name))) continue;
      const id = configuredId('connection', `first start ${name}`);
      const doc: ConnectionDoc = {
        ...(CONNECTION_DEFAULTS as unknown as ConnectionDoc),
        connection_name: name,
        user_name: name,
        password: this.#vault.seal(password, `${id} password`),
        sip_uri_calling_preference: 'internal',
        inbound: {
          ...(CONNECTION_DEFAULTS.inbound as unknown as ConnectionDoc['inbound']),
          dnis_number_format: 'sip_username',
          ani_number_format: '+E.164',
          timeout_1xx_secs: 120,
        },
        origin: 'first start',
      };
      this.#put('connection', undefined, doc, id);
      if (number !== undefined && !this.#taken(numberName(number))) this.#number(number, id, 'first start');
    }
    const account = this.#registry.get(this.#account)!;
    const doc = docOf<{ name: string; active: boolean }>(account);
    this.#puts.set(account.id, remakeObject(account, 'account', { ...doc, seeded: true }, this.#now));
  }

  #number(number: string, connection: string, origin: NumberDoc['origin']): void {
    const id = configuredId('number', canonicalNumber(number));
    const there = this.#mine(numberName(number), id, `the number ${number}`);
    const before = there === undefined ? undefined : docOf<NumberDoc>(there);
    this.#put(
      'number',
      there,
      { ...newNumber(number, origin), ...(before && kept(before)), connection_id: connection },
      id,
    );
  }

  /** The object that holds a name or id, when it is ours to set. */
  #mine(name: string, id: string, what: string): StoredObject | undefined {
    const holder = this.#registry.named(name) ?? this.#registry.get(id);
    if (holder === undefined) return undefined;
    if (holder.account !== this.#account || holder.kind === 'credential')
      throw new Error(`connections: ${what} already belongs to an object made by the API (${holder.id})`);
    return holder;
  }

  #taken(name: string): boolean {
    return this.#registry.named(name) !== undefined;
  }

  #hide(which: (origin: string) => boolean): void {
    for (const kind of ['connection', 'number'] as const) {
      for (const object of this.#registry.list(this.#account, kind).values()) {
        if (this.#named.has(object.id) || !isVisible(object) || !which(String(object.doc['origin'])))
          continue;
        const doc = { ...object.doc, hidden: true, ...(kind === 'number' ? { connection_id: null } : {}) };
        this.#puts.set(object.id, remakeObject(object, kind, doc as never, this.#now));
      }
    }
  }

  #put(
    kind: 'connection' | 'number',
    there: StoredObject | undefined,
    doc: ConnectionDoc | NumberDoc,
    id: string,
  ): void {
    this.#named.add(there?.id ?? id);
    if (there === undefined) this.#puts.set(id, makeObject(kind, this.#account, doc as never, this.#now, id));
    else if (canonical(there.doc) !== canonical(doc))
      this.#puts.set(there.id, remakeObject(there, kind, doc as never, this.#now));
  }
}

/** A number as it is when nobody has set anything. */
export function newNumber(number: string, origin: NumberDoc['origin']): NumberDoc {
  return {
    phone_number: number,
    country: homeOf(number),
    connection_id: null,
    customer_reference: null,
    external_pin: null,
    hd_voice_enabled: false,
    billing_group_id: null,
    address_id: null,
    tags: [],
    voice: VOICE_DEFAULTS as unknown as NumberDoc['voice'],
    origin,
  };
}

/** What the API set on a number of the file stays. */
function kept(doc: NumberDoc): Partial<NumberDoc> {
  const { customer_reference, external_pin, hd_voice_enabled, billing_group_id, address_id, tags, voice } =
    doc;
  return { customer_reference, external_pin, hd_voice_enabled, billing_group_id, address_id, tags, voice };
}

/** Objects of the file have ids that follow from their names, so that they are the same after every start. */
function configuredId(kind: string, name: string): string {
  const hash = createHash('sha256').update(`${kind} ${name}`).digest();
  return `9${String(hash.readBigUInt64BE() % 10n ** 18n).padStart(18, '0')}`;
}

function without(doc: ConnectionDoc): ConnectionDoc {
  const { hidden: _, ...rest } = doc;
  return rest;
}

/** JSON with sorted keys, for comparing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
