import { VERSION } from '../version.ts';
import { bodySchema, jsonSchema } from './openapi.ts';
import type { Operation } from './operation.ts';

const STYLE = `
:root{color-scheme:light dark;--ink:#1b2126;--dim:#5b6770;--line:#dde3e7;--back:#fff;--soft:#f4f6f8;--get:#0b6e4f;--post:#1d4ed8;--put:#7a3ea8;--patch:#9a5b00;--delete:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaed;--dim:#9aa7b0;--line:#2c353c;--back:#12171b;--soft:#1a2127;--get:#4cc79a;--post:#86a8ff;--put:#cf9cf5;--patch:#e0a84a;--delete:#ff8a80}}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--back)}
.page{display:grid;grid-template:"nav head" auto "nav main" 1fr/17rem minmax(0,1fr);max-width:78rem;margin:0 auto}
header{grid-area:head;padding:1.5rem 2rem 0;min-width:0}main{grid-area:main}nav{grid-area:nav;position:sticky;top:0;align-self:start;height:100vh;overflow-y:auto;padding:1.5rem 1rem 3rem 1.25rem;border-right:1px solid var(--line);font-size:.875rem}
nav b{display:block;margin:1.1rem 0 .2rem}nav a{display:flex;gap:.5rem;padding:.16rem 0;color:var(--dim);text-decoration:none}nav a:hover{color:var(--ink)}
nav i{flex:0 0 3.1rem;font:700 .6875rem/1.6rem ui-monospace,monospace;font-style:normal}
main{padding:0 2rem 6rem;min-width:0}h1{margin:.2rem 0 .4rem;font-size:1.75rem}h2{margin:3rem 0 .5rem;font-size:1.375rem}
section{margin:1.25rem 0;border:1px solid var(--line);border-radius:.6rem;overflow:hidden}section>h3,section>p,section>details{margin:0;padding:.7rem 1rem}
h3{display:flex;flex-wrap:wrap;gap:.3rem .7rem;align-items:baseline;background:var(--soft);font:600 .9375rem ui-monospace,monospace;overflow-wrap:anywhere}
.get{color:var(--get)}.post{color:var(--post)}.put{color:var(--put)}.patch{color:var(--patch)}.delete{color:var(--delete)}
section>p{padding-bottom:.2rem}details{border-top:1px solid var(--line)}summary{cursor:pointer;color:var(--dim)}summary:hover{color:var(--ink)}
dl{margin:.6rem 0 0}dt{margin-top:.6rem;font:600 .875rem ui-monospace,monospace;overflow-wrap:anywhere}dt span{font-weight:400;color:var(--dim)}dd{margin:.05rem 0 0;color:var(--dim);font-size:.9375rem;overflow-wrap:anywhere}
pre,code{font-family:ui-monospace,monospace;font-size:.875rem}pre{padding:.9rem 1rem;background:var(--soft);border:1px solid var(--line);border-radius:.6rem;overflow-x:auto}
@media(max-width:48rem){.page{grid-template:"head" auto "nav" auto "main" auto/minmax(0,1fr)}header{padding:1rem}nav{position:static;height:auto;border-right:0;border:solid var(--line);border-width:1px 0;padding:0 1rem 1rem}nav a{padding:.45rem 0}main{padding:0 1rem 4rem}}`;

const EXAMPLE = `import Telnyx from 'telnyx';
const api = new Telnyx({ apiKey: 'KEY…', baseURL: 'https://voice.example.com/v2' });
const { data: connection } = await api.credentialConnections.create({
  connection_name: 'web', user_name: 'alice42', password: '…', sip_uri_calling_preference: 'internal' });
const { data: credential } = await api.telephonyCredentials.create({ connection_id: connection.id });
const token = await api.telephonyCredentials.createToken(credential.id);`;

/** The readable reference: one page, no script, made from the same rows that route and validate. */
export function referencePage(rows: readonly Operation[]): string {
  const tags = [...new Set(rows.map((row) => row.tag))];
  const index = tags
    .map((tag) => {
      const links = rows
        .filter((row) => row.tag === tag)
        .map(
          (row) =>
            `<a href="#${row.id}"><i class="${row.method.toLowerCase()}">${row.method}</i>${text(shortName(row))}</a>`,
        );
      return `<b>${text(tag)}</b>${links.join('')}`;
    })
    .join('');
  const sections = tags
    .map(
      (tag) =>
        `<h2>${text(tag)}</h2>${rows
          .filter((row) => row.tag === tag)
          .map(section)
          .join('')}`,
    )
    .join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Sidetone API</title><link rel="stylesheet" href="/v2/docs.css"></head><body><div class="page"><header><h1>Sidetone API</h1><p>Release ${text(VERSION)}. All paths lie under <code>/v2</code>; the same as data: <a href="/v2/openapi.json">openapi.json</a> (OpenAPI 3.1). Send <code>Authorization: Bearer KEY…</code> with every request; <code>sidetone key create</code> makes a key. Answers are <code>{"data": …}</code>, lists add <code>meta</code>, refusals are <code>{"errors": […]}</code>. The official client works as it is:</p><pre>${text(EXAMPLE)}</pre></header><nav aria-label="Operations">${index}</nav><main>${sections}</main></div></body></html>`;
}

export const referenceStyle: string = STYLE;

const shortName = (row: Operation): string => row.summary.split(/[;.:(]|, valid/, 1)[0]!.trim();

function section(row: Operation): string {
  const method = row.method.toLowerCase();
  const body = row.body === undefined ? '' : fields('Body', bodySchema(row));
  const lists = row.answer.form === 'list' ? listFields(row) : '';
  const schema = row.answer.schema;
  const answer =
    row.answer.form === 'text'
      ? `<details><summary>Answer ${row.answer.status}: text</summary><p>The token, and nothing else.</p></details>`
      : schema === undefined
        ? ''
        : fields(`Answer ${row.answer.status}`, jsonSchema(schema, 'output'));
  return `<section id="${row.id}"><h3><span class="${method}">${row.method}</span>${text(row.path)}</h3><p>${text(row.summary)}.</p>${lists}${body}${answer}</section>`;
}

function listFields(row: Operation): string {
  const filters = (row.filters ?? []).map((name) => `<dt>filter[${text(name)}]</dt>`);
  const sorts =
    row.sorts === undefined
      ? ''
      : `<dt>sort</dt><dd>${text(row.sorts.join(', '))}; with - in front, downwards</dd>`;
  return `<details><summary>Query</summary><dl><dt>page[number], page[size]</dt><dd>From 1; 20 on a page, at most 250. Or page[after].</dd>${filters.join('')}${sorts}</dl></details>`;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
}

function fields(title: string, schema: Schema): string {
  return `<details><summary>${title}</summary><dl>${rowsOf(schema, '').join('')}</dl></details>`;
}

function rowsOf(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const needed = schema.required?.includes(name) === true && !prefix ? ', required' : '';
    const row = `<dt>${text(prefix + name)} <span>${text(typeName(inner))}${needed}</span></dt>${about(inner)}`;
    return [row, ...rowsOf(inner, `${prefix}${name}.`)];
  });
}

function about(schema: Schema): string {
  const { description, default: value } = schema;
  const usual =
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
      ? ''
      : ` Default: <code>${text(JSON.stringify(value).replaceAll(',', ', '))}</code>.`;
  return description === undefined && usual === '' ? '' : `<dd>${text(description ?? '')}${usual}</dd>`;
}

function typeName(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined)
    return [...new Set(schema.anyOf.filter((one) => one.const !== '').map(typeName))].join(' | ');
  if (schema.items !== undefined) return `list of ${typeName(schema.items)}`;
  return schema.type === undefined ? 'any' : [schema.type].flat().join(' | ');
}

const text = (value: string): string =>
  value.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);
