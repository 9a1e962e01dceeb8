import { z } from 'zod';
import { decimalId, docOf, isVisible, makeObject, remakeObject } from '../../identity/objects.ts';
import {
  CONNECTION_DEFAULTS,
  type ConnectionDoc,
  type CredentialConnectionPatch,
  credentialConnection,
  credentialConnectionCreate,
  credentialConnectionPatch,
} from '../../identity/schema/credential-connection.ts';
import type { StoredObject } from '../../store/directory-store.ts';
import { ApiError, badField, CODE, errorItem } from '../errors.ts';
import {
  type ApiCall,
  auditEntry,
  iso,
  merged,
  operation,
  ownObject,
  referred,
  selected,
  stored,
  write,
} from '../operation.ts';
import { pageOf, readListQuery } from '../request.ts';

const tag = 'Credential connections';
const path = '/credential_connections';
const FILTERS = [
  'connection_name',
  'user_name',
  'outbound_voice_profile_id',
  'outbound.outbound_voice_profile_id',
];
const SORTS = ['created_at', 'connection_name', 'active'];

export function connectionView(call: ApiCall, object: StoredObject): object {
  const { origin: _, hidden: __, reject_code: ___, ...doc } = docOf<ConnectionDoc>(object);
  return {
    id: object.id,
    record_type: 'credential_connection',
    ...merged(CONNECTION_DEFAULTS, doc),
    password: call.world.people.vault.open(doc.password, `${object.id} password`),
    created_at: iso(object.createdAt),
    updated_at: iso(object.updatedAt),
  };
}

/** What holds between fields, whichever of them was set last. */
function check(call: ApiCall, doc: ConnectionDoc, set: CredentialConnectionPatch): void {
  if (doc.webhook_api_version === 'texml' && doc.outbound.call_parking_enabled !== true)
    throw badField('/webhook_api_version', 'texml needs outbound.call_parking_enabled.');
  const profile = set.outbound?.outbound_voice_profile_id;
  if (typeof profile === 'string')
    referred(call, ['profile'], profile, '/outbound/outbound_voice_profile_id');
}

/** The user name is taken: said before the store is asked, and by the store when two ask at once. */
function checkName(call: ApiCall, name: string, id: string): void {
  const holder = call.world.people.registry.named(`sip:${name}`);
  if (holder !== undefined && holder.id !== id) throw badField('/user_name', 'user_name is already in use.');
}

/** Connections that the API may change: those of the configuration file are the file's. */
function changeable(call: ApiCall, id: string): StoredObject {
  const object = ownObject(call, 'connection', id);
  if (docOf<ConnectionDoc>(object).origin === 'configuration')
    throw new ApiError(422, [
      errorItem(CODE.badRequest, 'This connection is defined by the configuration file of the server.'),
    ]);
  return object;
}

export const credentialConnections = [
  operation({
    id: 'createCredentialConnection',
    method: 'POST',
    path,
    tag,
    summary: 'Create a connection',
    body: credentialConnectionCreate,
    defaults: CONNECTION_DEFAULTS,
    answer: { status: 201, form: 'data', schema: credentialConnection },
    handle: (call, body: z.output<typeof credentialConnectionCreate>) => {
      const { registry, vault } = call.world.people;
      return write(registry, () => {
        const now = call.world.now();
        const id = decimalId(now);
        checkName(call, body.user_name, id);
        const doc: ConnectionDoc = {
          ...(merged(CONNECTION_DEFAULTS, body) as unknown as ConnectionDoc),
          password: vault.seal(body.password, `${id} password`),
          origin: 'api',
        };
        check(call, doc, body);
        const made = makeObject('connection', call.account, doc, now, id);
        return stored(call, 'create', made, body);
      }).then((made) => connectionView(call, made));
    },
  }),
  operation({
    id: 'listCredentialConnections',
    method: 'GET',
    path,
    tag,
    summary: 'List connections',
    filters: FILTERS,
    sorts: SORTS,
    answer: { status: 200, form: 'list', schema: credentialConnection },
    handle: (call) => {
      const query = readListQuery(call.search);
      const all = [...call.world.people.registry.list(call.account, 'connection').values()].filter(isVisible);
      const { items, meta } = pageOf(selected(all, query, FILTERS, connectionField, SORTS), query.page);
      return { data: items.map((object) => connectionView(call, object)), meta };
    },
  }),
  operation({
    id: 'retrieveCredentialConnection',
    method: 'GET',
    path: `${path}/{id}`,
    tag,
    summary: 'Retrieve a connection',
    answer: { status: 200, form: 'data', schema: credentialConnection },
    handle: (call) => connectionView(call, ownObject(call, 'connection', call.path[0]!)),
  }),
  operation({
    id: 'updateCredentialConnection',
    method: 'PATCH',
    path: `${path}/{id}`,
    tag,
    summary: 'Update a connection',
    body: credentialConnectionPatch,
    answer: { status: 200, form: 'data', schema: credentialConnection },
    handle: (call, body: CredentialConnectionPatch) => {
      const { registry, vault } = call.world.people;
      return write(registry, () => {
        const object = changeable(call, call.path[0]!);
        if (body.user_name !== undefined) checkName(call, body.user_name, object.id);
        const { password, ...rest } = body;
        const before = docOf<ConnectionDoc>(object);
        const sealed =
          password === undefined ? before.password : vault.seal(password, `${object.id} password`);
        const doc: ConnectionDoc = { ...merged(before, rest), password: sealed, origin: 'api' };
        check(call, doc, body);
        const next = remakeObject(object, 'connection', doc, call.world.now());
        return stored(call, 'update', next, body);
      }).then((next) => connectionView(call, next));
    },
  }),
  operation({
    id: 'deleteCredentialConnection',
    method: 'DELETE',
    path: `${path}/{id}`,
    tag,
    summary: 'Delete a connection with its telephony credentials; its numbers stay, assigned to nobody',
    answer: { status: 200, form: 'data', schema: credentialConnection },
    handle: async (call) => {
      const { registry } = call.world.people;
      const view = await write(registry, () => {
        const object = changeable(call, call.path[0]!);
        const under = registry.referrers(object.id);
        const credentials = under.filter((from) => from.kind === 'credential');
        const numbers = under
          .filter((from) => from.kind === 'number')
          .map((from) =>
            remakeObject(from, 'number', { ...from.doc, connection_id: null } as never, call.world.now()),
          );
        const removes = [...credentials, object].map(({ id, version }) => ({ id, version }));
        const audit = [
          ...credentials.map((from) => auditEntry(call, 'delete', 'credential', from.id)),
          ...numbers.map((from) => auditEntry(call, 'update', 'number', from.id, ['connection_id'])),
          auditEntry(call, 'delete', 'connection', object.id),
        ];
        return { change: { puts: numbers, removes, audit }, result: connectionView(call, object) };
      });
      return view;
    },
  }),
  operation({
    id: 'checkRegistrationStatus',
    method: 'POST',
    path: `${path}/{id}/actions/check_registration_status`,
    tag,
    summary: "Is the connection's own user registered?",
    answer: {
      status: 200,
      form: 'data',
      schema: z.object({
        record_type: z.literal('registration_status'),
        sip_username: z.string(),
        status: z.enum(['Registered', 'Not Registered']),
        registration_status: z.enum(['Registered', 'Not Registered']),
        registration_status_updated_at: z.iso.datetime().nullable(),
        last_registration: z.iso.datetime().nullable(),
        ip_address: z.string().nullable(),
        port: z.int().nullable(),
        transport: z.string().nullable(),
        user_agent: z.string().nullable(),
      }),
    },
    handle: (call) => {
      const object = ownObject(call, 'connection', call.path[0]!);
      const name = docOf<ConnectionDoc>(object).user_name;
      const contact = call.world.registration(name).contacts[0];
      const status = contact === undefined ? 'Not Registered' : 'Registered';
      const since = contact === undefined ? null : iso(call.world.now() - contact.registeredMs);
      return {
        record_type: 'registration_status',
        sip_username: name,
        status,
        registration_status: status,
        registration_status_updated_at: since,
        last_registration: since,
        ip_address: contact?.address ?? null,
        port: contact?.port ?? null,
        transport: contact?.transport ?? null,
        user_agent: contact?.userAgent ?? null,
      };
    },
  }),
];

function connectionField(object: StoredObject, name: string): string | boolean | null {
  const doc = docOf<ConnectionDoc>(object);
  if (name === 'created_at') return iso(object.createdAt);
  if (name.endsWith('outbound_voice_profile_id')) return doc.outbound.outbound_voice_profile_id;
  return doc[name as 'connection_name' | 'user_name' | 'active'];
}
