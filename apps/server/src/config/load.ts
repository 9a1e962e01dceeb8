import { readFileSync } from 'node:fs';
import { err, familyOf, isUnspecified, ok, type Result } from '@sidetone/core';
import { familiesOf, hostsOf } from '../net/listen-hosts.ts';
import { type Config, configSchema } from './schema.ts';

/** Without a file it is a machine to try things on: its own programs hear its webhooks. */
const WITHOUT_FILE = { webhooks: { allow: ['127.0.0.0/8', '::1'] } };

/** Reads, parses and checks a configuration file. The error is one sentence for the operator, naming the key. */
export function loadConfig(file: string | undefined): Result<Config, string> {
  if (file === undefined) return checkConfig(WITHOUT_FILE, 'the built-in configuration');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === 'ENOENT'
        ? 'it does not exist'
        : code === 'EACCES'
          ? 'permission denied'
          : String(code ?? error);
    return err(`cannot read the configuration file ${file}: ${why}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(`the configuration file ${file} is not JSON: ${(error as Error).message}`);
  }
  return checkConfig(value, file);
}

/** Checks a configuration value; fills in defaults. */
export function checkConfig(value: unknown, source: string): Result<Config, string> {
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    if (issue.code === 'unrecognized_keys') {
      const at = keyPath([...issue.path, issue.keys[0]!]);
      return err(`${source}: unknown key ${at}; docs/config.md lists the keys`);
    }
    return err(`${source}: ${issue.path.length === 0 ? 'the file' : keyPath(issue.path)}: ${issue.message}`);
  }
  const config = parsed.data;
  const [first, last] = config.media.ports;
  if (last < first) return err(`${source}: media.ports: the first port must come before the last`);
  if (last - first < 3) return err(`${source}: media.ports: the range must hold at least 4 ports`);
  const places = placesProblem(config);
  if (places !== undefined) return err(`${source}: ${places}`);
  const twice = firstDuplicate((config.connections ?? []).map((c) => c.user_name));
  if (twice !== undefined) return err(`${source}: connections: the user name ${twice} is used twice`);
  const numberTwice = firstDuplicate(
    (config.connections ?? []).flatMap((c) => c.numbers.map((n) => (n.length < 7 ? n : n.replace('+', '')))),
  );
  if (numberTwice !== undefined)
    return err(`${source}: connections: the number ${numberTwice} belongs to two users`);
  const trunkTwice = firstDuplicate(config.trunks.map((t) => t.name));
  if (trunkTwice !== undefined) return err(`${source}: trunks: the name ${trunkTwice} is used twice`);
  return ok(config);
}

/** What is wrong with the addresses, each of which may be good by itself. */
function placesProblem({ sip, stun, media }: Config): string | undefined {
  for (const [key, hosts] of [
    ['sip.host', sip.host],
    ['sip.public_host', sip.public_host ?? []],
    ['stun.host', stun.host],
  ] as const)
    if (hostsOf(hosts).length > familiesOf(hosts).length)
      return `${key}: two hosts are one IPv4 and one IPv6 address`;
  const { address, public_address: told } = media;
  if (address === 'auto') return undefined;
  const addresses = hostsOf(address);
  const nowhere = addresses.find(
    (a) => isUnspecified(a) && (told === undefined || familyOf(told) !== familyOf(a)),
  );
  if (nowhere !== undefined)
    return `media.address: ${nowhere} is no address that peers could be told; name one, or write auto`;
  if (told !== undefined && !addresses.some((a) => familyOf(a) === familyOf(told)))
    return `media.public_address: media.address has no IPv${familyOf(told)} entry that it stands for`;
  return undefined;
}

function keyPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}

function firstDuplicate(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
