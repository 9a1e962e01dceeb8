import type { EpochMs, Ms } from '@sidetone/core';
import type { ConferenceReads, QueueReads } from '@sidetone/voice';
import type { CallEvent, Command, CommandResult, LegView } from '@sidetone/wire';
import type { z } from 'zod';
import type { EventReader } from '../events/event-queries.ts';
import { isVisible } from '../identity/objects.ts';
import type { IdentityService } from '../identity/open.ts';
import { NameTaken, type Registry } from '../identity/registry.ts';
import type { RecordingService } from '../recordings/service.ts';
import type { Fetched } from '../sounds/fetch.ts';
import type { Draft, MediaStorage } from '../sounds/media-storage.ts';
import type { AuditEntry, Change, ObjectKind, StoredObject } from '../store/directory-store.ts';
import { badField, notFound } from './errors.ts';
import type { Leniency, ListQuery } from './request.ts';

/** What the registrar knows of a user. */
export interface RegistrationState {
  readonly contacts: readonly {
    /** `null` what is not known. */
    readonly address: string | null;
    readonly port: number | null;
    readonly transport: string;
    readonly userAgent: string | null;
    /** How long it has been there; a refresh does not count. */
    readonly registeredMs: Ms;
    readonly expiresInMs: Ms;
  }[];
}

/** The calls of this process. */
export interface CallCommands {
  /** Answered at once. Throws when nobody answers, which is a fault of ours. */
  command(command: Command): CommandResult;
  /** A leg by its `call_control_id`, alive or over for less than 10 minutes; `undefined` also for one of another account. */
  leg(account: string, control: string): LegView | undefined;
  /** The living legs of a connection or application, oldest first. */
  legsOf(account: string, connection: string): readonly LegView[];
  readonly conferences: ConferenceReads;
  readonly queues: QueueReads;
}

/** Files that accounts store. */
export interface MediaDoor {
  readonly storage: MediaStorage;
  /** Throws SoundFault, also when too many of the account wait. */
  readonly fetch: (account: string, url: string) => Promise<Fetched>;
  /** Waits for one of the few places in which files are received. */
  readonly receive: <T>(account: string, work: () => Promise<T>) => Promise<T>;
}

/** What `form: 'bytes'` answers. */
export interface Download {
  readonly stream: ReadableStream;
  readonly bytes: number;
  readonly name: string;
  readonly contentType: string;
}

/** What the API needs of the process around it. */
export interface ApiWorld {
  readonly people: Pick<IdentityService, 'registry' | 'identity' | 'vault' | 'tokens' | 'store'>;
  readonly now: () => EpochMs;
  readonly registration: (userName: string) => RegistrationState;
  readonly calls: CallCommands;
  readonly webhooks: {
    /** What webhooks are signed by now; base64. */
    readonly publicKey: string;
    readonly events: EventReader;
    readonly redeliver: (event: CallEvent, attempts: number) => void;
  };
  readonly media: MediaDoor;
  readonly recordings: Pick<RecordingService, 'store' | 'links' | 'remove'>;
}

/** A request whose sender is known. */
export interface ApiCall {
  readonly account: string;
  /** Id of the API key. */
  readonly key: string;
  readonly requestId: string;
  /** Address of the peer. */
  readonly source: string;
  /** Decoded once. */
  readonly path: readonly string[];
  readonly search: URLSearchParams;
  readonly world: ApiWorld;
  /** The file that came with the request; what its row does not keep is removed behind it. */
  readonly upload?: Draft & { readonly fileName: string };
}

/** One row of the API: it routes, validates, answers and documents itself. */
export interface Operation<Body = never> {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below /v2; `{name}` stands for one segment. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly body?: z.ZodType<Body>;
  readonly lenient?: Leniency;
  /** The body may also be a form with a file, the part `media`. */
  readonly upload?: true;
  /** What a new object has where the body says nothing. */
  readonly defaults?: object;
  /** Of a list. */
  readonly filters?: readonly string[];
  readonly sorts?: readonly string[];
  readonly answer:
    | {
        readonly status: 200 | 201;
        /** `bytes`: the handler gives a `Download`. */
        readonly form: 'data' | 'list' | 'bare' | 'text' | 'bytes';
        readonly schema?: z.ZodType;
      }
    | { readonly status: 204; readonly form: 'none'; readonly schema?: undefined };
  readonly handle: (call: ApiCall, body: Body) => Promise<unknown> | unknown;
}

/** Keeps the type of the body between schema and handler. */
export const operation = <Body = never>(row: Operation<Body>): Operation => row as unknown as Operation;

/** An object of the caller's account, or 404 in the same words for whatever else. */
export function ownObject(call: ApiCall, kind: ObjectKind, id: string): StoredObject {
  const object = call.world.people.registry.get(id);
  if (!isVisible(object) || object.kind !== kind || object.account !== call.account) throw notFound();
  return object;
}

/** What a field refers to; a foreign id is as unknown as one that does not exist. */
export function referred(
  call: ApiCall,
  kinds: readonly ObjectKind[],
  id: string,
  pointer: string,
): StoredObject {
  const object = call.world.people.registry.get(id);
  if (!isVisible(object) || !kinds.includes(object.kind) || object.account !== call.account)
    throw badField(
      pointer,
      `${pointer.slice(pointer.lastIndexOf('/') + 1)} names no ${kinds.join(' or ')} of this account.`,
      '10017',
    );
  return object;
}

export function auditEntry(
  call: ApiCall,
  action: AuditEntry['action'],
  kind: ObjectKind,
  object: string,
  fields: readonly string[] = [],
): AuditEntry {
  return {
    at: call.world.now(),
    account: call.account,
    actor: call.key,
    source: call.source,
    action,
    kind,
    object,
    fields,
    request: call.requestId,
  };
}

interface Decision<T> {
  readonly change: Change;
  readonly result: T;
}

/** Stores an object that `body` made or changed, with its line in the audit log. */
export function stored(
  call: ApiCall,
  action: 'create' | 'update',
  object: StoredObject,
  body: object,
): Decision<StoredObject> {
  const audit = [auditEntry(call, action, object.kind, object.id, fieldsOf(body))];
  return { change: { puts: [object], removes: [], audit }, result: object };
}

/** Removes an object, with its line in the audit log; `view`: how it looked. */
export function removed<T>(call: ApiCall, { id, kind, version }: StoredObject, view: T): Decision<T> {
  const audit = [auditEntry(call, 'delete', kind, id)];
  return { change: { puts: [], removes: [{ id, version }], audit }, result: view };
}

/** Writes a change; a name that somebody else holds is the fault of the field that `pointers` tells for its kind. */
export async function write<T>(registry: Registry, decide: () => Decision<T>): Promise<T> {
  try {
    return await registry.change(decide);
  } catch (error) {
    if (error instanceof NameTaken && error.taken.startsWith('sip:'))
      throw badField('/user_name', 'user_name is already in use.');
    if (error instanceof NameTaken && error.taken.startsWith('subdomain:'))
      throw badField('/inbound/sip_subdomain', 'sip_subdomain is already in use.');
    throw error;
  }
}

/** Names of the fields in a body, two levels deep, for the audit log. */
const fieldsOf = (body: object): string[] =>
  Object.entries(body).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.keys(value).map((inner) => `${name}.${inner}`)
      : [name],
  );

/** `before` with what a patch says, one level into nested settings; what it leaves out stays. */
export function merged<T extends object>(before: T, patch: object): T {
  const result = { ...before } as Record<string, unknown>;
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    const old = result[name];
    const nested =
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      typeof old === 'object' &&
      old !== null;
    result[name] = nested ? { ...old, ...defined(value) } : value;
  }
  return result as T;
}

const defined = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));

export const iso = (at: number): string => new Date(at).toISOString();

type Field = string | number | boolean | null | undefined;

/**
 * Filters and sorts. A filter that the list does not know is no filter (as in the published API); `contains`, `starts_with` and
 * `ends_with` look into text without regard to case.
 */
export function selected<T>(
  all: readonly T[],
  query: ListQuery,
  known: readonly string[],
  field: (item: T, name: string) => Field,
  sorts: readonly string[] = [],
): readonly T[] {
  let found = all;
  for (const [key, wanted] of query.filter) {
    const operator = /\.(contains|starts_with|ends_with)$/.exec(key)?.[1];
    const name = operator === undefined ? key : key.slice(0, -operator.length - 1);
    if (!known.includes(name) || wanted === '') continue;
    found = found.filter((item) => matches(String(field(item, name) ?? ''), wanted, operator));
  }
  const { sort } = query;
  if (sort !== undefined && sorts.includes(sort.field)) {
    const sign = sort.descending ? -1 : 1;
    found = [...found].sort((a, b) => sign * compare(field(a, sort.field), field(b, sort.field)));
  }
  return found;
}

function matches(value: string, wanted: string, operator: string | undefined): boolean {
  if (operator === undefined) return value === wanted;
  const [text, part] = [value.toLowerCase(), wanted.toLowerCase()];
  if (operator === 'contains') return text.includes(part);
  return operator === 'starts_with' ? text.startsWith(part) : text.endsWith(part);
}

function compare(a: Field, b: Field): number {
  const [left, right] = [String(a ?? ''), String(b ?? '')];
  return left < right ? -1 : left > right ? 1 : 0;
}
