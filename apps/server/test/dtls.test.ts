import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { type Random, seededRandom } from '@sidetone/core';
import type { DtlsConnected, DtlsEndpoint, DtlsFactory, DtlsFailure, DtlsRole } from '@sidetone/rtc';
import { readRecords, writeRecord } from '../src/dtls/records.ts';
import { createWeriftDtls } from '../src/dtls/werift.ts';

type Outcome = { readonly connected: DtlsConnected } | { readonly failed: DtlsFailure };
/** What the network does to a datagram on its way: the datagrams that arrive instead. */
type Network = (datagram: Uint8Array, from: DtlsRole) => readonly Uint8Array[];

const clean: Network = (datagram) => [datagram];

const alice = await createWeriftDtls({ retransmitMs: 15, timeoutMs: 3000 });
const bob = await createWeriftDtls({ retransmitMs: 15, timeoutMs: 3000 });
const opened: DtlsEndpoint[] = [];
after(() => {
  for (const endpoint of opened) endpoint.close();
});

interface Pair {
  readonly client: DtlsEndpoint;
  readonly server: DtlsEndpoint;
  readonly outcome: Readonly<Record<DtlsRole, Promise<Outcome>>>;
  readonly ends: Promise<[client: Outcome, server: Outcome]>;
}

function pair(
  network: Network,
  named: { client?: string; server?: string } = {},
  pace?: Random,
  caller: DtlsFactory = alice,
): Pair {
  const endpoints: Partial<Record<DtlsRole, DtlsEndpoint>> = {};
  const open = (role: DtlsRole, factory: DtlsFactory, peer: string): Promise<Outcome> =>
    new Promise((resolve) => {
      const other = role === 'client' ? 'server' : 'client';
      const endpoint = factory.create({
        fingerprints: [
          { hash: 'sha-1', value: 'AA' },
          { hash: 'sha-256', value: peer },
        ],
        send: (datagram) => {
          const copies = network(datagram, role).map((d) => d.slice());
          for (const copy of copies) setTimeout(() => endpoints[other]!.receive(copy), pace?.int(12) ?? 0);
        },
        connected: (connected) => resolve({ connected }),
        failed: (failed) => resolve({ failed }),
      });
      opened.push(endpoint);
      endpoints[role] = endpoint;
    });
  const outcome = {
    client: open('client', caller, named.server ?? bob.fingerprint),
    server: open('server', bob, named.client ?? caller.fingerprint),
  };
  const { client, server } = endpoints as Record<DtlsRole, DtlsEndpoint>;
  server.start('server');
  client.start('client');
  return { client, server, outcome, ends: Promise.all([outcome.client, outcome.server]) };
}

function assertAgreed([client, server]: [Outcome, Outcome]): void {
  assert.ok('connected' in client && 'connected' in server, JSON.stringify([client, server]));
  assert.deepEqual(client.connected.localKeys, server.connected.remoteKeys);
  assert.deepEqual(client.connected.remoteKeys, server.connected.localKeys);
  assert.equal(client.connected.profile, server.connected.profile);
  assert.equal(client.connected.remoteFingerprint, bob.fingerprint);
  assert.equal(server.connected.remoteFingerprint, alice.fingerprint);
}

describe('a handshake', () => {
  it('connects both roles with the same keys, on a quiet network', async () => {
    let datagrams = 0;
    const { ends } = pair((d) => {
      datagrams++;
      return [d];
    });
    assertAgreed(await ends);
    // Hello, verify, hello, flight 4, flight 5, flight 6.
    assert.ok(datagrams >= 6);
  });

  for (let seed = 1; seed <= 12; seed++) {
    it(`survives 30 % loss, duplicates and reordering both ways (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const { ends } = pair(
        (d) => {
          if (random.int(10) < 3) return [];
          return random.int(10) === 0 ? [d, d] : [d];
        },
        {},
        random,
      );
      assertAgreed(await ends);
    });
  }

  it('repeats its last flight when only that was lost', async () => {
    const finals = { client: 0, server: 0 };
    const { ends } = pair((d, from) => {
      const last = readRecords(Buffer.from(d)).some((r) => r.epoch === 1);
      return last && ++finals[from] <= 2 && from === 'server' ? [] : [d];
    });
    assertAgreed(await ends);
    // A client that is late asks once more.
    assert.ok(finals.server >= 3 && finals.server <= finals.client, JSON.stringify(finals));
  });

  it('puts together fragments of every size', async () => {
    const { ends } = pair((d) => [fragment(d, 40)]);
    assertAgreed(await ends);
  });

  it('settles on GCM when that is all the other has', async () => {
    const caller = await createWeriftDtls({ profiles: ['AEAD_AES_128_GCM'] });
    const [client, server] = await pair(clean, {}, undefined, caller).ends;
    assert.ok('connected' in client && 'connected' in server);
    assert.equal(server.connected.profile, 'AEAD_AES_128_GCM');
    assert.equal(server.connected.localKeys.salt.length, 12);
    assert.deepEqual(client.connected.localKeys, server.connected.remoteKeys);
  });

  it('says timeout when nobody answers', async () => {
    const factory = await createWeriftDtls({ retransmitMs: 1, timeoutMs: 2 });
    const failed = await new Promise((resolve) => {
      factory
        .create({
          fingerprints: [{ hash: 'sha-256', value: alice.fingerprint }],
          send: () => {},
          connected: () => resolve('connected'),
          failed: resolve,
        })
        .start('client');
    });
    assert.equal(failed, 'timeout');
  });
});

describe('a handshake is refused', () => {
  const wrong = Array.from({ length: 32 }, () => 'AB').join(':');

  it('by the server, when the client is not who the description names', async () => {
    assert.equal(await failing('server', { client: wrong }, clean), 'fingerprint');
  });

  it('by the client, when the server is not who the description names', async () => {
    const outcome = await failing('client', { server: wrong }, clean);
    assert.equal(outcome, 'fingerprint');
  });

  it('without a SHA-256 fingerprint', async () => {
    const failed = await new Promise((resolve) => {
      alice
        .create({
          fingerprints: [{ hash: 'sha-1', value: 'AA:BB' }],
          send: () => {},
          connected: () => resolve('connected'),
          failed: resolve,
        })
        .start('server');
    });
    assert.equal(failed, 'fingerprint');
  });

  it('by the server, when CertificateVerify is not signed with the certificate’s key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = sign('sha256', Buffer.from('something else'), privateKey);
    const outcome = await failing('server', {}, (d, from) =>
      from === 'client' ? [rewrite(d, 15, (body) => signatureReplaced(body, 0, forged))] : [d],
    );
    assert.equal(outcome, 'handshake');
  });

  it('by the client, when ServerKeyExchange is not signed with the certificate’s key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = sign('sha256', Buffer.from('something else'), privateKey);
    const outcome = await failing('client', {}, (d, from) =>
      from === 'server' ? [rewrite(d, 12, (body) => signatureReplaced(body, 4 + body[3]!, forged))] : [d],
    );
    assert.equal(outcome, 'handshake');
  });

  for (const victim of ['client', 'server'] as const) {
    it(`by the ${victim}, when Finished comes in the clear`, async () => {
      const outcome = await failing(victim, {}, (d, from) => (from === victim ? [d] : [finishedInClear(d)]));
      assert.equal(outcome, 'handshake');
    });
  }

  it('when a message was changed on its way', async () => {
    // The last byte of the client's random: what the server signs is then about another handshake.
    const outcome = await failing('client', {}, (d, from) =>
      from === 'client' ? [rewrite(d, 1, flipRandom)] : [d],
    );
    assert.equal(outcome, 'handshake');
  });
});

describe('hostile datagrams', () => {
  it('never throw after a handshake, and say nothing new', async () => {
    const random = seededRandom(99);
    const garbage = (like: Uint8Array): Uint8Array => {
      const bytes = random.int(3) === 0 ? random.bytes(random.int(200)) : like.slice();
      const header = random.int(2) === 0 ? 11 : bytes.length;
      if (bytes.length > 25) bytes[Math.min(bytes.length - 1, random.int(header))]! ^= 1 << random.int(8);
      return bytes;
    };
    const recorded: Uint8Array[] = [];
    const { ends, server, client } = pair((d) => {
      recorded.push(d.slice());
      return [d];
    });
    const outcome = await ends;
    assertAgreed(outcome);
    for (let i = 0; i < 3000; i++) {
      const like = recorded[random.int(recorded.length)]!;
      server.receive(garbage(like));
      client.receive(garbage(like));
    }
  });

  it('cannot make a fresh endpoint throw', () => {
    const random = seededRandom(7);
    for (let i = 0; i < 300; i++) {
      const endpoint = bob.create({
        fingerprints: [{ hash: 'sha-256', value: alice.fingerprint }],
        send: () => {},
        connected: () => assert.fail('connected'),
        failed: () => {},
      });
      endpoint.start('server');
      for (let k = 0; k < 5; k++) {
        const body = Buffer.from(random.bytes(12 + random.int(120)));
        body[0] = [1, 11, 14, 15, 16, 20][random.int(6)]!;
        body.writeUIntBE(body.length - 12, 1, 3);
        body.writeUInt16BE(k, 4);
        body.writeUIntBE(0, 6, 3);
        body.writeUIntBE(body.length - 12, 9, 3);
        endpoint.receive(writeRecord(body));
      }
      endpoint.close();
    }
  });

  it('after the handshake, a new ClientHello replaces no keys', async () => {
    let hello: Uint8Array | undefined;
    let replies = 0;
    let connected = false;
    const { ends, server } = pair((d, from) => {
      if (from === 'client') hello ??= d.slice();
      else if (connected) replies++;
      return [d];
    });
    assertAgreed(await ends);
    connected = true;
    for (let i = 0; i < 100; i++) server.receive(hello!);
    // At most its last flight again, a bounded number of times.
    assert.ok(replies <= 24 * 2);
  });

  it('wait their turn when too many handshakes are under way', async () => {
    const factory = await createWeriftDtls({ maxHandshakes: 2, retransmitMs: 10, timeoutMs: 2000 });
    const outcomes: string[] = [];
    const busy = [1, 2].map(() => {
      const endpoint = factory.create({
        fingerprints: [{ hash: 'sha-256', value: alice.fingerprint }],
        send: () => {},
        connected: () => {},
        failed: () => {},
      });
      endpoint.start('client');
      return endpoint;
    });
    let sent = 0;
    const waiting = factory.create({
      fingerprints: [{ hash: 'sha-256', value: alice.fingerprint }],
      send: () => sent++,
      connected: () => {},
      failed: (f) => outcomes.push(f),
    });
    waiting.start('client');
    assert.equal(sent, 0);
    for (const endpoint of busy) endpoint.close();
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(sent > 0);
    waiting.close();
    assert.deepEqual(outcomes, []);
  });
});

/** Runs a handshake and says how `victim` fails. */
async function failing(
  victim: DtlsRole,
  named: { client?: string; server?: string },
  network: Network,
): Promise<DtlsFailure | 'connected'> {
  const { client, server, outcome } = pair(network, named);
  const mine = await outcome[victim];
  client.close();
  server.close();
  return 'failed' in mine ? mine.failed : 'connected';
}

/** Every handshake message of a datagram cut into fragments of `size`. */
function fragment(datagram: Uint8Array, size: number): Buffer {
  return mapMessages(datagram, (header, body) => {
    const out: Buffer[] = [];
    for (let at = 0; at < Math.max(1, body.length); at += size) {
      const part = body.subarray(at, at + size);
      const head = Buffer.from(header);
      head.writeUIntBE(at, 6, 3);
      head.writeUIntBE(part.length, 9, 3);
      out.push(Buffer.concat([head, part]));
    }
    return out;
  });
}

/** Changes the body of each message of `type`. */
function rewrite(datagram: Uint8Array, type: number, change: (body: Buffer) => Buffer): Buffer {
  return mapMessages(datagram, (header, body) => {
    if (header[0] !== type) return [Buffer.concat([header, body])];
    const next = change(Buffer.from(body));
    const head = Buffer.from(header);
    head.writeUIntBE(next.length, 1, 3);
    head.writeUIntBE(next.length, 9, 3);
    return [Buffer.concat([head, next])];
  });
}

function mapMessages(datagram: Uint8Array, map: (header: Buffer, body: Buffer) => Buffer[]): Buffer {
  const out: Buffer[] = [];
  for (const record of readRecords(Buffer.from(datagram))) {
    if (record.contentType !== 22 || record.epoch !== 0) {
      out.push(record.bytes);
      continue;
    }
    for (const message of map(record.body.subarray(0, 12), record.body.subarray(12))) {
      out.push(writeRecord(message));
    }
  }
  return Buffer.concat(out);
}

function signatureReplaced(body: Buffer, at: number, signature: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(signature.length);
  return Buffer.concat([body.subarray(0, at + 2), length, signature]);
}

function flipRandom(body: Buffer): Buffer {
  body[33]! ^= 1;
  return body;
}

/** The encrypted Finished replaced by one of zeros in the clear. */
function finishedInClear(datagram: Uint8Array): Buffer {
  const parts = readRecords(Buffer.from(datagram)).map((record) => {
    if (record.epoch === 0) return record.bytes;
    const body = Buffer.alloc(24);
    body[0] = 20;
    body[3] = 12;
    // Client: Certificate 2, key exchange 3, verify 4, Finished 5. Server: Finished 6 or 7.
    body.writeUInt16BE(0, 4);
    body[11] = 12;
    return Buffer.concat(
      [5, 6, 7].map((sequence) => {
        const copy = Buffer.from(body);
        copy.writeUInt16BE(sequence, 4);
        return writeRecord(copy);
      }),
    );
  });
  return Buffer.concat(parts);
}
