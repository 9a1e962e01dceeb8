import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Api } from './http-api.ts';
import type { Crowd } from './idle-clients.ts';
import { type Login, logIn } from './login-client.ts';
import { childOf, cpuOf, descriptorsOf, rssOf } from './processes.ts';
import { type Product, startSidetone } from './product.ts';

/**
 * What users cost: logins by real WebSockets, the API by real HTTP with connections kept open, and clients that are registered and
 * do nothing. Rates are told for a second of CPU that all processes of the server took; the load comes from processes of its own.
 */

const IN_FLIGHT = 32;
const WARM_MS = 3_000;
const RUN_MS = 6_000;
const USERS = 100;
/** Idle clients of one generator, for the descriptors that a process may have. */
const PER_GENERATOR = 5_000;
const REST_MS = 15_000;
const IDLE_MS = 20_000;

/** Does something again and again, `IN_FLIGHT` at a time, until `more` says no; how often. */
async function loop(more: (done: number) => boolean, step: (i: number) => Promise<void>): Promise<number> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (more(begun)) {
      const i = begun++;
      await step(i);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return begun;
}

const forMs = (ms: number): (() => boolean) => {
  const end = performance.now() + ms;
  return () => performance.now() < end;
};

type Print = (line: string) => void;

async function rate(
  what: string,
  product: Product,
  print: Print,
  more: () => (done: number) => boolean,
  step: (i: number) => Promise<void>,
): Promise<void> {
  const cpuBefore = cpuOf(product.pid);
  const began = performance.now();
  const done = await loop(more(), step);
  const seconds = (performance.now() - began) / 1000;
  const cpu = cpuOf(product.pid) - cpuBefore;
  print(
    `${what.padEnd(19)} ${Math.round(done / seconds)}/s at ${(cpu / seconds).toFixed(2)} cores: ` +
      `${Math.round(done / cpu)} for a second of CPU (${((cpu / done) * 1e6).toFixed(0)} µs each)`,
  );
}

async function logins(product: Product, print: Print, api: Api, made: readonly Login[]): Promise<void> {
  const url = product.url.replace('http', 'ws');
  const tokens: Login[] = [];
  const list = JSON.parse((await api.ask('GET', `/telephony_credentials?page[size]=${USERS}`)).text) as {
    data: { id: string }[];
  };
  for (const { id } of list.data)
    tokens.push({ login_token: (await api.ask('POST', `/telephony_credentials/${id}/token`)).text });
  for (const [what, by] of [
    ['logins by password', made],
    ['logins by token', tokens],
  ] as const) {
    const step = async (i: number): Promise<void> => {
      const socket = await logIn(url, by[i % USERS]!);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.close();
      await closed;
    };
    await loop(forMs(WARM_MS), step);
    await rate(what, product, print, () => forMs(RUN_MS), step);
  }
}

/** Clients of one process: as many as it may hold, each from an address that has room. */
function crowdOf(url: string, made: readonly Login[], generator: number): [ChildProcess, Promise<void>] {
  const child = fork(fileURLToPath(new URL('./idle-clients.ts', import.meta.url)));
  const crowd: Crowd = { url: url.replace('http', 'ws'), logins: made, address: 10 + generator * 10 };
  child.send(crowd);
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`a generator ended with ${code}`)));
    child.once('message', (told: { ready: number; error?: string }) =>
      told.error === undefined ? resolve() : reject(new Error(`${told.ready} clients, then: ${told.error}`)),
    );
  });
  return [child, ready];
}

/**
 * Clients that do nothing, more with every step. The first ones fill what the heap has free anyhow, so what one costs is told of those
 * that a step adds.
 */
async function idle(
  crowds: readonly number[],
  product: Product,
  print: Print,
  made: readonly Login[],
): Promise<void> {
  await product.restart();
  const signalling = childOf(product.pid, 'signalling-process');
  const allowed = descriptorsOf(signalling);
  const generators: ChildProcess[] = [];
  await rest(REST_MS);
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  let there = 0;
  let before = rssOf(signalling);
  try {
    for (const count of crowds) {
      const what = `${count} idle clients`.padEnd(19);
      if (allowed < count + 200) {
        print(`${what} not measured: a process may have ${allowed} descriptors here (ulimit -n)`);
        continue;
      }
      const began = performance.now();
      const added = count - there;
      while (there < count) {
        const end = Math.min(count, there + PER_GENERATOR);
        const [child, ready] = crowdOf(product.url, made.slice(there, end), generators.length);
        generators.push(child);
        await ready;
        there = end;
      }
      const seconds = (performance.now() - began) / 1000;
      // What the logins left behind is collected in time.
      await rest(REST_MS);
      const after = rssOf(signalling);
      const cpuBefore = cpuOf(product.pid);
      await rest(IDLE_MS);
      const cpu = (cpuOf(product.pid) - cpuBefore) / (IDLE_MS / 1000);
      print(
        `${what} signalling RSS ${mib(before)} → ${mib(after)} MiB, ${((after - before) / 1024 / added).toFixed(1)} KiB for each of ${added}; ` +
          `${(cpu * 100).toFixed(1)} % of a core for their pings; in after ${seconds.toFixed(0)} s`,
      );
      before = after;
    }
  } finally {
    for (const child of generators) {
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await ended;
    }
  }
}

export async function run(print: Print): Promise<void> {
  const crowds = (process.env['BENCH_CLIENTS'] ?? '1000,10000')
    .split(',')
    .map(Number)
    .sort((a, b) => a - b);
  const users = Math.max(USERS, ...crowds);
  const product = await startSidetone({ limits: { api_requests_per_minute: 1_000_000 } });
  const key = /KEY\S+/.exec(product.command('key', 'create'))?.[0] ?? '';
  const api = new Api(product.url, key, IN_FLIGHT);
  try {
    print(
      `${IN_FLIGHT} in flight, ${RUN_MS / 1000} s each; a login = WebSocket, login, registered, closed; SQLite, a change is on disk before its answer`,
    );
    const body = { connection_name: 'bench', user_name: 'benchuser', password: 'bench-password' };
    const connection = JSON.parse((await api.ask('POST', '/credential_connections', body)).text) as {
      data: { id: string };
    };
    const connection_id = connection.data.id;
    const made: Login[] = [];
    const ids: string[] = [];
    const create = async (): Promise<void> => {
      const { status, text } = await api.ask('POST', '/telephony_credentials', { connection_id });
      if (status !== 201) throw new Error(`${status} ${text}`);
      const { id, sip_username, sip_password } = (
        JSON.parse(text) as { data: { id: string; sip_username: string; sip_password: string } }
      ).data;
      ids.push(id);
      made.push({ login: sip_username, passwd: sip_password });
    };
    await loop((done) => done < USERS, create);
    await rate('API creates', product, print, () => (done) => done < Math.max(users - USERS, 1_000), create);
    const read = async (i: number): Promise<void> => {
      const { status } = await api.ask('GET', `/telephony_credentials/${ids[i % ids.length]}`);
      if (status !== 200) throw new Error(`${status}`);
    };
    await loop(forMs(WARM_MS), read);
    await rate('API reads', product, print, () => forMs(RUN_MS), read);
    await logins(product, print, api, made);
    await idle(crowds, product, print, made);
  } finally {
    api.close();
    await product.stop();
  }
}
