import type { z } from 'zod';
import { type Docs, docOf, makeObject, remakeObject } from '../../identity/objects.ts';
import {
  APPLICATION_DEFAULTS,
  callControlApplication,
  callControlApplicationCreate,
  callControlApplicationPatch,
} from '../../identity/schema/call-control-application.ts';
import {
  outboundVoiceProfile,
  outboundVoiceProfileCreate,
  outboundVoiceProfilePatch,
  PROFILE_DEFAULTS,
} from '../../identity/schema/outbound-voice-profile.ts';
import type { StoredObject } from '../../store/directory-store.ts';
import { ApiError, CODE, errorItem } from '../errors.ts';
import {
  type ApiCall,
  iso,
  merged,
  type Operation,
  operation,
  ownObject,
  referred,
  removed,
  selected,
  stored,
  write,
} from '../operation.ts';
import { pageOf, readListQuery } from '../request.ts';

/** Objects that are made, listed, read, changed and deleted, and no more. */
interface Plain<K extends 'profile' | 'application'> {
  readonly kind: K;
  /** For the ids of operations. */
  readonly one: string;
  readonly path: string;
  readonly tag: string;
  readonly recordType: string;
  readonly noun: string;
  /** The published profiles are created with 200. */
  readonly created: 200 | 201;
  readonly schemas: { readonly create: z.ZodType; readonly patch: z.ZodType; readonly view: z.ZodType };
  readonly defaults: object;
  readonly filters: readonly string[];
  readonly sorts: readonly string[];
  readonly field: (object: StoredObject, name: string) => string | boolean | null;
  readonly more: (call: ApiCall, object: StoredObject) => object;
  readonly check: (call: ApiCall, body: Record<string, unknown>) => void;
}

function operationsOf<K extends 'profile' | 'application'>(plain: Plain<K>): Operation[] {
  const { kind, one, path, tag, noun } = plain;
  const view = (call: ApiCall, object: StoredObject): object => ({
    id: object.id,
    record_type: plain.recordType,
    ...merged(plain.defaults, object.doc),
    ...plain.more(call, object),
    created_at: iso(object.createdAt),
    updated_at: iso(object.updatedAt),
  });
  return [
    operation<Record<string, unknown>>({
      id: `create${one}`,
      method: 'POST',
      path,
      tag,
      summary: `Create ${noun}`,
      body: plain.schemas.create as z.ZodType<Record<string, unknown>>,
      defaults: plain.defaults,
      answer: { status: plain.created, form: 'data', schema: plain.schemas.view },
      handle: async (call, body) => {
        const made = await write(call.world.people.registry, () => {
          plain.check(call, body);
          const object = makeObject(
            kind,
            call.account,
            merged(plain.defaults, body) as Docs[K],
            call.world.now(),
          );
          return stored(call, 'create', object, body);
        });
        return view(call, made);
      },
    }),
    operation({
      id: `list${one}s`,
      method: 'GET',
      path,
      tag,
      summary: `List ${noun.replace(/^an? /, '')}s`,
      filters: plain.filters,
      sorts: plain.sorts,
      answer: { status: 200, form: 'list', schema: plain.schemas.view },
      handle: (call) => {
        const query = readListQuery(call.search);
        const all = [...call.world.people.registry.list(call.account, kind).values()];
        const { items, meta } = pageOf(
          selected(all, query, plain.filters, plain.field, plain.sorts),
          query.page,
        );
        return { data: items.map((object) => view(call, object)), meta };
      },
    }),
    operation({
      id: `retrieve${one}`,
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: `Retrieve ${noun}`,
      answer: { status: 200, form: 'data', schema: plain.schemas.view },
      handle: (call) => view(call, ownObject(call, kind, call.path[0]!)),
    }),
    operation<Record<string, unknown>>({
      id: `update${one}`,
      method: 'PATCH',
      path: `${path}/{id}`,
      tag,
      summary: `Update ${noun}`,
      body: plain.schemas.patch as z.ZodType<Record<string, unknown>>,
      answer: { status: 200, form: 'data', schema: plain.schemas.view },
      handle: async (call, body) => {
        const next = await write(call.world.people.registry, () => {
          const object = ownObject(call, kind, call.path[0]!);
          plain.check(call, body);
          const doc = merged(docOf<Docs[K]>(object), body);
          const made = remakeObject(object, kind, doc, call.world.now());
          return stored(call, 'update', made, body);
        });
        return view(call, next);
      },
    }),
    operation({
      id: `delete${one}`,
      method: 'DELETE',
      path: `${path}/{id}`,
      tag,
      summary: `Delete ${noun}; refused with 422 while something uses it`,
      answer: { status: 200, form: 'data', schema: plain.schemas.view },
      handle: (call) =>
        write(call.world.people.registry, () => {
          const object = ownObject(call, kind, call.path[0]!);
          const users = call.world.people.registry.referrers(object.id);
          if (users.length > 0)
            throw new ApiError(422, [
              errorItem(
                CODE.badRequest,
                `It is used by ${users.length === 1 ? `${users[0]!.kind} ${users[0]!.id}` : `${users.length} objects`}.`,
              ),
            ]);
          return removed(call, object, view(call, object));
        }),
    }),
  ];
}

export const outboundVoiceProfiles = operationsOf({
  kind: 'profile',
  one: 'OutboundVoiceProfile',
  path: '/outbound_voice_profiles',
  tag: 'Outbound voice profiles',
  recordType: 'outbound_voice_profile',
  noun: 'an outbound voice profile',
  created: 200,
  schemas: {
    create: outboundVoiceProfileCreate,
    patch: outboundVoiceProfilePatch,
    view: outboundVoiceProfile,
  },
  defaults: PROFILE_DEFAULTS,
  filters: ['name'],
  sorts: ['enabled', 'created_at', 'name', 'service_plan', 'traffic_type', 'usage_payment_method'],
  field: (object, name) =>
    name === 'created_at' ? iso(object.createdAt) : (object.doc[name] as string | boolean | null),
  more: (call, object) => ({
    connections_count: call.world.people.registry.referrers(object.id).length,
  }),
  check: () => {},
});

export const callControlApplications = operationsOf({
  kind: 'application',
  one: 'CallControlApplication',
  path: '/call_control_applications',
  tag: 'Call control applications',
  recordType: 'call_control_application',
  noun: 'a call control application',
  created: 201,
  schemas: {
    create: callControlApplicationCreate,
    patch: callControlApplicationPatch,
    view: callControlApplication,
  },
  defaults: APPLICATION_DEFAULTS,
  filters: ['application_name', 'outbound.outbound_voice_profile_id'],
  sorts: ['created_at', 'connection_name', 'active'],
  field: (object, name) => {
    const doc = docOf<Docs['application']>(object);
    if (name === 'created_at') return iso(object.createdAt);
    if (name === 'active') return doc.active;
    if (name === 'outbound.outbound_voice_profile_id') return doc.outbound.outbound_voice_profile_id;
    return doc.application_name;
  },
  more: () => ({}),
  check: (call, body) => {
    const profile = (body['outbound'] as { outbound_voice_profile_id?: string | null } | undefined)
      ?.outbound_voice_profile_id;
    if (typeof profile === 'string')
      referred(call, ['profile'], profile, '/outbound/outbound_voice_profile_id');
  },
});
