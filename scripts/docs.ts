import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { configJsonSchema } from '../apps/server/src/config/schema.ts';
import { ERRORS, WARNINGS } from '../packages/sdk/src/error-table.ts';

/** `docs/errors.md`. */
export function errorsPage(): string {
  const errors = Object.entries(ERRORS).map(
    ([name, [code, fatal, what, cause, remedy]]) =>
      `| ${code} | \`${name}\` | ${fatal ? 'yes' : 'no'} | ${what} | ${cause} | ${remedy} |`,
  );
  const warnings = Object.entries(WARNINGS).map(
    ([name, [code, what, cause, remedy]]) => `| ${code} | \`${name}\` | ${what} | ${cause} | ${remedy} |`,
  );
  return `${[
    '# Errors and warnings of the SDK',
    '',
    'Made from `packages/sdk/src/error-table.ts` by `node scripts/docs.ts`.',
    '',
    '## `telnyx.error`',
    '',
    'A fatal error ends its call or session; after the others the SDK goes on by itself.',
    '',
    '| code | name | fatal | what happened | likely cause | what to do |',
    '|---|---|---|---|---|---|',
    ...errors,
    '',
    '## `telnyx.warning`',
    '',
    '| code | name | what happened | likely cause | what to do |',
    '|---|---|---|---|---|',
    ...warnings,
  ].join('\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const docs = new URL('../docs/', import.meta.url);
  writeFileSync(new URL('config.schema.json', docs), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  writeFileSync(new URL('errors.md', docs), errorsPage());
  // The schema in the house's format, so that writing it again changes nothing.
  execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(new URL('config.schema.json', docs))]);
}
