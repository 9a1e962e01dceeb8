import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Direction, MediaReply } from '@sidetone/wire';
import fc from 'fast-check';
import { callDeadline, type Plan } from '../src/call.ts';
import type { CallInput, CallOut } from '../src/call-events.ts';
import { CallBench, contact, newCall, trunkPlan, userPlan } from './call-bench.ts';

type Move =
  | { readonly do: 'feed'; readonly input: CallInput }
  | { readonly do: 'reply'; readonly index: number; readonly reply?: MediaReply }
  | { readonly do: 'wait'; readonly ms: number };

const leg = fc.constantFrom('a', 'b', 'c', 's', 'x');
const sdp = fc.constantFrom('one', 'two', 'three');
const direction = fc.constantFrom<Direction>('sendrecv', 'sendonly', 'recvonly', 'inactive');
const headers = fc.constant<readonly (readonly [string, string])[]>([]);
const described = fc.record({ sdp, direction });
const optional = <K extends string, V>(key: K, value: fc.Arbitrary<V>) =>
  fc.option(value, { nil: undefined }).map((v) => (v === undefined ? {} : ({ [key]: v } as Record<K, V>)));

const input: fc.Arbitrary<CallInput> = fc.oneof(
  fc
    .tuple(leg, fc.constantFrom(180, 183), optional('sdp', sdp))
    .map(([l, status, s]): CallInput => ({ type: 'progress', leg: l, status, headers: [], ...s })),
  fc
    .tuple(leg, optional('sdp', sdp))
    .map(([l, s]): CallInput => ({ type: 'accepted', leg: l, headers: [], ...s })),
  fc
    .tuple(leg, fc.constantFrom(302, 404, 408, 486, 487, 603), fc.constantFrom('peer', 'timeout', 'cancel'))
    .map(
      ([l, status, by]): CallInput => ({
        type: 'failed',
        leg: l,
        status,
        by: by as 'peer' | 'timeout' | 'cancel',
        headers: [],
      }),
    ),
  fc.constant<CallInput>({ type: 'cancelled', leg: 'a', headers: [] }),
  fc.tuple(leg, optional('sdp', sdp)).map(([l, s]): CallInput => ({ type: 'confirmed', leg: l, ...s })),
  fc
    .tuple(leg, optional('offer', described))
    .map(([l, o]): CallInput => ({ type: 'reinvite', leg: l, tx: 't', ...o })),
  fc
    .tuple(leg, optional('answer', described))
    .map(([l, a]): CallInput => ({ type: 'reinviteConfirmed', leg: l, ...a })),
  fc
    .tuple(leg, fc.constantFrom(200, 488, 491), optional('sdp', sdp))
    .map(([l, status, s]): CallInput => ({ type: 'reinviteResult', leg: l, status, ...s })),
  fc
    .tuple(leg, fc.constantFrom('1', '0123456789*#'))
    .map(([l, digits]): CallInput => ({ type: 'digits', leg: l, digits })),
  fc.tuple(leg, fc.boolean()).map(([l, here]): CallInput => ({ type: 'presence', leg: l, here })),
  leg.map((l): CallInput => ({ type: 'digitSent', leg: l, status: 200 })),
  leg.map((l): CallInput => ({ type: 'candidates', leg: l, candidates: ['candidate:1'] })),
  fc.tuple(leg, headers).map(([l, h]): CallInput => ({ type: 'bye', leg: l, headers: h })),
  leg.map((l): CallInput => ({ type: 'ended', leg: l, why: 'dialog-gone' })),
  fc
    .tuple(leg, fc.constantFrom<'ice' | 'dtls' | 'rtp'>('ice', 'dtls', 'rtp'))
    .map(([l, why]): CallInput => ({ type: 'mediaFailed', leg: l, why })),
  leg.map((l): CallInput => ({ type: 'mediaFlag', leg: l, flag: 'one-way' })),
  fc.constant<CallInput>({
    type: 'bindings',
    status: 200,
    contacts: [contact('b'), contact('c', false)],
  }),
  fc.constant<CallInput>({ type: 'tick' }),
);

/** Inputs that bring a call forward come often, so that runs reach deep states. */
const forward: fc.Arbitrary<CallInput> = fc.oneof(
  fc.constant<CallInput>({ type: 'accepted', leg: 'b', sdp: 'one', headers: [] }),
  fc.constant<CallInput>({ type: 'accepted', leg: 'c', sdp: 'two', headers: [] }),
  fc.constant<CallInput>({ type: 'progress', leg: 'b', status: 183, sdp: 'one', headers: [] }),
  fc
    .tuple(fc.constantFrom('a', 'b'), described)
    .map(([l, offer]): CallInput => ({ type: 'reinvite', leg: l, tx: 't', offer })),
  fc
    .constantFrom('a', 'b')
    .map((l): CallInput => ({ type: 'reinviteResult', leg: l, status: 200, sdp: 'three' })),
  fc
    .tuple(fc.constantFrom('a', 'b'), fc.boolean())
    .map(([l, here]): CallInput => ({ type: 'presence', leg: l, here })),
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

const plan: fc.Arbitrary<Plan> = fc.constantFrom<Plan>(
  trunkPlan(),
  trunkPlan({ dtmf: 'info', policy: 'capacity' }),
  userPlan(),
  userPlan({ ringAll: false }),
  { to: 'service', service: 'echo', leg: { leg: 's', control: 'v3:s' } },
);

/** What must hold of the outputs of any call, in order. */
class Ledger {
  readonly #invited = new Set<string>();
  readonly #opened = new Set<string>();
  readonly #closed = new Set<string>();
  readonly #recorded = new Set<string>();
  readonly #ended = new Set<string>();
  #final: number | null = null;

  read(outs: readonly CallOut[]): void {
    for (const out of outs) this.#one(out);
  }

  #one(out: CallOut): void {
    switch (out.type) {
      case 'invite':
        assert.ok(!this.#invited.has(out.leg), 'one INVITE a leg');
        this.#invited.add(out.leg);
        return;
      case 'respond':
        assert.equal(this.#final, null, 'nothing behind the final response');
        if (out.status >= 200) this.#final = out.status;
        if (out.status === 200) assert.ok(out.sdp !== undefined, '200 carries a description');
        return;
      case 'bye':
        assert.ok(!this.#ended.has(out.leg), 'one BYE a leg');
        this.#ended.add(out.leg);
        if (out.leg === 'a') assert.equal(this.#final, 200, 'no BYE to an unanswered caller');
        else assert.ok(this.#invited.has(out.leg));
        return;
      case 'cancel':
        assert.ok(this.#invited.has(out.leg), 'CANCEL behind INVITE');
        return;
      case 'media':
        assert.ok(!this.#closed.has(out.leg), `no ${out.command.op} behind close`);
        if (out.command.op === 'close') {
          assert.ok(this.#opened.has(out.leg));
          this.#closed.add(out.leg);
        } else if (out.command.op === 'offer' || out.command.op === 'answer') this.#opened.add(out.leg);
        else assert.ok(this.#opened.has(out.leg), `${out.command.op} needs a leg`);
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

  finish(legs: readonly { readonly id: string }[]): void {
    assert.deepEqual([...this.#recorded].sort(), legs.map((l) => l.id).sort(), 'every leg has a record');
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
            bench.feed({ type: 'bindings', status: 200, contacts: [contact('b'), contact('c', false)] });
          for (const m of moves) {
            if (m.do === 'wait') {
              bench.now += m.ms;
              bench.feed({ type: 'tick' });
            } else if (m.do === 'reply') bench.reply(m.index, m.reply);
            else bench.feed(m.input);
            checkGates(bench);
          }
          if (bench.call.legs.some((l) => l.phase === 'up')) deep += 1;
          bench.feed({ type: 'end', ending: { cause: 'X', code: 41, sip: 503, by: 'platform' } });
          while (bench.waiting.length > 0) bench.reply();
          bench.now += 40_000;
          bench.feed({ type: 'tick' });
          assert.equal(bench.call.state.name, 'over');
          assert.equal(callDeadline(bench.call), null);
          ledger.read(bench.outs);
          ledger.finish(bench.call.legs);
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
          assert.deepEqual(JSON.parse(JSON.stringify(bench.call)), bench.call);
        }
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('never changes the state it was given', () => {
    const call = newCall();
    const before = JSON.stringify(call);
    const bench = new CallBench();
    bench.call = call;
    bench.feed({ type: 'start' });
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.equal(JSON.stringify(call), before);
  });
});

/** Who holds hears nothing, and nobody hears who holds. */
function checkGates(bench: CallBench): void {
  const { state, legs } = bench.call;
  if (state.name !== 'up') return;
  const caller = legs[0]!;
  const peer = legs.find((l) => l.id === state.peer)!;
  for (const [one, other] of [
    [caller, peer],
    [peer, caller],
  ] as const) {
    if (one.media !== 'open') continue;
    if (one.holding) assert.equal(one.source?.kind, 'silence');
    else if (other.holding) assert.equal(one.source?.kind, 'music');
    else if (other.kind !== 'service') {
      const digits = one.dtmf === 'info' ? { digits: false } : {};
      assert.deepEqual(one.source, { kind: 'leg', leg: other.id, ...digits });
    }
  }
}
