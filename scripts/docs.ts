import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../apps/server/src/config/schema.ts';

/** Writes the generated parts of the documentation. */
writeFileSync(
  new URL('../docs/config.schema.json', import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
