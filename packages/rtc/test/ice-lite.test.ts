import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import {
  createIce,
  type IceCredentials,
  type IceInput,
  type IceOutput,
  type IcePath,
  type IceState,
  iceLite,
  isApproved,
  parseStun,
  readXorAddress,
  verifyIntegrity,
  writeStun,
} from '../src/index.ts';

const utf8 = new TextEncoder();
const ours: IceCredentials = { ufrag: 'ours', pwd: 'our-password-of-22-chars' };
const theirs: IceCredentials = { ufrag: 'them', pwd: 'their-password-22-chars' };
const fresh: IceCredentials = { ufrag: 'new1', pwd: 'new-password-of-22-chars' };
const freshTheirs: IceCredentials = { ufrag: 'new2', pwd: 'new-password-of-them-2222' };
const a: IcePath = { socket: 0, address: '192.0.2.1', port: 1000 };
const b: IcePath = { socket: 0, address: '192.0.2.2', port: 2000 };
const id = seededRandom(3).bytes(12);

interface CheckOptions {
  readonly from?: IcePath;
  readonly local?: IceCredentials;
  readonly remote?: IceCredentials;
  readonly pwd?: string | null;
  readonly nominate?: boolean;
  readonly controlled?: boolean;
  readonly extra?: readonly (readonly [number, Uint8Array])[];
}

function check(options: CheckOptions = {}): IceInput {
  const { from = a, local = ours, remote = theirs, pwd = local.pwd, nominate = false } = options;
  const bytes = writeStun(
    {
      class: 'request',
      method: 1,
      transactionId: id,
      attributes: [
        [0x0006, utf8.encode(`${local.ufrag}:${remote.ufrag}`)],
        [0x0024, Uint8Array.of(1, 2, 3, 4)],
        [options.controlled ? 0x8029 : 0x802a, new Uint8Array(8)],
        ...(nominate ? [[0x0025, new Uint8Array(0)] as const] : []),
        ...(options.extra ?? []),
      ],
    },
    pwd === null ? undefined : utf8.encode(pwd),
  );
  return { type: 'packet', bytes, from };
}

function run(state: IceState, now: number, ...inputs: IceInput[]): { state: IceState; out: IceOutput[] } {
  const out: IceOutput[] = [];
  for (const input of inputs) {
    const step = iceLite.step(state, input, now);
    state = step.state;
    out.push(...step.out);
  }
  return { state, out };
}

const agent = (): IceState => createIce({ local: ours, remote: theirs, now: 0 });

function errorCode(out: readonly IceOutput[]): number {
  const sent = out.find((o) => o.type === 'send');
  assert.ok(sent);
  const parsed = parseStun(sent.bytes);
  assert.ok(parsed.ok && verifyIntegrity(parsed.value, utf8.encode(ours.pwd)));
  const code = parsed.value.attributes.get(9);
  return code === undefined ? 0 : code[2]! * 100 + code[3]!;
}

describe('an ICE-lite agent', () => {
  it('answers an authenticated check with the mapped address, signed', () => {
    const { state, out } = run(agent(), 5, check());
    assert.equal(out.length, 1);
    const sent = out[0]!;
    assert.ok(sent.type === 'send');
    assert.deepEqual(sent.to, a);
    const parsed = parseStun(sent.bytes);
    assert.ok(parsed.ok && parsed.value.class === 'success');
    assert.ok(verifyIntegrity(parsed.value, utf8.encode(ours.pwd)));
    assert.deepEqual(readXorAddress(parsed.value.attributes.get(0x20)!, id), {
      address: a.address,
      port: a.port,
    });
    assert.equal(state.selected, null);
    assert.ok(isApproved(state, a.socket, a.address, a.port));
    assert.ok(!isApproved(state, a.socket, b.address, b.port));
    assert.ok(!isApproved(state, 1, a.address, a.port));
  });

  it('selects on USE-CANDIDATE, once, and moves when another is nominated', () => {
    const first = run(agent(), 5, check({ nominate: true }), check({ nominate: true }));
    assert.deepEqual(
      first.out.filter((o) => o.type === 'selected'),
      [{ type: 'selected', path: a }],
    );
    assert.equal(first.state.name, 'connected');
    const plain = run(first.state, 6, check({ from: b }));
    assert.deepEqual(plain.state.selected, a);
    const moved = run(plain.state, 7, check({ from: b, nominate: true }));
    assert.deepEqual(moved.state.selected, b);
  });

  it('says nothing to whoever cannot prove the password, and keeps its state', () => {
    const { state } = run(agent(), 1, check({ nominate: true }));
    for (const forged of [
      check({ from: b, nominate: true, pwd: 'wrong-password-22-chars' }),
      check({ from: b, nominate: true, pwd: null }),
      check({ from: b, nominate: true, local: fresh }),
      { type: 'packet', bytes: new Uint8Array(20), from: b } as const,
    ]) {
      const step = iceLite.step(state, forged, 20_000);
      assert.deepEqual(
        step.out.map((o) => o.type),
        ['dropped'],
      );
      assert.equal(step.state, state);
    }
  });

  it('answers checks before it knows the peer’s credentials', () => {
    const { state } = run(createIce({ local: ours, now: 0 }), 1, check({ nominate: true }));
    assert.equal(state.name, 'connected');
  });

  it('goes on with a peer that restarts before its offer is here, or without it ever arriving', () => {
    const { state } = run(agent(), 1, check({ nominate: true }));
    const { state: kept, out } = run(state, 20_000, check({ remote: freshTheirs }));
    assert.equal(out[0]!.type, 'send');
    assert.deepEqual([kept.selected, kept.expiresAt], [a, 50_000]);
  });

  it('answers 487 to a peer that thinks it is controlled, 420 to what it does not know', () => {
    assert.equal(errorCode(run(agent(), 1, check({ controlled: true, nominate: true })).out), 487);
    assert.equal(errorCode(run(agent(), 1, check({ extra: [[0x7001, new Uint8Array(4)]] })).out), 420);
    assert.equal(run(agent(), 1, check({ controlled: true, nominate: true })).state.selected, null);
  });

  it('fails without a nominated check in time', () => {
    const { state } = run(agent(), 29_000, check());
    assert.equal(iceLite.deadline(state), 30_000);
    const { state: failed, out } = run(state, 30_000, { type: 'tick' });
    assert.deepEqual(out, [{ type: 'failed', why: 'setup' }]);
    assert.equal(iceLite.deadline(failed), null);
    assert.ok(!isApproved(failed, 0, a.address, a.port));
  });

  it('loses consent 30 s after the last check on the selected pair, not on another', () => {
    let { state } = run(agent(), 0, check({ nominate: true }));
    for (let now = 2000; now <= 20_000; now += 2000) ({ state } = run(state, now, check(), { type: 'tick' }));
    assert.equal(state.name, 'connected');
    for (let now = 22_000; now < 27_000; now += 1000)
      ({ state } = run(state, now, check({ from: b }), { type: 'tick' }));
    assert.deepEqual(state.selected, a);
    assert.equal(state.name, 'connected');
    const { state: failed, out } = run(state, 50_000, { type: 'tick' });
    assert.deepEqual(out, [{ type: 'failed', why: 'consent' }]);
    assert.equal(failed.selected, null);
    // RFC 7675: consent does not come back without a restart.
    assert.equal(run(failed, 50_001, check({ nominate: true })).state.name, 'failed');
    const restarted = run(failed, 50_002, { type: 'restart', local: fresh, remote: freshTheirs });
    const back = run(restarted.state, 50_003, check({ local: fresh, remote: freshTheirs, nominate: true }));
    assert.equal(back.state.name, 'connected');
  });

  it('follows a peer that moved without knowing it: its checks, or its media, come from elsewhere alone', () => {
    const connected = run(agent(), 0, check({ nominate: true })).state;
    const beside = run(connected, 7_000, check({ from: b }));
    assert.deepEqual(beside.state.selected, a);
    const after = run(beside.state, 7_600, check({ from: b }));
    assert.deepEqual(after.out.at(-1), { type: 'selected', path: b });
    assert.equal(after.state.expiresAt, 37_600);
    assert.deepEqual(run(beside.state, 7_600, check({ from: b, pwd: 'guessed' })).state.selected, a);
    const byMedia = run(beside.state, 7_100, { type: 'media', from: b });
    assert.deepEqual(byMedia.out, [{ type: 'selected', path: b }]);
    // Only by a path that a check has proven, only when there was another.
    for (const [state, from] of [
      [connected, b],
      [connected, a],
      [run(agent(), 0, check()).state, a],
    ] as const)
      assert.deepEqual(run(state, 10, { type: 'media', from }), { state, out: [] });
  });

  it('keeps the old pair through a restart until the new generation nominates', () => {
    const connected = run(agent(), 0, check({ nominate: true })).state;
    const restarted = run(connected, 10, { type: 'restart', local: fresh, remote: freshTheirs }).state;
    assert.deepEqual(restarted.selected, a);
    const old = run(restarted, 20, check());
    assert.equal(old.out[0]!.type, 'send');
    assert.equal(old.state.expiresAt, 30_020);
    const renewed = run(old.state, 30, check({ from: b, local: fresh, remote: freshTheirs, nominate: true }));
    assert.deepEqual(renewed.state.selected, b);
    assert.equal(renewed.state.previous, null);
    assert.deepEqual(run(renewed.state, 40, check()).out, [{ type: 'dropped', why: 'unauthenticated' }]);
    assert.ok(!isApproved(renewed.state, 0, a.address, a.port));
  });

  it('remembers at most 16 paths, the selected one always', () => {
    let { state } = run(agent(), 0, check({ nominate: true }));
    for (let port = 1; port < 100; port++) ({ state } = run(state, 1, check({ from: { ...b, port } })));
    assert.equal(state.valid.length, 16);
    assert.ok(isApproved(state, a.socket, a.address, a.port));
  });

  it('is plain data, and total over any bytes', () => {
    const { state } = run(agent(), 0, check({ nominate: true }));
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const step = iceLite.step(state, { type: 'packet', bytes, from: b }, 1);
        assert.equal(step.state, state);
        assert.ok(step.out.every((o) => o.type === 'dropped'));
      }),
    );
  });
});
