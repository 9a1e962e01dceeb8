import type { Span } from '../../events/event-queries.ts';
import { badParameter } from '../errors.ts';
import type { ListMeta, Page } from '../request.ts';

/** What the lists of events and of deliveries share: they are in a database, and paged there. */

const LATEST = 8_640_000_000_000_000;
/** Of a stamp with microseconds. */
const LEAST_MS = 0.001;

export const wordOf = (filter: ReadonlyMap<string, string>, name: string): string | undefined =>
  filter.get(name) || undefined;

/** `filter[x]`, `filter[x][gt]`, `[gte]`, `[lt]`, `[lte]`. */
export function spanOf(filter: ReadonlyMap<string, string>, name: string): Span {
  const at = (operator: string): number | undefined => {
    const text = wordOf(filter, operator === '' ? name : `${name}.${operator}`);
    if (text === undefined) return undefined;
    const ms = timeOf(text);
    if (ms !== undefined) return ms;
    throw badParameter(
      `filter[${name}]${operator === '' ? '' : `[${operator}]`}`,
      'must be a time in ISO 8601 form.',
    );
  };
  const [eq, gt, gte, lt, lte] = ['', 'gt', 'gte', 'lt', 'lte'].map(at);
  return {
    from: Math.max(-LATEST, eq ?? -LATEST, gte ?? -LATEST, gt === undefined ? -LATEST : gt + LEAST_MS),
    to: Math.min(LATEST, eq ?? LATEST, lte ?? LATEST, lt === undefined ? LATEST : lt - LEAST_MS),
  };
}

/** Epoch milliseconds, with the microseconds that a date of the language forgets. */
function timeOf(text: string): number | undefined {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  const micros = /\.[0-9]{3}([0-9]{1,3})/.exec(text)?.[1];
  return micros === undefined ? ms : ms + Number(micros.padEnd(3, '0')) / 1000;
}

export function metaOf(page: Page, total: number, last: string | undefined): ListMeta {
  const meta = {
    page_number: page.number,
    page_size: page.size,
    total_pages: Math.ceil(total / page.size),
    total_results: total,
  };
  if (!page.byCursor) return meta;
  return { ...meta, cursors: { before: null, after: last ?? null } };
}
