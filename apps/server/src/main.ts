import { parseArgs } from 'node:util';
import { fail } from './cli/fail.ts';
import { handover } from './cli/handover.ts';
import { serve } from './cli/serve.ts';
import { token } from './cli/token.ts';
import { USAGE } from './cli/usage.ts';
import { loadConfig } from './config/load.ts';
import { VERSION } from './version.ts';

/** The commands of `sidetone`. */
async function main(argv: readonly string[]): Promise<void> {
  let parsed: ReturnType<typeof readArguments>;
  try {
    parsed = readArguments(argv);
  } catch (error) {
    return fail(`${(error as Error).message.split('. ')[0]}; see "sidetone --help"`);
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  const data = values.data ?? './data';
  if (values.version) process.stdout.write(`${VERSION}\n`);
  else if (values.help || command === undefined || command === 'help') process.stdout.write(USAGE);
  else if (command === 'serve' && rest.length === 0) await serve({ config: values.config, data });
  else if (command === 'token' && rest.length === 1)
    await token({ user: rest[0]!, config: values.config, data });
  else if (command === 'handover' && rest.length === 0) await handover({ data });
  else if (command === 'check' && rest.length === 0) check(values.config);
  else fail(`cannot make sense of "${positionals.join(' ')}"; see "sidetone --help"`);
}

function check(file: string | undefined): void {
  const loaded = loadConfig(file);
  if (!loaded.ok) return fail(loaded.error);
  process.stdout.write(`${file ?? 'the built-in configuration'} is good\n`);
}

function readArguments(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
}

await main(process.argv.slice(2));
