import { randomUUID } from 'node:crypto';
import { openPostgresDirectory } from '../../src/store/postgres-store.ts';
import { openSqliteDirectory } from '../../src/store/sqlite-store.ts';

/** `store-writer.ts sqlite FILE COUNT` or `postgres URL COUNT`: writes objects, 50 at a time, and says the id of each that was acknowledged. */
const [kind, where, count] = process.argv.slice(2) as [string, string, string];
const store = kind === 'sqlite' ? openSqliteDirectory(where) : await openPostgresDirectory(where);
const account = randomUUID();
const now = Date.now();
const base = { account, version: 1, doc: { text: 'x'.repeat(200) }, createdAt: now, updatedAt: now };
await store.commit({
  puts: [{ ...base, id: account, kind: 'account', names: [], refs: [] }],
  removes: [],
  audit: [],
});
let left = Number(count);
async function write(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const id = randomUUID();
    const put = { ...base, id, kind: 'credential' as const, names: [`sip:${id}`], refs: [account] };
    const outcome = await store.commit({ puts: [put], removes: [], audit: [] });
    if (outcome.ok) process.stdout.write(`${id}\n`);
  }
}
await Promise.all(Array.from({ length: 50 }, write));
process.stdout.write('done\n');
