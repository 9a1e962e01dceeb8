import { parseArgs } from 'node:util';
import { backup } from './cli/backup.ts';
import { dataFolder } from './cli/data-folder.ts';
import { fail } from './cli/fail.ts';
import { handover } from './cli/handover.ts';
import { operate } from './cli/operator.ts';
import { serve } from './cli/serve.ts';
import { token } from './cli/token.ts';
import { USAGE } from './cli/usage.ts';
import { webhookKey } from './cli/webhook-key.ts';
import { loadConfig } from './config/load.ts';
import { rotateTokenKey } from './identity/secrets.ts';
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
  else if (command === 'account' || command === 'key' || command === 'number')
    await operate(positionals, {
      config: values.config,
      data,
      account: values.account,
      connection: values.connection,
      label: values.label,
      ...(values.env === undefined ? {} : { env: values.env }),
    });
  else if (command === 'backup' && rest.length === 1)
    await backup({ file: rest[0]!, config: values.config, data });
  else if (command === 'rotate-token-key' && rest.length === 0) rotate(data);
  else if (command === 'webhook' && rest[0] === 'key' && rest.length <= 2)
    webhookKey({ verb: rest[1], data });
  else if (command === 'check' && rest.length === 0) check(values.config);
  else fail(`cannot make sense of "${positionals.join(' ')}"; see "sidetone --help"`);
}

function check(file: string | undefined): void {
  const loaded = loadConfig(file);
  if (!loaded.ok) return fail(loaded.error);
  process.stdout.write(`${file ?? 'the built-in configuration'} is good\n`);
}

function rotate(data: string): void {
  const dataDir = dataFolder(data);
  if (dataDir === undefined) return;
  try {
    rotateTokenKey(dataDir);
    process.stdout.write('a new key signs login tokens from the next start or handover on\n');
  } catch (error) {
    fail((error as Error).message);
  }
}

function readArguments(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      account: { type: 'string' },
      connection: { type: 'string' },
      label: { type: 'string' },
      env: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
}

await main(process.argv.slice(2));
