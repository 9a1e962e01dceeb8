import type { EpochMs } from '@sidetone/core';
import type {
  AccountEntry,
  ApplicationEntry,
  ConnectionEntry,
  Identity,
  IdentityChange,
  IdentityRefusal,
  NumberEntry,
  ProfileEntry,
  SipUser,
  Trunk,
} from '@sidetone/wire';
import type { StoredObject } from '../store/directory-store.ts';
import {
  accountEntry,
  applicationEntry,
  connectionEntry,
  docOf,
  numberEntry,
  profileEntry,
} from './entries.ts';
import type { ObjectChange, Registry } from './registry.ts';
import type { ConnectionDoc } from './schema/credential-connection.ts';
import type { CredentialDoc } from './schema/telephony-credential.ts';
import type { Vault } from './vault.ts';

export type Listener = (change: IdentityChange) => void;

/** `Identity` kept from a `Registry`: each change of an object touches the entries made of it, and nothing else. */
export class IdentityProjection implements Identity {
  readonly domain: string;
  readonly #vault: Vault;
  readonly #accounts = new Map<string, AccountEntry>();
  readonly #connections = new Map<string, ConnectionEntry>();
  readonly #applications = new Map<string, ApplicationEntry>();
  readonly #bySubdomain = new Map<string, ApplicationEntry>();
  readonly #profiles = new Map<string, ProfileEntry>();
  readonly #numbers = new Map<string, NumberEntry>();
  readonly #assigned = new Map<string, NumberEntry[]>();
  readonly #users = new Map<string, SipUser>();
  readonly #byName = new Map<string, SipUser>();
  /** Credential users of a connection. */
  readonly #credentials = new Map<string, Set<string>>();
  readonly #expiring = new Map<string, EpochMs>();
  readonly #listeners: Listener[] = [];
  #trunks: readonly Trunk[];
  #revision = 0;
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(registry: Registry, vault: Vault, domain: string, trunks: readonly Trunk[]) {
    this.domain = domain;
    this.#vault = vault;
    this.#trunks = trunks;
    for (const object of registry.all()) this.#apply({ before: undefined, after: object });
    registry.listen((changes) => {
      const told: IdentityChange[] = [];
      this.#revision += 1;
      for (const change of changes) told.push(...this.#apply(change));
      for (const change of told) this.#tell(change);
    });
  }

  /** Called after a change can be read, in order. */
  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  get trunks(): readonly Trunk[] {
    return this.#trunks;
  }

  get revision(): number {
    return this.#revision;
  }

  /** The trunks with their hosts looked up anew. */
  setTrunks(trunks: readonly Trunk[]): void {
    this.#trunks = trunks;
    this.#revision += 1;
  }

  userByName(name: string): SipUser | undefined {
    return this.#byName.get(name);
  }

  userById(id: string): SipUser | undefined {
    return this.#users.get(id);
  }

  *users(): Iterable<SipUser> {
    for (const connection of this.#connections.values()) {
      const own = this.#users.get(connection.id);
      if (own !== undefined) yield own;
      for (const id of this.#credentials.get(connection.id) ?? []) yield this.#users.get(id)!;
    }
  }

  account(id: string): AccountEntry | undefined {
    return this.#accounts.get(id);
  }

  connection(id: string): ConnectionEntry | undefined {
    return this.#connections.get(id);
  }

  application(id: string): ApplicationEntry | undefined {
    return this.#applications.get(id);
  }

  applicationOfSubdomain(name: string): ApplicationEntry | undefined {
    return this.#bySubdomain.get(name);
  }

  profile(id: string): ProfileEntry | undefined {
    return this.#profiles.get(id);
  }

  number(canonical: string): NumberEntry | undefined {
    return this.#numbers.get(canonical);
  }

  numbersOf(assignee: string): readonly NumberEntry[] {
    return this.#assigned.get(assignee) ?? [];
  }

  ownerOfNumber(canonical: string): ConnectionEntry | undefined {
    const assignee = this.#numbers.get(canonical)?.assignee;
    return assignee == null ? undefined : this.#connections.get(assignee);
  }

  refusal(user: SipUser, now: EpochMs): IdentityRefusal | undefined {
    if (this.#accounts.get(user.accountId)?.active !== true) return 'account-inactive';
    if (this.#connections.get(user.connectionId)?.active !== true) return 'connection-inactive';
    return user.expiresAt !== undefined && user.expiresAt <= now ? 'credential-expired' : undefined;
  }

  /** Tells of credentials that have expired by `now`, each once. Cheap when none has. */
  expire(now: EpochMs): void {
    if (now < this.#nextExpiry) return;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    for (const [id, at] of this.#expiring) {
      if (at > now) {
        this.#nextExpiry = Math.min(this.#nextExpiry, at);
        continue;
      }
      this.#expiring.delete(id);
      this.#revision += 1;
      const user = this.#users.get(id);
      if (user !== undefined) this.#tell(revoked(user, 'credential-expired'));
    }
  }

  #tell(change: IdentityChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #apply({ before, after }: ObjectChange): IdentityChange[] {
    const object = (after ?? before)!;
    const { id } = object;
    switch (object.kind) {
      case 'account':
        return this.#applyAccount(id, after);
      case 'connection':
        return this.#applyConnection(id, after);
      case 'credential':
        return this.#applyCredential(id, after);
      case 'number':
        this.#applyNumber(object, before, after);
        return [{ type: 'changed', object: 'number', id }];
      case 'profile':
        replace(this.#profiles, id, after && profileEntry(after));
        return [{ type: 'changed', object: 'profile', id }];
      case 'application':
        this.#applyApplication(id, after && applicationEntry(after));
        return [{ type: 'changed', object: 'application', id }];
      case 'key':
        return [];
    }
  }

  #applyApplication(id: string, is: ApplicationEntry | undefined): void {
    const was = this.#applications.get(id)?.subdomain;
    if (was != null && this.#bySubdomain.get(was.name)?.id === id) this.#bySubdomain.delete(was.name);
    replace(this.#applications, id, is);
    if (is?.subdomain != null) this.#bySubdomain.set(is.subdomain.name, is);
  }

  #applyAccount(id: string, after: StoredObject | undefined): IdentityChange[] {
    const was = this.#accounts.get(id)?.active ?? false;
    replace(this.#accounts, id, after && accountEntry(after));
    const is = this.#accounts.get(id)?.active ?? false;
    if (!was || is) return [{ type: 'changed', object: 'account', id }];
    return [...this.users()].filter((u) => u.accountId === id).map((u) => revoked(u, 'account-inactive'));
  }

  #applyConnection(id: string, after: StoredObject | undefined): IdentityChange[] {
    const was = this.#connections.get(id);
    const user = this.#users.get(id);
    replace(this.#connections, id, after && connectionEntry(after));
    const hidden = after !== undefined && docOf<ConnectionDoc>(after).hidden === true;
    const is = this.#connections.get(id);
    const now =
      after === undefined || is === undefined || hidden
        ? undefined
        : {
            id,
            kind: 'connection' as const,
            name: is.userName,
            password: this.#vault.open(docOf<ConnectionDoc>(after).password, `${id} password`),
            connectionId: id,
            accountId: is.accountId,
          };
    this.#setUser(id, now);
    const told: IdentityChange[] = [];
    if (user !== undefined && now === undefined) told.push(revoked(user, 'deleted'));
    else if (user !== undefined && is?.active === true && now !== undefined) {
      if (user.name !== now.name) told.push(revoked(user, 'renamed'));
      else if (user.password !== now.password) told.push(revoked(user, 'password-changed'));
    }
    if (was?.active === true && is?.active !== true) {
      if (user !== undefined && now !== undefined) told.push(revoked(user, 'connection-inactive'));
      for (const credential of this.#credentials.get(id) ?? [])
        told.push(revoked(this.#users.get(credential)!, 'connection-inactive'));
    }
    return told.length > 0 ? told : [{ type: 'changed', object: 'connection', id }];
  }

  #applyCredential(id: string, after: StoredObject | undefined): IdentityChange[] {
    const was = this.#users.get(id);
    if (was !== undefined) this.#credentials.get(was.connectionId)?.delete(id);
    this.#expiring.delete(id);
    if (after === undefined) {
      this.#setUser(id, undefined);
      return was === undefined ? [] : [revoked(was, 'deleted')];
    }
    const doc = docOf<CredentialDoc>(after);
    const expiresAt = doc.expires_at === null ? undefined : Date.parse(doc.expires_at);
    this.#setUser(id, {
      id,
      kind: 'credential',
      name: doc.sip_username,
      password: this.#vault.open(doc.sip_password, `${id} sip_password`),
      connectionId: doc.connection_id,
      accountId: after.account,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
    const siblings = this.#credentials.get(doc.connection_id);
    if (siblings === undefined) this.#credentials.set(doc.connection_id, new Set([id]));
    else siblings.add(id);
    if (expiresAt !== undefined) {
      this.#expiring.set(id, expiresAt);
      this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    }
    return [{ type: 'changed', object: 'credential', id }];
  }

  #setUser(id: string, user: SipUser | undefined): void {
    const was = this.#users.get(id);
    if (was !== undefined && this.#byName.get(was.name)?.id === id) this.#byName.delete(was.name);
    replace(this.#users, id, user);
    if (user !== undefined) this.#byName.set(user.name, user);
  }

  #applyNumber(
    object: StoredObject,
    before: StoredObject | undefined,
    after: StoredObject | undefined,
  ): void {
    if (before !== undefined) {
      const was = numberEntry(before);
      this.#numbers.delete(was.number);
      if (was.assignee !== null) {
        const rest = this.numbersOf(was.assignee).filter((n) => n.id !== object.id);
        if (rest.length > 0) this.#assigned.set(was.assignee, rest);
        else this.#assigned.delete(was.assignee);
      }
    }
    if (after === undefined || after.doc['hidden'] === true) return;
    const entry = numberEntry(after);
    this.#numbers.set(entry.number, entry);
    if (entry.assignee !== null)
      this.#assigned.set(entry.assignee, [...this.numbersOf(entry.assignee), entry]);
  }
}

function replace<T>(map: Map<string, T>, id: string, value: T | undefined): void {
  if (value === undefined) map.delete(id);
  else map.set(id, value);
}

function revoked(
  user: SipUser,
  why: Extract<IdentityChange, { type: 'revoked' }>['why'],
): Extract<IdentityChange, { type: 'revoked' }> {
  return { type: 'revoked', userId: user.id, userName: user.name, why };
}
