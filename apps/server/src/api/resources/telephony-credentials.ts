import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { docOf, makeObject, remakeObject } from '../../identity/objects.ts';
import {
  type CredentialDoc,
  type TelephonyCredentialPatch,
  telephonyCredential,
  telephonyCredentialCreate,
  telephonyCredentialPatch,
  tokenMaterial,
} from '../../identity/schema/telephony-credential.ts';
import type { StoredObject } from '../../store/directory-store.ts';
import { ApiError, badField, CODE, errorItem } from '../errors.ts';
import {
  type ApiCall,
  auditEntry,
  iso,
  operation,
  ownObject,
  referred,
  removed,
  selected,
  stored,
  write,
} from '../operation.ts';
import { pageOf, readListQuery } from '../request.ts';

const tag = 'Telephony credentials';
const path = '/telephony_credentials';
const FILTERS = ['tag', 'name', 'status', 'resource_id', 'sip_username'];
const MOST_PER_TAG = 1000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const NAME_LENGTH = 25;

const isExpired = (call: ApiCall, object: StoredObject): boolean => {
  const { expires_at } = docOf<CredentialDoc>(object);
  return expires_at !== null && Date.parse(expires_at) <= call.world.now();
};

function view(call: ApiCall, object: StoredObject): object {
  const doc = docOf<CredentialDoc>(object);
  return {
    id: object.id,
    record_type: 'credential',
    name: doc.name,
    tag: doc.tag,
    resource_id: `connection:${doc.connection_id}`,
    sip_username: doc.sip_username,
    sip_password: call.world.people.vault.open(doc.sip_password, `${object.id} sip_password`),
    user_id: object.account,
    expired: isExpired(call, object),
    expires_at: doc.expires_at,
    created_at: iso(object.createdAt),
    updated_at: iso(object.updatedAt),
  };
}

function material(call: ApiCall, id: string): object {
  const { kid, telToken, secret } = call.world.people.tokens.material(id);
  return {
    record_type: 'token_material',
    kid,
    tel_token: telToken,
    signing_secret: Buffer.from(secret).toString('base64'),
  };
}

function checkExpiry(call: ApiCall, expiresAt: string | null | undefined): void {
  if (typeof expiresAt === 'string' && Date.parse(expiresAt) <= call.world.now())
    throw badField('/expires_at', 'expires_at must lie in the future.');
}

function checkTag(call: ApiCall, word: string): void {
  if (word === '') return;
  let found = 0;
  for (const object of call.world.people.registry.list(call.account, 'credential').values())
    if (docOf<CredentialDoc>(object).tag === word) found += 1;
  if (found >= MOST_PER_TAG) throw badField('/tag', `tag is on ${MOST_PER_TAG} credentials already.`);
}

const generatedName = (): string =>
  `gencred${Array.from({ length: NAME_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`;

/** What an expired credential may still do is be read and deleted. */
function unexpired(call: ApiCall): StoredObject {
  const object = ownObject(call, 'credential', call.path[0]!);
  if (isExpired(call, object))
    throw new ApiError(422, [errorItem(CODE.badRequest, 'This credential has expired.')]);
  return object;
}

export const telephonyCredentials = [
  operation({
    id: 'createTelephonyCredential',
    method: 'POST',
    path,
    tag,
    summary: 'Create a credential: a SIP user of its own under a connection',
    body: telephonyCredentialCreate,
    answer: {
      status: 201,
      form: 'data',
      schema: telephonyCredential.extend({ token_material: tokenMaterial }),
    },
    handle: async (call, body: z.output<typeof telephonyCredentialCreate>) => {
      const { registry, vault } = call.world.people;
      const made = await write(registry, () => {
        referred(call, ['connection'], body.connection_id, '/connection_id');
        checkExpiry(call, body.expires_at);
        checkTag(call, body.tag ?? '');
        const id = randomUUID();
        const doc: CredentialDoc = {
          connection_id: body.connection_id,
          name: body.name ?? '',
          tag: body.tag ?? '',
          sip_username: generatedName(),
          sip_password: vault.seal(randomBytes(16).toString('hex'), `${id} sip_password`),
          expires_at: body.expires_at ?? null,
        };
        const object = makeObject('credential', call.account, doc, call.world.now(), id);
        return stored(call, 'create', object, body);
      });
      return { ...view(call, made), token_material: material(call, made.id) };
    },
  }),
  operation({
    id: 'listTelephonyCredentials',
    method: 'GET',
    path,
    tag,
    summary:
      'List credentials; filter[resource_id]=connection:<id> names those of a connection, filter[status] is active or expired',
    filters: FILTERS,
    answer: { status: 200, form: 'list', schema: telephonyCredential },
    handle: (call) => {
      const query = readListQuery(call.search);
      const all = [...call.world.people.registry.list(call.account, 'credential').values()];
      const found = selected(all, query, FILTERS, (object, name) => {
        const doc = docOf<CredentialDoc>(object);
        if (name === 'status') return isExpired(call, object) ? 'expired' : 'active';
        if (name === 'resource_id') return `connection:${doc.connection_id}`;
        return doc[name as 'tag' | 'name' | 'sip_username'];
      });
      const { items, meta } = pageOf(found, query.page);
      return { data: items.map((object) => view(call, object)), meta };
    },
  }),
  operation({
    id: 'retrieveTelephonyCredential',
    method: 'GET',
    path: `${path}/{id}`,
    tag,
    summary: 'Retrieve a credential',
    answer: { status: 200, form: 'data', schema: telephonyCredential },
    handle: (call) => view(call, ownObject(call, 'credential', call.path[0]!)),
  }),
  operation({
    id: 'updateTelephonyCredential',
    method: 'PATCH',
    path: `${path}/{id}`,
    tag,
    summary: 'Update a credential; one that has expired stays so',
    body: telephonyCredentialPatch,
    answer: { status: 200, form: 'data', schema: telephonyCredential },
    handle: async (call, body: TelephonyCredentialPatch) => {
      const next = await write(call.world.people.registry, () => {
        const object = ownObject(call, 'credential', call.path[0]!);
        // The one error of the published API whose `errors` is no list.
        if (isExpired(call, object)) throw new ApiError(422, { status: 'This credential has expired.' });
        if (body.connection_id !== undefined)
          referred(call, ['connection'], body.connection_id, '/connection_id');
        checkExpiry(call, body.expires_at);
        const before = docOf<CredentialDoc>(object);
        if (body.tag !== undefined && body.tag !== before.tag) checkTag(call, body.tag);
        const doc: CredentialDoc = {
          ...before,
          connection_id: body.connection_id ?? before.connection_id,
          name: body.name ?? before.name,
          tag: body.tag ?? before.tag,
          expires_at: body.expires_at === undefined ? before.expires_at : body.expires_at,
        };
        const made = remakeObject(object, 'credential', doc, call.world.now());
        return stored(call, 'update', made, body);
      });
      return view(call, next);
    },
  }),
  operation({
    id: 'deleteTelephonyCredential',
    method: 'DELETE',
    path: `${path}/{id}`,
    tag,
    summary: 'Delete a credential: its tokens are no longer good, and who is connected by it is closed',
    answer: { status: 200, form: 'data', schema: telephonyCredential },
    handle: (call) =>
      write(call.world.people.registry, () => {
        const object = ownObject(call, 'credential', call.path[0]!);
        return removed(call, object, view(call, object));
      }),
  }),
  operation({
    id: 'createTelephonyCredentialToken',
    method: 'POST',
    path: `${path}/{id}/token`,
    tag,
    summary: 'Create a login token, valid for 24 hours or until the credential expires',
    answer: { status: 201, form: 'text' },
    handle: async (call) => {
      const object = unexpired(call);
      const { registry, tokens } = call.world.people;
      const { expires_at } = docOf<CredentialDoc>(object);
      const expiry = expires_at === null ? {} : { expiresAt: Date.parse(expires_at) };
      const token = await tokens.mint(
        { id: object.id, accountId: call.account, ...expiry },
        call.world.now(),
      );
      await write(registry, () => ({
        change: { puts: [], removes: [], audit: [auditEntry(call, 'token', 'credential', object.id)] },
        result: undefined,
      }));
      return token;
    },
  }),
  operation({
    id: 'retrieveTokenMaterial',
    method: 'GET',
    path: `${path}/{id}/token_material`,
    tag,
    summary:
      'What a back end needs to mint login tokens of this credential itself (HS512; claims as in ours; at most 24 hours)',
    answer: { status: 200, form: 'data', schema: tokenMaterial },
    handle: (call) => material(call, unexpired(call).id),
  }),
];
