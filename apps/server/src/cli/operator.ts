import { resolve } from 'node:path';
import { canonicalNumber, listedNumber } from '@sidetone/wire';
import { epoch } from '../clock.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { apiKeyName, makeApiKey } from '../identity/api-key.ts';
import { ensureDefaultAccount, newNumber } from '../identity/bring-up.ts';
import type { AccountDoc } from '../identity/entries.ts';
import { DEFAULT_ACCOUNT } from '../identity/entries.ts';
import {
  accountName,
  docOf,
  isVisible,
  type KeyDoc,
  makeObject,
  numberNames,
  remakeObject,
  userName,
} from '../identity/objects.ts';
import { openDirectoryStore } from '../identity/open.ts';
import { Registry } from '../identity/registry.ts';
import type { NumberDoc } from '../identity/schema/phone-number.ts';
import { loadSecrets } from '../identity/secrets.ts';
import type { AuditEntry, Change, ObjectKind, StoredObject } from '../store/directory-store.ts';
import { createSigner } from '../webhooks/signer.ts';
import { httpAddress } from './banner.ts';
import { dataFolder } from './data-folder.ts';
import { fail } from './fail.ts';

export interface OperatorOptions {
  readonly config: string | undefined;
  readonly data: string;
  readonly account: string | undefined;
  readonly connection: string | undefined;
  readonly label: string | undefined;
  /** A key that is made is printed as the variables that the official `telnyx` package reads. */
  readonly env?: boolean;
}

/** What the operator asks for is wrong; the sentence says why. */
class Refusal extends Error {}

/**
 * `sidetone account|key|number …`: what only the operator of the server may do. Writes to the store directly; a server that runs
 * sees it within a second.
 */
export async function operate(words: readonly string[], options: OperatorOptions): Promise<void> {
  const loaded = loadConfig(options.config);
  if (!loaded.ok) return fail(loaded.error);
  const { postgres, sqlite } = loaded.value.store;
  const isElsewhere = (postgres !== undefined || sqlite?.file !== undefined) && options.env !== true;
  const dataDir = isElsewhere ? resolve(options.data) : dataFolder(options.data);
  if (dataDir === undefined) return;
  try {
    const store = await openDirectoryStore(loaded.value, dataDir);
    try {
      if (options.env === true && words.join(' ') !== 'key create')
        throw new Refusal('--env belongs to "key create"');
      const say = await runOperator(await Registry.open(store), words, options);
      const lines = options.env === true ? backEndVariables(loaded.value, dataDir, say[0]!) : say;
      process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    } finally {
      await store.close();
    }
  } catch (error) {
    fail((error as Error).message);
  }
}

/** All that a back end needs to know of this server, under the names that the official `telnyx` package reads. */
function backEndVariables(config: Config, dataDir: string, apiKey: string): string[] {
  return [
    `TELNYX_BASE_URL=${httpAddress(config)}/v2`,
    `TELNYX_API_KEY=${apiKey}`,
    `TELNYX_PUBLIC_KEY=${createSigner(loadSecrets(dataDir).webhookKeys.signing).publicKey}`,
  ];
}

/** Carries a command out; the lines to print. Rejects with a sentence. */
export async function runOperator(
  registry: Registry,
  words: readonly string[],
  options: Pick<OperatorOptions, 'account' | 'connection' | 'label'>,
): Promise<string[]> {
  await ensureDefaultAccount(registry, epoch());
  const operator = new Operator(registry, options);
  const [noun, verb, subject] = words;
  switch (`${noun} ${verb} ${words.length}`) {
    case 'account list 2':
      return operator.accounts();
    case 'account add 3':
      return operator.addAccount(subject!);
    case 'account disable 3':
    case 'account enable 3':
      return operator.switchAccount(subject!, verb === 'enable');
    case 'account set 5':
      return operator.setAccount(subject!, words[3]!, words[4]!);
    case 'key list 2':
      return operator.keys();
    case 'key create 2':
      return operator.createKey();
    case 'key revoke 3':
      return operator.revokeKey(subject!);
    case 'number list 2':
      return operator.numbers();
    case 'number add 3':
      return operator.addNumber(subject!);
    case 'number remove 3':
      return operator.removeNumber(subject!);
    default:
      throw new Refusal(`cannot make sense of "${words.join(' ')}"; see "sidetone --help"`);
  }
}

function limitOf(what: string, value: string): Partial<AccountDoc> {
  if (what === 'profile') {
    if (value !== 'required' && value !== 'optional')
      throw new Refusal('an outbound voice profile is "required" or "optional"');
    return { profile_required: value === 'required' };
  }
  if (what !== 'calls' && what !== 'calls-per-second')
    throw new Refusal(`an account has "calls", "calls-per-second" and "profile", but no "${what}"`);
  if (value !== 'none' && !/^[0-9]{1,6}$/.test(value))
    throw new Refusal(`${value} is no limit: a whole number, or "none"`);
  const limit = value === 'none' ? null : Number(value);
  return what === 'calls' ? { concurrent_calls: limit } : { calls_per_second: limit };
}

class Operator {
  readonly #registry: Registry;
  readonly #options: Pick<OperatorOptions, 'account' | 'connection' | 'label'>;

  constructor(registry: Registry, options: Pick<OperatorOptions, 'account' | 'connection' | 'label'>) {
    this.#registry = registry;
    this.#options = options;
  }

  #account(name: string = this.#options.account ?? DEFAULT_ACCOUNT): StoredObject {
    const account = this.#registry.named(accountName(name));
    if (account === undefined)
      throw new Refusal(`there is no account ${name}; "sidetone account add ${name}" makes it`);
    return account;
  }

  #all(kind: ObjectKind): StoredObject[] {
    const of = this.#options.account === undefined ? undefined : this.#account().id;
    return [...this.#registry.all()].filter(
      (object) => object.kind === kind && isVisible(object) && (of === undefined || object.account === of),
    );
  }

  #name(account: string): string {
    return docOf<AccountDoc>(this.#registry.get(account)!).name;
  }

  accounts(): string[] {
    return this.#all('account').map((account) => {
      const doc = docOf<AccountDoc>(account);
      const limits = [
        ...(doc.concurrent_calls == null ? [] : [`calls ${doc.concurrent_calls}`]),
        ...(doc.calls_per_second == null ? [] : [`calls-per-second ${doc.calls_per_second}`]),
        ...(doc.profile_required === undefined
          ? []
          : [`profile ${doc.profile_required ? 'required' : 'optional'}`]),
      ].join(', ');
      return `${account.id}  ${doc.active ? 'active  ' : 'disabled'}  ${doc.name}  ${limits}`.trimEnd();
    });
  }

  addAccount(name: string): Promise<string[]> {
    if (!/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/.test(name))
      throw new Refusal(
        'the name of an account holds letters, digits, blanks, dots, dashes and underscores, at most 64',
      );
    return this.#registry.change(() => {
      if (this.#registry.named(accountName(name)) !== undefined)
        throw new Refusal(`there is an account ${name} already`);
      const made = makeObject('account', null, { name, active: true }, epoch());
      return { change: changeOf(made, 'create'), result: [`account ${name} is ${made.id}`] };
    });
  }

  switchAccount(name: string, active: boolean): Promise<string[]> {
    return this.#registry.change(() => {
      const account = this.#account(name);
      const next = remakeObject(account, 'account', { ...docOf<AccountDoc>(account), active }, epoch());
      return {
        change: changeOf(next, 'update'),
        result: [`account ${name} is ${active ? 'active' : 'disabled'}`],
      };
    });
  }

  /** One of an account's limits; `none` takes it away. */
  setAccount(name: string, what: string, value: string): Promise<string[]> {
    const setting = limitOf(what, value);
    return this.#registry.change(() => {
      const account = this.#account(name);
      const doc = { ...docOf<AccountDoc>(account), ...setting };
      const next = remakeObject(account, 'account', doc, epoch());
      return { change: changeOf(next, 'update'), result: [`account ${name}: ${what} ${value}`] };
    });
  }

  keys(): string[] {
    return this.#all('key').map((key) => {
      const doc = docOf<KeyDoc>(key);
      const state = doc.revoked_at === null ? 'good' : `revoked ${doc.revoked_at}`;
      const made = new Date(key.createdAt).toISOString();
      return `${key.id}  ${doc.starts}…  ${this.#name(key.account)}  ${made}  ${state}  ${doc.label}`.trimEnd();
    });
  }

  createKey(): Promise<string[]> {
    const key = makeApiKey();
    return this.#registry.change(() => {
      const doc: KeyDoc = {
        hash: apiKeyName(key)!,
        label: this.#options.label ?? '',
        starts: key.slice(0, 8),
        revoked_at: null,
      };
      const made = makeObject('key', this.#account().id, doc, epoch());
      return { change: changeOf(made, 'create'), result: [key] };
    });
  }

  /** By its id, or by the key itself. */
  revokeKey(which: string): Promise<string[]> {
    return this.#registry.change(() => {
      const name = apiKeyName(which);
      const key = (name === undefined ? undefined : this.#registry.named(name)) ?? this.#registry.get(which);
      if (key?.kind !== 'key') throw new Refusal('there is no such key; "sidetone key list" lists them');
      const doc = docOf<KeyDoc>(key);
      const revoked_at = doc.revoked_at ?? new Date(epoch()).toISOString();
      const next = remakeObject(key, 'key', { ...doc, revoked_at }, epoch());
      return { change: changeOf(next, 'update'), result: [`key ${key.id} is revoked`] };
    });
  }

  numbers(): string[] {
    return this.#all('number').map((number) => {
      const doc = docOf<NumberDoc>(number);
      const to = doc.connection_id === null ? '' : this.#registry.get(doc.connection_id)?.doc;
      const name = to === '' ? '-' : String(to?.['user_name'] ?? to?.['application_name']);
      return `${doc.phone_number}  ${this.#name(number.account)}  ${name}`;
    });
  }

  #holderOf(number: string): StoredObject | undefined {
    for (const name of numberNames(number)) {
      const holder = this.#registry.named(name);
      if (holder !== undefined) return holder;
    }
    return undefined;
  }

  addNumber(text: string): Promise<string[]> {
    const number = listedNumber(canonicalNumber(text));
    if (!/^\+?[0-9]{3,15}$/.test(number))
      throw new Refusal(`"${text}" is no telephone number; write it as +13125550100`);
    return this.#registry.change(() => {
      if (this.#holderOf(number) !== undefined)
        throw new Refusal(
          `the number ${number} belongs to an account already; "number list" says to which, "number remove" frees it`,
        );
      const account = this.#account().id;
      const { connection } = this.#options;
      const taker = connection === undefined ? undefined : this.#registry.named(userName(connection));
      if (connection !== undefined && (taker?.kind !== 'connection' || taker.account !== account))
        throw new Refusal(`there is no connection with the user name ${connection} in this account`);
      const doc: NumberDoc = { ...newNumber(number, 'operator'), connection_id: taker?.id ?? null };
      const made = makeObject('number', account, doc, epoch());
      return { change: changeOf(made, 'create'), result: [`${number} is ${made.id}`] };
    });
  }

  removeNumber(text: string): Promise<string[]> {
    return this.#registry.change(() => {
      const number = this.#holderOf(text);
      if (number === undefined) throw new Refusal(`there is no number ${text}`);
      const { phone_number, origin } = docOf<NumberDoc>(number);
      if (origin === 'configuration') throw new Refusal(`${phone_number} is set by the configuration file`);
      const audit = changeOf(number, 'delete').audit;
      const removes = [{ id: number.id, version: number.version }];
      return { change: { puts: [], removes, audit }, result: [`${phone_number} is gone`] };
    });
  }
}

function changeOf(object: StoredObject, action: AuditEntry['action']): Change {
  const entry: AuditEntry = {
    at: epoch(),
    account: object.account,
    actor: 'command line',
    source: 'local',
    action,
    kind: object.kind,
    object: object.id,
    fields: [],
    request: '',
  };
  return { puts: [object], removes: [], audit: [entry] };
}
