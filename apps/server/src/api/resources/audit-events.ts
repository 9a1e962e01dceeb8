import { z } from 'zod';
import type { AuditRow, ObjectKind } from '../../store/directory-store.ts';
import { badParameter } from '../errors.ts';
import { type ApiCall, iso, operation } from '../operation.ts';
import { readListQuery } from '../request.ts';

const RECORD_TYPE: Readonly<Record<ObjectKind, string>> = {
  account: 'account',
  key: 'api_key',
  connection: 'credential_connection',
  credential: 'credential',
  number: 'phone_number',
  profile: 'outbound_voice_profile',
  application: 'call_control_application',
};
const LATEST = 8_640_000_000_000_000;

const auditEvent = z.object({
  id: z.string(),
  record_type: z.string().describe('The type of the object.'),
  resource_id: z.string().describe('The object.'),
  alternate_resource_id: z.null(),
  change_type: z.enum(['create', 'update', 'delete', 'token']).describe('token: a login token was made.'),
  change_made_by: z
    .enum(['account_owner', 'account_manager'])
    .describe(
      'account_owner: by an API key; account_manager: by the operator (command line, configuration).',
    ),
  user_id: z.string().describe('Id of the API key, `command line` or `configuration`.'),
  organization_id: z.string().describe('The account.'),
  changes: z
    .array(z.object({ field: z.string(), from: z.null(), to: z.null() }))
    .describe('The fields that were set. Values are not kept.'),
  ip_address: z.string().describe('Where the request came from; `local` on the server itself.'),
  request_id: z.string().nullable().describe('x-request-id of the answer to it.'),
  created_at: z.iso.datetime(),
});

const idOf = (call: ApiCall, seq: number): string =>
  call.world.people.vault.mask(seq, `audit ${call.account}`);

function view(call: ApiCall, row: AuditRow): z.output<typeof auditEvent> {
  const byOperator = row.actor === 'command line' || row.actor === 'configuration';
  return {
    id: idOf(call, row.seq),
    record_type: RECORD_TYPE[row.kind],
    resource_id: row.object,
    alternate_resource_id: null,
    change_type: row.action,
    change_made_by: byOperator ? 'account_manager' : 'account_owner',
    user_id: row.actor,
    organization_id: row.account,
    changes: row.fields.map((field) => ({ field, from: null, to: null })),
    ip_address: row.source,
    request_id: row.request === '' ? null : row.request,
    created_at: iso(row.at),
  };
}

function time(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw badParameter(`filter[${name}]`, 'must be a time in ISO 8601 form.');
  return at;
}

export const auditEvents = [
  operation({
    id: 'listAuditEvents',
    method: 'GET',
    path: '/audit_events',
    tag: 'Audit log',
    summary:
      'List what was changed in the account, newest first. filter[created_after] and filter[created_before] are times; sort is asc or desc',
    filters: ['created_after', 'created_before'],
    sorts: ['asc', 'desc'],
    answer: { status: 200, form: 'list', schema: auditEvent },
    handle: async (call) => {
      const { page, filter, sort } = readListQuery(call.search);
      const newest = sort === undefined || sort.field === 'desc' || sort.descending;
      const cursor = page.after ?? page.before;
      // An id of nowhere is the end of the list, as in the other lists.
      const beyond =
        cursor === undefined
          ? undefined
          : (call.world.people.vault.unmask(cursor, `audit ${call.account}`) ?? 0);
      // What lies before an entry is read from there backwards.
      const backwards = page.after === undefined && page.before !== undefined;
      const offset = (page.number - 1) * page.size;
      const { rows, total } = await call.world.people.store.audit({
        account: call.account,
        order: newest !== backwards ? 'newest first' : 'oldest first',
        limit: page.size + 1,
        offset,
        ...(beyond === undefined ? {} : { beyond }),
        from: time(filter.get('created_after'), 'created_after', 0),
        to: time(filter.get('created_before'), 'created_before', LATEST),
      });
      const there = rows.slice(0, page.size);
      const data = (backwards ? there.toReversed() : there).map((row) => view(call, row));
      const meta = {
        page_number: page.number,
        page_size: page.size,
        total_pages: Math.ceil(total / page.size),
        total_results: total,
      };
      if (!page.byCursor) return { data, meta };
      const more = rows.length > page.size;
      const [first, last] = [data[0]?.id ?? null, data.at(-1)?.id ?? null];
      const begun = cursor !== undefined || offset > 0;
      return {
        data,
        meta: {
          ...meta,
          cursors: {
            before: (backwards ? more : begun) ? first : null,
            after: (backwards ? true : more) ? last : null,
          },
        },
      };
    },
  }),
];
