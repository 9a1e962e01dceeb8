import { REFUSAL, type Refusal } from '@sidetone/wire';
import type { z } from 'zod';

/** Codes of the published API that we answer with. Text, as everywhere in it. */
export const CODE = {
  invalidNumber: '10016',
  invalidUrl: '10003',
  missing: '10004',
  notFound: '10005',
  unexpected: '10007',
  unauthenticated: '10009',
  forbidden: '10010',
  tooMany: '10011',
  badRequest: '10015',
  revokedKey: '20002',
  inactiveAccount: '20012',
} as const;

const TITLE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.values(REFUSAL).map(({ code, title }) => [code, title])),
  '10016': 'Phone number must be in +E.164 format',
  '10003': 'Invalid URL',
  '10004': 'Missing required parameter',
  '10005': 'Resource not found',
  '10007': 'Unexpected error',
  '10009': 'Authentication failed',
  '10010': 'Authorization failed',
  '10011': 'Too many requests',
  '10015': 'Bad Request',
  '20002': 'API Key revoked',
  '20012': 'Account inactive',
};

export interface ErrorItem {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly source?: { readonly pointer: string } | { readonly parameter: string };
}

/** Ends the handling of a request with a refusal. Never 409: published clients send that request again, three times. */
export class ApiError extends Error {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 422 | 429 | 500 | 503;
  readonly body: { readonly errors: readonly ErrorItem[] | { readonly status: string } };
  constructor(status: ApiError['status'], errors: readonly ErrorItem[] | { readonly status: string }) {
    super(`${status}`);
    this.status = status;
    this.body = { errors };
  }
}

export function errorItem(code: string, detail: string, source?: ErrorItem['source']): ErrorItem {
  const item = { code, title: TITLE[code] ?? 'Error', detail };
  return source === undefined ? item : { ...item, source };
}

/** The same words for an id that does not exist and for one of somebody else. */
export const notFound = (): ApiError =>
  new ApiError(404, [errorItem(CODE.notFound, 'The requested resource or URL could not be found.')]);

/** A field whose value cannot be accepted. */
export const badField = (pointer: string, detail: string, code: string = CODE.badRequest): ApiError =>
  new ApiError(422, [errorItem(code, detail, { pointer })]);

/** What is asked is not possible as things are. */
export const badState = (detail: string): ApiError => new ApiError(422, [errorItem(CODE.badRequest, detail)]);

export const badParameter = (parameter: string, detail: string): ApiError =>
  new ApiError(422, [errorItem(CODE.badRequest, detail, { parameter })]);

/** A command that was refused. */
export function refused({ why, detail, field }: Refusal): ApiError {
  const { code, status, title } = REFUSAL[why];
  const item = { code, title, detail };
  return new ApiError(status, [field === undefined ? item : { ...item, source: { pointer: `/${field}` } }]);
}

/** Codes of the published API for fields of these names. */
const CODE_OF_FIELD: ReadonlyMap<string, string> = new Map([
  ['forwards_to', CODE.invalidNumber],
  ['client_state', REFUSAL.badClientState.code],
  ['target_leg_client_state', REFUSAL.badClientState.code],
  ['digits', REFUSAL.badDigits.code],
  ['send_digits_on_answer', REFUSAL.badDigits.code],
  ['stop', REFUSAL.badStop.code],
  ['max_participants', REFUSAL.conferenceFull.code],
]);

/** What an issue of our own schemas says beside its words: `params` of a custom issue. */
interface Told {
  readonly code?: string;
  readonly title?: string;
}

/** What a schema found wrong, all of it at once; never the value itself, which may be a password. */
export function invalidBody(error: z.ZodError, sent: unknown): ApiError {
  const items = error.issues.slice(0, 20).map((issue) => {
    const pointer = issue.path
      .map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`)
      .join('');
    const leaf = String(issue.path.findLast((part) => typeof part === 'string') ?? '').slice(0, 64);
    const index = issue.path.at(-1);
    const missing =
      issue.code !== 'custom' && issue.path.length > 0 && valueAt(sent, issue.path) === undefined;
    const told = ((issue.code === 'custom' ? issue.params : undefined) ?? {}) as Told;
    const usual = leaf.endsWith('_url') ? CODE.invalidUrl : (CODE_OF_FIELD.get(leaf) ?? CODE.badRequest);
    const code = missing ? CODE.missing : (told.code ?? usual);
    const detail = missing
      ? `The parameter ${leaf} is required.`
      : `${leaf === '' ? 'The body' : leaf}${typeof index === 'number' ? `[${index}]` : ''} ${sentence(issue.message)}`;
    const item = errorItem(code, detail, { pointer: pointer === '' ? '/' : pointer });
    return told.title === undefined ? item : { ...item, title: told.title };
  });
  return new ApiError(422, items);
}

const valueAt = (sent: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | null | undefined)?.[part], sent);

const sentence = (message: string): string =>
  message.startsWith('must') ? `${message}.` : `is not valid: ${message}.`;
