import { canonicalNumber } from '@sidetone/wire';
import { docOf, isVisible, remakeObject } from '../../identity/objects.ts';
import {
  type NumberDoc,
  type NumberVoicePatch,
  numberVoice,
  numberVoicePatch,
  type PhoneNumberPatch,
  phoneNumber,
  phoneNumberPatch,
} from '../../identity/schema/phone-number.ts';
import type { StoredObject } from '../../store/directory-store.ts';
import { badField } from '../errors.ts';
import {
  type ApiCall,
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

const tag = 'Phone numbers';
const path = '/phone_numbers';
const FILTERS = [
  'phone_number',
  'connection_id',
  'connection_name',
  'voice.connection_name',
  'customer_reference',
  'tag',
  'status',
  'country_iso_alpha2',
  'voice.usage_payment_method',
];
const SORTS = ['purchased_at', 'phone_number', 'connection_name', 'usage_payment_method'];

/** What takes the calls of a number, by name. */
function assigneeName(call: ApiCall, id: string | null): string | null {
  if (id === null) return null;
  const doc = call.world.people.registry.get(id)?.doc;
  const name = doc?.['connection_name'] ?? doc?.['application_name'];
  return typeof name === 'string' ? name : null;
}

function view(call: ApiCall, object: StoredObject): object {
  const doc = docOf<NumberDoc>(object);
  return {
    id: object.id,
    record_type: 'phone_number',
    phone_number: doc.phone_number,
    country_iso_alpha2: doc.country,
    status: 'active',
    phone_number_type: 'local',
    connection_id: doc.connection_id,
    connection_name: assigneeName(call, doc.connection_id),
    customer_reference: doc.customer_reference,
    external_pin: doc.external_pin,
    billing_group_id: doc.billing_group_id,
    address_id: doc.address_id,
    messaging_profile_id: null,
    emergency_enabled: false,
    emergency_address_id: null,
    call_forwarding_enabled: doc.voice.call_forwarding.call_forwarding_enabled,
    cnam_listing_enabled: doc.voice.cnam_listing.cnam_listing_enabled,
    caller_id_name_enabled: doc.voice.caller_id_name_enabled,
    call_recording_enabled: doc.voice.call_recording.inbound_call_recording_enabled,
    t38_fax_gateway_enabled: doc.voice.media_features.t38_fax_gateway_enabled,
    inbound_call_screening: doc.voice.inbound_call_screening,
    hd_voice_enabled: doc.hd_voice_enabled,
    deletion_lock_enabled: false,
    tags: doc.tags,
    purchased_at: iso(object.createdAt),
    created_at: iso(object.createdAt),
    updated_at: iso(object.updatedAt),
  };
}

function voiceView(object: StoredObject): object {
  const doc = docOf<NumberDoc>(object);
  return {
    id: object.id,
    record_type: 'voice_settings',
    phone_number: doc.phone_number,
    connection_id: doc.connection_id,
    customer_reference: doc.customer_reference,
    ...doc.voice,
    emergency: { emergency_enabled: false, emergency_address_id: null, emergency_status: 'disabled' },
  };
}

function found(call: ApiCall): { items: readonly StoredObject[]; meta: object } {
  const query = readListQuery(call.search);
  const wanted = query.filter.get('phone_number');
  const filter = new Map(query.filter);
  if (wanted !== undefined) filter.set('phone_number', canonicalNumber(wanted));
  const all = [...call.world.people.registry.list(call.account, 'number').values()].filter(isVisible);
  const field = (object: StoredObject, name: string): string | null => {
    const doc = docOf<NumberDoc>(object);
    switch (name) {
      case 'connection_name':
      case 'voice.connection_name':
        return assigneeName(call, doc.connection_id);
      case 'tag':
        return query.filter.has('tag') && doc.tags.includes(query.filter.get('tag')!)
          ? query.filter.get('tag')!
          : null;
      case 'status':
        return 'active';
      case 'country_iso_alpha2':
        return doc.country;
      case 'voice.usage_payment_method':
      case 'usage_payment_method':
        return doc.voice.usage_payment_method;
      case 'purchased_at':
        return iso(object.createdAt);
      default:
        return doc[name as 'phone_number' | 'connection_id' | 'customer_reference'];
    }
  };
  return pageOf(selected(all, { ...query, filter }, FILTERS, field, SORTS), query.page);
}

export const phoneNumbers = [
  operation({
    id: 'listPhoneNumbers',
    method: 'GET',
    path,
    tag,
    summary:
      'List numbers. The operator of the server gives them to an account: sidetone number add, or the configuration file',
    filters: FILTERS,
    sorts: SORTS,
    answer: { status: 200, form: 'list', schema: phoneNumber },
    handle: (call) => {
      const { items, meta } = found(call);
      return { data: items.map((object) => view(call, object)), meta };
    },
  }),
  operation({
    id: 'listPhoneNumberVoiceSettings',
    method: 'GET',
    path: `${path}/voice`,
    tag,
    summary: 'List the voice settings of numbers',
    filters: FILTERS,
    sorts: SORTS,
    answer: { status: 200, form: 'list', schema: numberVoice },
    handle: (call) => {
      const { items, meta } = found(call);
      return { data: items.map(voiceView), meta };
    },
  }),
  operation({
    id: 'retrievePhoneNumber',
    method: 'GET',
    path: `${path}/{id}`,
    tag,
    summary: 'Retrieve a number',
    answer: { status: 200, form: 'data', schema: phoneNumber },
    handle: (call) => view(call, ownObject(call, 'number', call.path[0]!)),
  }),
  operation({
    id: 'updatePhoneNumber',
    method: 'PATCH',
    path: `${path}/{id}`,
    tag,
    summary: 'Assign a number to a connection or application, and set its words',
    body: phoneNumberPatch,
    answer: { status: 200, form: 'data', schema: phoneNumber },
    handle: async (call, body: PhoneNumberPatch) => {
      const next = await write(call.world.people.registry, () => {
        const object = ownObject(call, 'number', call.path[0]!);
        const before = docOf<NumberDoc>(object);
        if (body.connection_id !== undefined && body.connection_id !== before.connection_id) {
          if (before.origin === 'configuration')
            throw badField(
              '/connection_id',
              'connection_id of this number is set by the configuration file of the server.',
            );
          if (body.connection_id !== null)
            referred(call, ['connection', 'application'], body.connection_id, '/connection_id');
        }
        const made = remakeObject(object, 'number', merged(before, body), call.world.now());
        return stored(call, 'update', made, body);
      });
      return view(call, next);
    },
  }),
  operation({
    id: 'retrievePhoneNumberVoiceSettings',
    method: 'GET',
    path: `${path}/{id}/voice`,
    tag,
    summary: 'Retrieve the voice settings of a number',
    answer: { status: 200, form: 'data', schema: numberVoice },
    handle: (call) => voiceView(ownObject(call, 'number', call.path[0]!)),
  }),
  operation({
    id: 'updatePhoneNumberVoiceSettings',
    method: 'PATCH',
    path: `${path}/{id}/voice`,
    tag,
    summary: 'Update the voice settings of a number',
    body: numberVoicePatch,
    answer: { status: 200, form: 'data', schema: numberVoice },
    handle: async (call, body: NumberVoicePatch) => {
      const next = await write(call.world.people.registry, () => {
        const object = ownObject(call, 'number', call.path[0]!);
        const before = docOf<NumberDoc>(object);
        const voice = merged(before.voice, body);
        if (voice.call_forwarding.call_forwarding_enabled && voice.call_forwarding.forwards_to === '')
          throw badField(
            '/call_forwarding/forwards_to',
            'forwards_to is needed with call_forwarding_enabled.',
          );
        const made = remakeObject(object, 'number', { ...before, voice }, call.world.now());
        return stored(call, 'update', made, body);
      });
      return voiceView(next);
    },
  }),
];
