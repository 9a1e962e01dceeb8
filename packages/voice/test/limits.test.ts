import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createResponse, header, parseNameAddr, parseUri } from '@sidetone/sip';
import type { ProfileEntry } from '@sidetone/wire';
import type { FixedPeople } from '@sidetone/wire/testing';
import fc from 'fast-check';
import { CallRate, Counters } from '../src/limits/counters.ts';
import { connection, people, sdp, trunk, VoiceBench } from './voice-bench.ts';

const uri = (text: string) => {
  const parsed = parseUri(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
};
const address = (text: string) => {
  const parsed = parseNameAddr(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
};

/** A call of a client; the caller's leg. */
function dial(
  bench: VoiceBench,
  user: string,
  destination: string,
  from = user,
  offer: string = sdp(),
): string {
  const { leg, out } = bench.vsp.agent.invite(
    {
      requestUri: uri(`sip:${destination}@sip.localhost`),
      from: address(`<sip:${from}@sip.localhost>`),
      to: address(`<sip:${destination}@sip.localhost>`),
      sdp: offer,
      headers: [['P-Asserted-Identity', `<sip:${user}@sip.localhost>`]],
    },
    bench.now,
  );
  bench.vsp.act(out);
  return leg;
}

/** A carrier's call. */
function callIn(bench: VoiceBench, to: string, from = '+15550100'): string {
  const { leg, out } = bench.proxy.agent.invite(
    {
      requestUri: uri(`sip:${to}@127.0.0.1:5060`),
      from: address(`<sip:${from}@192.0.2.10>`),
      to: address(`<sip:${to}@127.0.0.1>`),
      sdp: sdp(),
      headers: [['X-Sidetone-Trunk', 'carrier']],
    },
    bench.now,
  );
  bench.proxy.act(out);
  return leg;
}

function bindings(bench: VoiceBench, ...contacts: readonly string[]): void {
  const asked = bench.proxy.take('request');
  const response = createResponse(asked.request, 200, { contact: contacts.map((c) => address(`<${c}>`)) });
  bench.tell({ type: 'sip', message: response, flow: { transport: 'local', node: 'proxy' } });
}

/** How a call was refused, as the caller hears it; `null`: it was not. */
function refusal(bench: VoiceBench, by: 'vsp' | 'proxy' = 'vsp'): string | null {
  if (!bench[by].has('failed')) return null;
  const { response } = bench[by].take('failed');
  return response === undefined ? 'no response' : `${response.status} ${response.reason}`;
}

const profile = (change: Partial<ProfileEntry> = {}): ProfileEntry => ({
  id: 'profile',
  accountId: 'acme',
  enabled: true,
  destinations: ['US', 'CA'],
  concurrentCalls: null,
  dailySpendLimit: null,
  maxDestinationRate: null,
  ...change,
});

const acme = { accountId: 'acme', profileId: 'profile' };

const ACME: Partial<FixedPeople> = {
  connections: [
    connection('desk', { ...acme, numbers: ['+13125550100'] }),
    connection('lobby', { ...acme, numbers: ['+13125550101'] }),
    connection('rival', { accountId: 'rival', numbers: ['+13125550200'], sipUriCalling: 'unrestricted' }),
  ],
  accounts: [{ id: 'acme', profileRequired: true }],
  profiles: [profile()],
  trunks: [trunk({ prefixes: ['+', '0'] })],
};

const bench = (change: Partial<FixedPeople> = {}): VoiceBench =>
  new VoiceBench({ identity: people({ ...ACME, ...change }) });

const withDesk = (change: Parameters<typeof connection>[1]): Partial<FixedPeople> => ({
  connections: [
    connection('desk', { ...acme, numbers: ['+13125550100'], ...change }),
    ...ACME.connections!.slice(1),
  ],
});

describe('calls at a time', () => {
  it('of an account: the next one hears 403 D1, and goes through when one has ended', () => {
    const b = bench({ accounts: [{ id: 'acme', concurrentCalls: 2 }] });
    const first = dial(b, 'desk', '9196');
    dial(b, 'lobby', '9196');
    dial(b, 'desk', '9196');
    assert.equal(refusal(b), '403 Account Channel Limit Exceeded D1');
    // A call towards the account is one of it, too.
    callIn(b, '+13125550101');
    assert.equal(refusal(b, 'proxy'), '403 Account Channel Limit Exceeded D1');
    b.vsp.act(b.vsp.agent.bye(first, [], b.now));
    dial(b, 'desk', '9196');
    assert.equal(refusal(b), null);
  });

  it('a call within an account is one call of it', () => {
    const b = bench({ accounts: [{ id: 'acme', concurrentCalls: 1 }] });
    dial(b, 'desk', 'lobby');
    assert.equal(refusal(b), null);
    assert.ok(b.proxy.has('request'));
  });

  it('of a connection, out and in: 403 D3', () => {
    const b = bench(withDesk({ outboundChannelLimit: 1, inboundChannelLimit: 1 }));
    dial(b, 'desk', '9196');
    dial(b, 'desk', '9196');
    assert.equal(refusal(b), '403 Connection Channel Limit Exceeded D3');
    callIn(b, '+13125550100');
    assert.equal(refusal(b, 'proxy'), null);
    dial(b, 'lobby', 'desk');
    assert.equal(refusal(b), '403 Connection Channel Limit Exceeded D3');
  });

  it('of a profile: calls to carriers alone, 403 D2', () => {
    const b = bench({ profiles: [profile({ concurrentCalls: 1 })] });
    dial(b, 'desk', '9196');
    dial(b, 'desk', '+12025550123');
    assert.equal(refusal(b), null);
    dial(b, 'lobby', '+12025550123');
    assert.equal(refusal(b), '403 Outbound Profile Channel Limit Exceeded D2');
  });

  it('are counted by the process that inherits them', () => {
    const b = bench({ accounts: [{ id: 'acme', concurrentCalls: 1 }] });
    dial(b, 'desk', '9196');
    b.restart();
    dial(b, 'lobby', '9196');
    assert.equal(refusal(b), '403 Account Channel Limit Exceeded D1');
  });
});

describe('calls a second', () => {
  it('503 with Retry-After, and then again', () => {
    const b = bench({ accounts: [{ id: 'acme', callsPerSecond: 2 }] });
    dial(b, 'desk', '9196');
    dial(b, 'lobby', '9196');
    dial(b, 'desk', '9196');
    const { response } = b.vsp.take('failed');
    assert.equal(response?.status, 503);
    assert.equal(header(response!, 'Retry-After'), '1');
    // Another account has its own count.
    dial(b, 'rival', '9196');
    assert.equal(refusal(b), null);
    b.advance(1_000);
    dial(b, 'desk', '9196');
    assert.equal(refusal(b), null);
  });
  it('formats-of-disabled-media: an offer that can only be refused is none of them', () => {
    const b = bench({ accounts: [{ id: 'acme', callsPerSecond: 1 }] });
    for (const offer of ['nonsense', sdp('sendrecv', 0)]) {
      dial(b, 'desk', '9196', 'desk', offer);
      assert.match(refusal(b) ?? '', /^488 /);
    }
    dial(b, 'desk', '9196');
    assert.equal(refusal(b), null);
  });
});

describe('where a user may call', () => {
  for (const [dialled, heard] of [
    ['+12025550123', '+12025550123'],
    ['2025550123', '+12025550123'],
    ['0111 416 555 0123'.replaceAll(' ', ''), '+14165550123'],
    // The same digits may not lead elsewhere by another spelling.
    ['+18095550123', '403 Destination Country Not Allowed D13'],
    ['18095550123', '403 Destination Country Not Allowed D13'],
    ['01118095550123', '403 Destination Country Not Allowed D13'],
    ['+8816123456789', '403 Destination Country Not Allowed D13'],
    ['00442079460000', '404 No Route D40'],
    ['0900', '404 No Route D40'],
  ] as const)
    it(`${dialled}: ${heard}`, () => {
      const b = bench();
      dial(b, 'desk', dialled);
      assert.equal(refusal(b) ?? b.proxy.take('incoming').request.uri.user, heard);
    });

  it('nobody without a profile where the account wants one: D38; nobody with one that is disabled: D7', () => {
    const without = bench(withDesk({ profileId: null }));
    dial(without, 'desk', '+12025550123');
    assert.equal(refusal(without), '403 No Outbound Profile D38');
    const off = bench({ profiles: [profile({ enabled: false })] });
    dial(off, 'desk', '+12025550123');
    assert.equal(refusal(off), '403 Outbound Profile Disabled D7');
  });

  it('a number of this platform is rung however it is dialled', () => {
    const b = bench();
    dial(b, 'desk', '3125550101');
    assert.equal(b.proxy.take('request').request.uri.user, 'lobby');
  });
});

describe('the number a carrier is shown', () => {
  const shown = (b: VoiceBench, from: string): string | undefined => {
    dial(b, 'desk', '+12025550123', from);
    return refusal(b) ?? b.proxy.take('incoming').request.headers.from.uri.user;
  };

  it("is the account's: the stated one, or the connection's first", () => {
    assert.equal(shown(bench(), '+13125550100'), '+13125550100');
    assert.equal(shown(bench(), '+13125550101'), '+13125550101');
    assert.equal(shown(bench(), '+13125550200'), '+13125550100');
    assert.equal(shown(bench(), 'desk'), '+13125550100');
  });

  it('is the override, whatever is stated; one that is not ours is refused: D35', () => {
    assert.equal(shown(bench(withDesk({ aniOverride: '+13125550101' })), '+13125550100'), '+13125550101');
    assert.equal(
      shown(bench(withDesk({ aniOverride: '+13125550200' })), '+13125550100'),
      '403 Caller ID Is No Number of the Account D35',
    );
  });

  it('is none without a number of the account: D35', () => {
    assert.equal(
      shown(bench(withDesk({ numbers: [] })), '+13125550999'),
      '403 Caller ID Is No Number of the Account D35',
    );
  });
});

describe('what a connection is told', () => {
  const rung = (b: VoiceBench): string | undefined => {
    bindings(b, 'sip:s@vsp.sidetone.invalid');
    return b.proxy.take('incoming').request.headers.from.uri.user;
  };

  it("the caller's number in its format", () => {
    for (const [aniFormat, told] of [
      ['+E.164', '+12025550123'],
      ['E.164', '12025550123'],
      ['E.164-national', '2025550123'],
    ] as const) {
      const b = bench(withDesk({ aniFormat }));
      callIn(b, '+13125550100', '+12025550123');
      assert.equal(rung(b), told);
    }
  });

  it('of another account: a name or number that is theirs, never one they made up', () => {
    for (const [from, told] of [
      ['desk', 'desk'],
      ['+13125550101', '+13125550101'],
      ['+13125550200', '+13125550100'],
    ] as const) {
      const b = bench();
      dial(b, 'desk', 'rival', from);
      assert.equal(rung(b), told);
    }
  });

  it('rings as long as it says', () => {
    const b = bench(withDesk({ timeout2xxSecs: 20 }));
    dial(b, 'lobby', 'desk');
    bindings(b, 'sip:s@vsp.sidetone.invalid');
    b.advance(19_000);
    assert.equal(refusal(b), null);
    b.advance(2_000);
    assert.match(refusal(b) ?? '', /^480 /);
  });
});

describe('users that are revoked', () => {
  const revoked = (b: VoiceBench, user: string): void => b.tell({ type: 'revoked', users: new Set([user]) });

  it('their calls end, on either side; others live', () => {
    const b = bench();
    const caller = dial(b, 'desk', '9196');
    dial(b, 'lobby', '9196');
    dial(b, 'lobby', 'desk');
    revoked(b, 'desk');
    assert.equal(b.vsp.take('bye').leg, caller);
    assert.deepEqual(
      b.records.map((r) => r.cause),
      ['revoked', 'revoked'],
    );
  });

  it('their calls are not taken over by the next process', () => {
    let now = people({ ...ACME });
    const b = new VoiceBench({ identity: () => now() });
    dial(b, 'desk', '9196');
    now = people({ ...ACME, connections: ACME.connections!.slice(1) });
    b.restart();
    assert.ok(b.vsp.has('bye'));
    assert.equal(b.voice.size.calls, 0);
  });

  it('may not call: 403', () => {
    const b = bench(withDesk({ active: false }));
    dial(b, 'desk', '9196');
    assert.match(refusal(b) ?? '', /^403 /);
  });
});

describe('counting', () => {
  it('holds the sessions that have a leg with a name, in whatever order legs come and go', () => {
    const leg = fc.record({
      session: fc.constantFrom('s', 't', 'u'),
      names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
    });
    fc.assert(
      fc.property(fc.array(leg), fc.array(fc.nat()), (legs, order) => {
        const counters = new Counters();
        const live: (typeof legs)[number][] = [];
        const agree = (): void => {
          for (const name of ['a', 'b', 'c'] as const) {
            const sessions = live.filter(({ names }) => names.includes(name)).map(({ session }) => session);
            assert.equal(counters.of(name), new Set(sessions).size);
          }
        };
        for (const one of legs) {
          counters.add(one.session, one.names);
          live.push(one);
          agree();
        }
        for (let i = 0; live.length > 0; i++) {
          const [gone] = live.splice((order[i] ?? 0) % live.length, 1);
          counters.remove(gone!.session, gone!.names);
          agree();
        }
      }),
    );
  });

  it('a second ago is past', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(400))), (steps) => {
        const rate = new CallRate();
        const begun: [string, number][] = [];
        let now = 0;
        for (const [account, wait] of steps) {
          now += wait;
          const within = begun.filter(([who, at]) => who === account && now - at < 1_000).length;
          assert.equal(rate.of(account, now), within);
          rate.began(account, now);
          begun.push([account, now]);
        }
      }),
    );
  });
});

describe('one-peer-takes-every-place: calls of the platform', () => {
  const full = (limits: { calls: number; callsPerUser: number }): VoiceBench =>
    new VoiceBench({ identity: people(ACME), limits });

  it('a carrier alone has nine tenths of them, and the users find a place', () => {
    const b = full({ calls: 20, callsPerUser: 20 });
    for (let i = 0; i < 18; i++) callIn(b, '+13125550101');
    assert.equal(refusal(b, 'proxy'), null);
    callIn(b, '+13125550101');
    assert.equal(refusal(b, 'proxy'), '503 Service Unavailable');
    dial(b, 'desk', '9196');
    assert.equal(refusal(b), null);
  });

  it('and nine tenths of the media ports, however few calls that are', () => {
    const b = new VoiceBench({ identity: people(ACME), limits: { mediaPorts: 40 } });
    let passed = 0;
    while (refusal(b, 'proxy') === null && passed < 40) {
      callIn(b, '+13125550101');
      passed += 1;
    }
    // Four for each, and the tenth finds 36 held of 40.
    assert.equal(passed, 10);
    dial(b, 'desk', '9196');
    assert.equal(refusal(b), null);
    b.tell({ type: 'drain' });
    assert.equal(b.voice.size.calls, 0);
    callIn(b, '+13125550101');
  });

  it('so has an account', () => {
    const b = full({ calls: 20, callsPerUser: 20 });
    for (let i = 0; i < 18; i++) dial(b, 'desk', '9196');
    assert.equal(refusal(b), null);
    dial(b, 'lobby', '9196');
    assert.equal(refusal(b), '503 Service Unavailable');
    dial(b, 'rival', '9196');
    assert.equal(refusal(b), null);
  });
});

describe('goodput-falls-under-overload: every 503 says when to come back', () => {
  const saysWhen = (b: VoiceBench): void => {
    const { response } = b.vsp.take('failed');
    assert.equal(response?.status, 503);
    assert.match(header(response, 'Retry-After') ?? '', /^([2-9]|10)$/);
  };

  it('too many calls, of the platform or of a user', () => {
    for (const limits of [
      { calls: 1, callsPerUser: 9 },
      { calls: 9, callsPerUser: 1 },
    ]) {
      const b = new VoiceBench({ identity: people(ACME), limits });
      dial(b, 'desk', '9196');
      dial(b, 'desk', '9196');
      saysWhen(b);
    }
  });

  it('no port, and media that is away', () => {
    for (const error of ['no-port', 'engine'] as const) {
      const b = bench();
      b.mediaReply = () => ({ ok: false, error, message: 'x' });
      dial(b, 'desk', '9196');
      saysWhen(b);
    }
  });

  it('a handover, and the end of the process', () => {
    for (const type of ['refuse', 'drain'] as const) {
      const b = bench();
      b.tell({ type });
      dial(b, 'desk', '9196');
      saysWhen(b);
    }
  });

  it('a look-up that failed; not so a carrier that is busy itself', () => {
    const b = bench();
    dial(b, 'desk', 'lobby');
    const asked = b.proxy.take('request');
    const busy = createResponse(asked.request, 503);
    b.tell({ type: 'sip', message: busy, flow: { transport: 'local', node: 'proxy' } });
    saysWhen(b);
    dial(b, 'desk', '+13125550999');
    b.proxy.act(b.proxy.agent.respond(b.proxy.take('incoming').leg, 503, {}, b.now));
    const { response } = b.vsp.take('failed');
    assert.equal(response?.status, 503);
    assert.equal(header(response, 'Retry-After'), undefined);
  });
});
