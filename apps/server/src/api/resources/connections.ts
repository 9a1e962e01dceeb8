import { z } from 'zod';
import { docOf, isVisible, userName } from '../../identity/objects.ts';
import type { ApplicationDoc } from '../../identity/schema/call-control-application.ts';
import { CONNECTION_DEFAULTS, type ConnectionDoc } from '../../identity/schema/credential-connection.ts';
import type { StoredObject } from '../../store/directory-store.ts';
import { badParameter, notFound } from '../errors.ts';
import { type ApiCall, iso, operation, selected } from '../operation.ts';
import { pageOf, readListQuery } from '../request.ts';

const FILTERS = ['connection_name', 'outbound_voice_profile_id'];
const SORTS = ['created_at', 'connection_name', 'active'];

const connection = z.object({
  id: z.string(),
  record_type: z.enum(['credential_connection', 'call_control_application']),
  active: z.boolean(),
  connection_name: z.string(),
  anchorsite_override: z.string(),
  outbound_voice_profile_id: z.string().nullable(),
  webhook_api_version: z.string(),
  webhook_event_url: z.string().nullable(),
  webhook_event_failover_url: z.string().nullable(),
  tags: z.array(z.string()),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

/** What connections and applications have in common. */
function view(object: StoredObject): z.output<typeof connection> {
  const isConnection = object.kind === 'connection';
  const doc = isConnection
    ? { ...CONNECTION_DEFAULTS, ...docOf<ConnectionDoc>(object) }
    : docOf<ApplicationDoc>(object);
  return {
    id: object.id,
    record_type: isConnection ? 'credential_connection' : 'call_control_application',
    active: doc.active,
    connection_name: 'connection_name' in doc ? doc.connection_name : doc.application_name,
    anchorsite_override: doc.anchorsite_override,
    outbound_voice_profile_id: doc.outbound.outbound_voice_profile_id,
    webhook_api_version: doc.webhook_api_version,
    webhook_event_url: doc.webhook_event_url,
    webhook_event_failover_url: doc.webhook_event_failover_url,
    tags: [...doc.tags],
    created_at: iso(object.createdAt),
    updated_at: iso(object.updatedAt),
  };
}

function all(call: ApiCall): StoredObject[] {
  const { registry } = call.world.people;
  const connections = [...registry.list(call.account, 'connection').values()].filter(isVisible);
  return [...connections, ...registry.list(call.account, 'application').values()];
}

export const connections = [
  operation({
    id: 'listConnections',
    method: 'GET',
    path: '/connections',
    tag: 'Connections',
    summary: 'List connections and applications together',
    filters: FILTERS,
    sorts: SORTS,
    answer: { status: 200, form: 'list', schema: connection },
    handle: (call) => {
      const query = readListQuery(call.search);
      const views = all(call).map(view);
      const found = selected(views, query, FILTERS, (item, name) => item[name as 'id'], SORTS);
      const { items, meta } = pageOf(found, query.page);
      return { data: items, meta };
    },
  }),
  operation({
    id: 'retrieveConnection',
    method: 'GET',
    path: '/connections/{id}',
    tag: 'Connections',
    summary: 'Retrieve a connection or application',
    answer: { status: 200, form: 'data', schema: connection },
    handle: (call) => {
      const object = call.world.people.registry.get(call.path[0]!);
      const fits = object?.kind === 'connection' || object?.kind === 'application';
      if (!isVisible(object) || !fits || object.account !== call.account) throw notFound();
      return view(object);
    },
  }),
];

export const sipRegistrationStatus = [
  operation({
    id: 'retrieveSipRegistrationStatus',
    method: 'GET',
    path: '/sip_registration_status',
    tag: 'Registrations',
    summary: 'Is a user registered? With username, and credential_type connection or telephony_credential',
    answer: {
      status: 200,
      form: 'bare',
      schema: z.object({
        registered: z.boolean(),
        sip_registration_status: z.enum(['registered', 'unregistered']),
        sip_registration_details: z
          .object({
            expires: z.int().describe('Seconds.'),
            ua_ip: z.string().nullable(),
            ua_port: z.int().nullable(),
            transport: z.string(),
            user_agent: z.string().nullable(),
            uptime: z.int().describe('Seconds since it registered; a refresh does not count.'),
          })
          .nullable(),
      }),
    },
    handle: (call) => {
      const name = call.search.get('username') ?? call.search.get('user_name') ?? '';
      if (name === '') throw badParameter('username', 'username is required.');
      const user = call.world.people.registry.named(userName(name));
      if (user === undefined || user.account !== call.account) throw notFound();
      const contact = call.world.registration(name).contacts[0];
      return {
        registered: contact !== undefined,
        sip_registration_status: contact === undefined ? 'unregistered' : 'registered',
        sip_registration_details:
          contact === undefined
            ? null
            : {
                expires: Math.max(0, Math.round(contact.expiresInMs / 1000)),
                ua_ip: contact.address,
                ua_port: contact.port,
                transport: contact.transport,
                user_agent: contact.userAgent,
                uptime: Math.max(0, Math.round(contact.registeredMs / 1000)),
              },
      };
    },
  }),
];
