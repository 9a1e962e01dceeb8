import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { ApiBench } from './api.ts';

const require = createRequire(import.meta.url);

export const VERSIONS = ['1.27.0', '4.6.0', '5.51.0', '7.24.0'] as const;
export type Version = (typeof VERSIONS)[number];

/** A package without types of ours: what it has is looked up by name. */
// biome-ignore lint/suspicious/noExplicitAny: four generations of a package, called by name
export type Client = any;

export function clientOf(version: Version, address: string, key: string): Client {
  const package_ = require(`telnyx-${version}`);
  if (version !== '1.27.0') {
    const Telnyx = package_.default ?? package_;
    return new Telnyx({ apiKey: key, baseURL: address, maxRetries: 0 });
  }
  const client = package_(key);
  const { hostname, port } = new URL(address);
  client.setHost(hostname, port, 'http');
  return client;
}

/** `ok`, `-` (this version of the package has no such method), or what went wrong. */
export type Outcome = 'ok' | '-' | string;

export interface Row {
  /** As spelled in version 7. */
  readonly method: string;
  readonly run: (on: Run) => Promise<unknown>;
}

export class Missing extends Error {}

/** One version of the client, going through the life of one of each object. */
export class Run {
  readonly client: Client;
  readonly version: Version;
  readonly bench: ApiBench;
  readonly name: string;
  readonly number: string;
  /** Id of the account. */
  readonly account: string;
  readonly old: boolean;
  readonly ids: Record<string, string> = {};
  /** Version 1 hangs methods on what it created, and those on the resource then take no id any more. */
  readonly made: Record<string, Client> = {};

  constructor(version: Version, client: Client, bench: ApiBench, account: string, number: string) {
    this.version = version;
    this.client = client;
    this.bench = bench;
    this.number = number;
    this.account = account;
    this.old = version === '1.27.0';
    this.name = `user${version.replaceAll('.', 'x')}`;
  }

  /** Calls the first of the methods (`resource.method`) that the package has. */
  call(names: readonly string[], ...args: unknown[]): Promise<Client> {
    for (const name of names) {
      const path = name.split('.');
      const method = path.pop()!;
      const owner = path.reduce<Client>((at, part) => at?.[part], this.client);
      if (typeof owner?.[method] === 'function') return owner[method](...args);
    }
    throw new Missing();
  }

  /** Every item of a list, by the package's own paging, one on a page. */
  async all(resource: string, query: Record<string, unknown> = {}): Promise<Client[]> {
    const list = this.call(
      [`${resource}.list`],
      this.old ? { page: { size: 1 }, ...query } : { 'page[size]': 1, ...query },
    );
    const items: Client[] = [];
    if (this.old) {
      await (list as Client).autoPagingEach((item: Client) => void push(items, item));
    } else {
      const first = await list;
      if (typeof first.iterPages === 'function') for await (const item of first) push(items, item);
      else items.push(...first.data);
    }
    return items;
  }
}

function push(items: Client[], item: Client): void {
  items.push(item);
  assert.ok(items.length < 1000, 'the list has no end');
}
