import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Direction, MediaReply } from '@sidetone/wire';
import fc from 'fast-check';
import { mainOf } from '../src/leg/leg.ts';
import type { Wish } from '../src/message.ts';
import type { Routed } from '../src/routing/plan.ts';
import { type BenchInput, CallBench, contact, trunkPlan, userPlan } from './call-bench.ts';

type Move =
  | { readonly do: 'feed'; readonly input: BenchInput }
  | { readonly do: 'reply'; readonly index: number; readonly reply?: MediaReply }
  | { readonly do: 'wait'; readonly ms: number };

const leg = fc.constantFrom('a', 'b', 'c', 's', 'x');
const sdp = fc.constantFrom('one', 'two', 'three');
const direction = fc.constantFrom<Direction>('sendrecv', 'sendonly', 'recvonly', 'inactive');
const headers = fc.constant<readonly (readonly [string, string])[]>([]);
const described = fc.record({ sdp, direction });
const optional = <K extends string, V>(key: K, value: fc.Arbitrary<V>) =>
  fc.option(value, { nil: undefined }).map((v) => (v === undefined ? {} : ({ [key]: v } as Record<K, V>)));

const input: fc.Arbitrary<BenchInput> = fc.oneof(
  fc
    .tuple(leg, fc.constantFrom(180, 183), optional('sdp', sdp))
    .map(([l, status, s]): BenchInput => ({ type: 'progress', leg: l, status, headers: [], ...s })),
  fc
    .tuple(leg, optional('sdp', sdp))
    .map(([l, s]): BenchInput => ({ type: 'accepted', leg: l, headers: [], ...s })),
  fc
    .tuple(leg, fc.constantFrom(302, 404, 408, 486, 487, 603), fc.constantFrom('peer', 'timeout', 'cancel'))
    .map(
      ([l, status, by]): BenchInput => ({
        type: 'failed',
        leg: l,
        status,
        by: by as 'peer' | 'timeout' | 'cancel',
        headers: [],
      }),
    ),
  fc.constant<BenchInput>({ type: 'cancelled', leg: 'a', headers: [] }),
  fc.tuple(leg, optional('sdp', sdp)).map(([l, s]): BenchInput => ({ type: 'confirmed', leg: l, ...s })),
  fc
    .tuple(leg, optional('offer', described))
    .map(([l, o]): BenchInput => ({ type: 'reinvite', leg: l, tx: 't', ...o })),
  fc
    .tuple(leg, optional('answer', described))
    .map(([l, a]): BenchInput => ({ type: 'reinviteConfirmed', leg: l, ...a })),
  fc
    .tuple(leg, fc.constantFrom(200, 488, 491), optional('sdp', sdp))
    .map(([l, status, s]): BenchInput => ({ type: 'reinviteResult', leg: l, status, ...s })),
  fc
    .tuple(leg, fc.constantFrom('1', '0123456789*#'))
    .map(([l, digits]): BenchInput => ({ type: 'digits', leg: l, digits })),
  fc
    .tuple(leg, fc.boolean(), fc.boolean())
    .map(([l, here, bare]): BenchInput => ({ type: 'attachment', leg: l, here, bare })),
  leg.map((l): BenchInput => ({ type: 'digitSent', leg: l, status: 200 })),
  fc.tuple(leg, headers).map(([l, h]): BenchInput => ({ type: 'bye', leg: l, headers: h })),
  leg.map((l): BenchInput => ({ type: 'ended', leg: l, why: 'dialog-gone' })),
  fc
    .tuple(leg, fc.constantFrom<'ice' | 'dtls' | 'rtp'>('ice', 'dtls', 'rtp'))
    .map(([l, why]): BenchInput => ({ type: 'mediaFailed', leg: l, why })),
  leg.map((l): BenchInput => ({ type: 'mediaFlag', leg: l, flag: 'one-way' })),
  leg.map((l): BenchInput => ({ type: 'mediaDigit', leg: l, digit: '5' })),
  fc.constant<BenchInput>({
    type: 'bindings',
    target: 0,
    status: 200,
    contacts: [contact('b'), contact('c', false)],
  }),
  fc.constant<BenchInput>({ type: 'tick' }),
);

/** Inputs that bring a call forward come often, so that runs reach deep states. */
const forward: fc.Arbitrary<BenchInput> = fc.oneof(
  fc.constant<BenchInput>({ type: 'accepted', leg: 'b', sdp: 'one', headers: [] }),
  fc.constant<BenchInput>({ type: 'accepted', leg: 'c', sdp: 'two', headers: [] }),
  fc.constant<BenchInput>({ type: 'progress', leg: 'b', status: 183, sdp: 'one', headers: [] }),
  fc
    .tuple(fc.constantFrom('a', 'b'), described)
    .map(([l, offer]): BenchInput => ({ type: 'reinvite', leg: l, tx: 't', offer })),
  fc
    .constantFrom('a', 'b')
    .map((l): BenchInput => ({ type: 'reinviteResult', leg: l, status: 200, sdp: 'three' })),
  fc
    .tuple(fc.constantFrom('a', 'b'), fc.boolean(), fc.boolean())
    .map(([l, here, bare]): BenchInput => ({ type: 'attachment', leg: l, here, bare })),
);

const error: fc.Arbitrary<MediaReply> = fc
  .constantFrom<'no-codec' | 'bad-sdp' | 'no-port' | 'wrong-state' | 'engine'>(
    'no-codec',
    'bad-sdp',
    'no-port',
    'wrong-state',
    'engine',
  )
  .map((e) => ({ ok: false, error: e, message: '' }));

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: input.map((i): Move => ({ do: 'feed', input: i })) },
  { weight: 5, arbitrary: forward.map((i): Move => ({ do: 'feed', input: i })) },
  { weight: 12, arbitrary: fc.constant<Move>({ do: 'reply', index: 0 }) },
  { weight: 1, arbitrary: error.map((reply): Move => ({ do: 'reply', index: 0, reply })) },
  { weight: 1, arbitrary: fc.constantFrom(1, 1_000, 30_000).map((ms): Move => ({ do: 'wait', ms })) },
);

const plan: fc.Arbitrary<Routed> = fc.constantFrom<Routed>(
  trunkPlan(),
  trunkPlan({ dtmf: 'info', policy: 'capacity' }),
  userPlan(),
  userPlan({ ringAll: false }),
  { to: 'service', service: 'echo' },
);

/** What must hold of the outputs of any call, in order. */
class Ledger {
  readonly #invited = new Set<string>();
  readonly #opened = new Set<string>();
  readonly #closed = new Set<string>();
  readonly #recorded = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #legs = new Set<string>();
  #final: number | null = null;

  read(outs: readonly Wish[]): void {
    for (const out of outs) this.#one(out);
  }

  #one(out: Wish): void {
    switch (out.type) {
      case 'invite':
        assert.ok(!this.#invited.has(out.branch), 'one INVITE a branch');
        this.#invited.add(out.branch);
        this.#legs.add(out.leg);
        return;
      case 'respond':
        assert.equal(this.#final, null, 'nothing behind the final response');
        if (out.status >= 200) this.#final = out.status;
        if (out.status === 200) assert.ok(out.sdp !== undefined, '200 carries a description');
        return;
      case 'bye':
        assert.ok(!this.#ended.has(out.branch), 'one BYE a branch');
        this.#ended.add(out.branch);
        if (out.branch === 'a') assert.equal(this.#final, 200, 'no BYE to an unanswered caller');
        else assert.ok(this.#invited.has(out.branch));
        return;
      case 'cancel':
        assert.ok(this.#invited.has(out.branch), 'CANCEL behind INVITE');
        return;
      case 'media':
        assert.ok(!this.#closed.has(out.branch), `no ${out.command.op} behind close`);
        if (out.command.op === 'close') {
          assert.ok(this.#opened.has(out.branch));
          this.#closed.add(out.branch);
        } else if (out.command.op === 'offer' || out.command.op === 'answer') this.#opened.add(out.branch);
        else assert.ok(this.#opened.has(out.branch), `${out.command.op} needs a leg`);
        return;
      case 'record':
        assert.ok(!this.#recorded.has(out.record.leg_id), 'one record a leg');
        assert.ok(out.record.ended_at >= out.record.started_at);
        this.#recorded.add(out.record.leg_id);
        return;
      default:
        return;
    }
  }

  finish(plan: Routed['to']): void {
    const called = plan === 'service' ? ['s'] : this.#legs.size > 0 || this.#opened.has('b') ? ['b'] : [];
    assert.deepEqual(
      [...this.#recorded].sort(),
      ['a', ...called].sort(),
      'every leg has a record, no branch has',
    );
    assert.deepEqual([...this.#closed].sort(), [...this.#opened].sort(), 'every media leg is closed');
    assert.notEqual(this.#final, undefined);
  }
}

describe('any interleaving of SIP, media and time', () => {
  it('leaves no leg in media, no timer, and one record a leg', () => {
    let deep = 0;
    fc.assert(
      fc.property(
        plan,
        fc.boolean(),
        fc.constantFrom<'client' | 'phone' | 'trunk'>('client', 'phone', 'trunk'),
        fc.array(move, { minLength: 5, maxLength: 60 }),
        (thePlan, offerless, kind, moves) => {
          const bench = new CallBench({ plan: thePlan, offerless, kind, manual: true });
          const ledger = new Ledger();
          bench.feed({ type: 'start' });
          if (thePlan.to === 'user')
            bench.feed({
              type: 'bindings',
              target: 0,
              status: 200,
              contacts: [contact('b'), contact('c', false)],
            });
          for (const m of moves) {
            if (m.do === 'wait') {
              bench.now += m.ms;
              bench.feed({ type: 'tick' });
            } else if (m.do === 'reply') bench.reply(m.index, m.reply);
            else bench.feed(m.input);
            checkGates(bench);
          }
          if ([...bench.registry.legs.values()].some((l) => mainOf(l)?.phase === 'up')) deep += 1;
          bench.feed({ type: 'everybody', ending: { cause: 'X', code: 41, sip: 503, by: 'platform' } });
          while (bench.waiting.length > 0) bench.reply();
          bench.now += 40_000;
          bench.feed({ type: 'tick' });
          assert.equal(bench.state, 'over');
          assert.equal(bench.deadline(), null);
          assert.deepEqual([bench.registry.bridges.size, bench.registry.sessions], [0, 0]);
          ledger.read(bench.outs);
          ledger.finish(thePlan.to);
          const before = bench.outs.length;
          for (const m of moves) if (m.do === 'feed') bench.feed(m.input);
          assert.equal(bench.outs.length, before, 'a call that is over says nothing');
        },
      ),
      { numRuns: 3_000, seed: 20_260 },
    );
    assert.ok(deep > 500, `only ${deep} runs were answered`);
  });

  it('is a plain record: any state survives JSON', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        const bench = new CallBench({ manual: true });
        bench.feed({ type: 'start' });
        for (const m of moves) {
          if (m.do === 'feed') bench.feed(m.input);
          else if (m.do === 'reply') bench.reply(0, m.reply);
          for (const record of [...bench.registry.legs.values(), ...bench.registry.bridges.values()])
            assert.deepEqual(JSON.parse(JSON.stringify(record)), record);
        }
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('never changes a record that was there', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    const before = [...bench.registry.legs.values(), ...bench.registry.bridges.values()];
    const texts = before.map((record) => JSON.stringify(record));
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    bench.feed({ type: 'bye', leg: 'b', headers: [] });
    assert.deepEqual(
      before.map((record) => JSON.stringify(record)),
      texts,
    );
  });
});

/** Who holds hears nothing, and nobody hears who holds. */
function checkGates(bench: CallBench): void {
  if (bench.registry.bridges.get('bridge')?.state !== 'up') return;
  const [a, b] = ['a', 'b'].map((id) => bench.leg(id));
  if (a?.state.name !== 'up' || b?.state.name !== 'up') return;
  const [caller, peer] = [mainOf(a)!, mainOf(b)!];
  for (const [one, other] of [
    [caller, peer],
    [peer, caller],
  ] as const) {
    if (one.media.phase !== 'open') continue;
    const { source } = one.media;
    if (one.exchange.holding) assert.equal(source?.kind, 'silence');
    else if (other.exchange.holding) assert.equal(source?.kind, 'music');
    else {
      const digits = one.dtmf === 'info' ? { digits: false } : {};
      assert.deepEqual(source, { kind: 'leg', leg: other.id, ...digits });
    }
  }
}
