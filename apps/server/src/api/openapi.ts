import { z } from 'zod';
import { VERSION } from '../version.ts';
import type { Operation } from './operation.ts';

const ERRORS: Readonly<Record<string, string>> = {
  '401': 'No valid API key',
  '404': 'No such object in this account',
  '422': 'Something in the request cannot be accepted; each error names its field',
  '403': 'The account is not active, or may not do this',
  '429': 'Too many requests; x-ratelimit-reset tells the seconds to wait',
  '503': 'Busy, or being replaced; retry-after tells the seconds to wait',
};

/** The OpenAPI 3.1 description, from the schemas that validate. */
export function openApiDocument(rows: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const row of rows) {
    const at = (paths[row.path] ??= {});
    at[row.method.toLowerCase()] = {
      operationId: row.id,
      tags: [row.tag],
      summary: row.summary,
      parameters: [...pathParameters(row.path), ...(row.answer.form === 'list' ? listParameters(row) : [])],
      ...(row.body === undefined
        ? {}
        : {
            requestBody: {
              content: {
                'application/json': { schema: bodySchema(row) },
                ...(row.upload === true ? { 'multipart/form-data': { schema: formSchema(row) } } : {}),
              },
            },
          }),
      responses: {
        [row.answer.status]: {
          description: 'Done',
          ...(row.answer.form === 'none' ? {} : { content: content(row) }),
        },
        ...Object.fromEntries(
          Object.entries(ERRORS).map(([status, description]) => [
            status,
            {
              description,
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } },
            },
          ]),
        ),
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sidetone API',
      version: VERSION,
      description: 'Connections, credentials, tokens, numbers, and commands to calls. Ids are opaque text.',
    },
    servers: [{ url: '/v2' }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'sidetone key create' } },
      schemas: {
        Errors: {
          type: 'object',
          required: ['errors'],
          properties: {
            errors: {
              type: 'array',
              items: {
                type: 'object',
                required: ['code', 'title', 'detail'],
                properties: {
                  code: { type: 'string' },
                  title: { type: 'string' },
                  detail: { type: 'string' },
                  source: {
                    type: 'object',
                    properties: { pointer: { type: 'string' }, parameter: { type: 'string' } },
                  },
                },
              },
            },
          },
        },
        Meta: {
          type: 'object',
          required: ['page_number', 'page_size', 'total_pages', 'total_results'],
          properties: {
            page_number: { type: 'integer' },
            page_size: { type: 'integer' },
            total_pages: { type: 'integer' },
            total_results: { type: 'integer' },
            cursors: {
              type: 'object',
              properties: { before: { type: ['string', 'null'] }, after: { type: ['string', 'null'] } },
            },
          },
        },
      },
    },
  };
}

/** The body as a form: the same fields, and the file. */
function formSchema(row: Operation): object {
  const schema = bodySchema(row);
  const properties = { ...(schema['properties'] as object), media: { type: 'string', format: 'binary' } };
  return { ...schema, properties };
}

/** The schema of a body, with the defaults of what it makes. */
export function bodySchema(row: Operation): Record<string, unknown> {
  return row.body === undefined ? {} : withDefaults(jsonSchema(row.body, 'input'), row.defaults ?? {});
}

function withDefaults(schema: Record<string, unknown>, defaults: object): Record<string, unknown> {
  const known = defaults as Readonly<Record<string, unknown>>;
  const properties = Object.entries(
    (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>,
  ).map(([name, inner]) => {
    const value = known[name];
    if (value === undefined) return [name, inner];
    const nested = 'properties' in inner && typeof value === 'object' && value !== null;
    return [name, nested ? withDefaults(inner, value) : { ...inner, default: value }];
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** A JSON Schema (draft 2020-12, as OpenAPI 3.1 has them). */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function content(row: Operation): object {
  const { form, schema } = row.answer;
  if (form === 'text') return { 'text/plain': { schema: { type: 'string' } } };
  if (form === 'bytes')
    return { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
  const one = schema === undefined ? {} : jsonSchema(schema, 'output');
  if (form === 'bare') return { 'application/json': { schema: one } };
  const properties =
    form === 'data'
      ? { data: one }
      : { data: { type: 'array', items: one }, meta: { $ref: '#/components/schemas/Meta' } };
  const wrapped = { type: 'object', required: Object.keys(properties), properties };
  return { 'application/json': { schema: wrapped } };
}

const pathParameters = (path: string): object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function listParameters(row: Operation): object[] {
  const query = (name: string, schema: object, description: string): object => ({
    name,
    in: 'query',
    schema,
    description,
  });
  return [
    query('page[number]', { type: 'integer', minimum: 1, default: 1 }, 'Which page.'),
    query('page[size]', { type: 'integer', minimum: 1, maximum: 250, default: 20 }, 'How many on a page.'),
    query('page[after]', { type: 'string' }, 'Instead of a number: meta.cursors.after of the page before.'),
    ...(row.filters ?? []).map((name) =>
      query(`filter[${name}]`, { type: 'string' }, `Exact; filter[${name}][contains] looks inside.`),
    ),
    ...((row.sorts ?? []).length === 0
      ? []
      : [query('sort', { type: 'string' }, `One of ${row.sorts!.join(', ')}; with - in front, downwards.`)]),
  ];
}
