import { nestsDeeper } from '@sidetone/wire';
import { ApiError, badParameter, CODE, errorItem } from './errors.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_DEPTH = 16;
const MAX_QUERY = 4096;
const MAX_PARAMETERS = 50;

/** `null` and empty text count as absent, as does a body `null`; but for these fields. */
export interface Leniency {
  readonly keeps: readonly string[];
}

/** Reads a JSON object. An empty body is an empty object: clients send it with a JSON content type and length 0. */
export async function readBody(request: Request, lenient?: Leniency): Promise<Record<string, unknown>> {
  const tooLarge = new ApiError(413, [
    errorItem(CODE.badRequest, `The body may hold ${MAX_BODY_BYTES / 1024} KiB.`),
  ]);
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return {};
  const malformed = (why: string) => new ApiError(400, [errorItem(CODE.badRequest, `The body ${why}.`)]);
  if (nestsDeeper(text, MAX_DEPTH)) throw malformed('is nested too deeply');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('is not valid JSON');
  }
  if (value === null && lenient !== undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('must be a JSON object');
  const body = value as Record<string, unknown>;
  return lenient === undefined ? body : withoutBlanks(body, lenient.keeps);
}

/** Without the fields that are `null` or empty text, but for `keeps`, whose empty text says something. */
const withoutBlanks = (body: Record<string, unknown>, keeps: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value !== null && (value !== '' || keeps.includes(name))),
  );

export interface Page {
  /** From 1. */
  readonly number: number;
  readonly size: number;
  /** Id of the last object of the page before, or of the first one of the page behind. */
  readonly after: string | undefined;
  readonly before: string | undefined;
  /** The client pages by cursor. */
  readonly byCursor: boolean;
}

/** A list's filters, by name without `filter[…]`; an operator is behind a dot: `connection_name.contains`. */
export interface ListQuery {
  readonly page: Page;
  readonly filter: ReadonlyMap<string, string>;
  readonly sort: { readonly field: string; readonly descending: boolean } | undefined;
}

const DEFAULT_SIZE = 20;
const MAX_SIZE = 250;

/** Reads `page[…]`, `filter[…]` (also `filter[a][b]` and `filter[a.b]`) and `sort`. */
export function readListQuery(search: URLSearchParams): ListQuery {
  if (search.size > MAX_PARAMETERS || search.toString().length > MAX_QUERY)
    throw badParameter('filter', 'The query is too long.');
  const page = new Map<string, string>();
  const filter = new Map<string, string>();
  let sort: ListQuery['sort'];
  for (const [name, value] of search) {
    const keys = [...name.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1]!);
    const root = name.split('[', 1)[0];
    if (root === 'page' && keys.length === 1) page.set(keys[0]!, value);
    else if (name === 'page_number' || name === 'page_size') page.set(name.slice(5), value);
    else if (root === 'filter' && keys.length > 0)
      filter.set(keys.filter((k) => k !== 'eq').join('.'), value);
    else if ((name === 'sort' || name === 'sort[]') && value !== '')
      sort = { field: value.replace(/^-/, ''), descending: value.startsWith('-') };
  }
  const size = whole(page, 'size') ?? whole(page, 'limit') ?? DEFAULT_SIZE;
  return {
    page: {
      number: whole(page, 'number') ?? 1,
      size: Math.min(size, MAX_SIZE),
      after: page.get('after') || undefined,
      before: page.get('before') || undefined,
      byCursor: page.has('after') || page.has('before') || page.has('limit'),
    },
    filter,
    sort,
  };
}

function whole(page: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = page.get(name);
  if (text === undefined || text === '') return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw badParameter(`page[${name}]`, 'must be a whole number from 1.');
  return Number(text);
}

export interface ListMeta {
  readonly page_number: number;
  readonly page_size: number;
  readonly total_pages: number;
  readonly total_results: number;
  readonly cursors?: { readonly before: string | null; readonly after: string | null };
}

/**
 * One page. The page number is echoed and the number of pages always told: a client that counts pages comes to an end, one that
 * follows cursors too, and one that does both as well (the numbers then count from the cursor).
 */
export function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  page: Page,
): { items: readonly T[]; meta: ListMeta } {
  let rest = all;
  if (page.after !== undefined) {
    const at = all.findIndex((item) => item.id === page.after);
    rest = at < 0 ? [] : all.slice(at + 1);
  } else if (page.before !== undefined) {
    const at = all.findIndex((item) => item.id === page.before);
    rest = at < 0 ? [] : all.slice(Math.max(0, at - page.size), at);
  }
  const start = (page.number - 1) * page.size;
  const items = rest.slice(start, start + page.size);
  const meta = {
    page_number: page.number,
    page_size: page.size,
    total_pages: Math.ceil(rest.length / page.size),
    total_results: all.length,
  };
  if (!page.byCursor) return { items, meta };
  const more = start + page.size < rest.length || (page.before !== undefined && items.length > 0);
  const first = items[0];
  return {
    items,
    meta: {
      ...meta,
      cursors: {
        before: first === undefined || first === all[0] ? null : first.id,
        after: more ? items.at(-1)!.id : null,
      },
    },
  };
}
