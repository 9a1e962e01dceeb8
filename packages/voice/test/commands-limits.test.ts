import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFUSAL } from '@sidetone/wire';
import { application, BACK_ENDS, BackEnd, WEBHOOK } from './back-end.ts';
import { connection, people } from './voice-bench.ts';

const PROFILE = {
  id: 'profile',
  accountId: 'default',
  enabled: true,
  destinations: ['US'],
  concurrentCalls: null,
  dailySpendLimit: null,
  maxDestinationRate: null,
};

type Change = Partial<Parameters<typeof people>[0]>;
const bench = (change: Change, more: object = {}): BackEnd =>
  new BackEnd({ identity: people({ ...BACK_ENDS, ...change }), ...more });

/** A number of the account, in a country that may be called. */
const TO = { to: ['+13125550122'], from: '+13125550190' };

describe('dial above a limit is refused at once', () => {
  const ROWS: readonly (readonly [string, Change, keyof typeof REFUSAL, string])[] = [
    ['of the account', { accounts: [{ id: 'default', concurrentCalls: 1 }] }, 'accountFull', '90041'],
    [
      'of the outbound profile',
      {
        profiles: [{ ...PROFILE, concurrentCalls: 1 }],
        applications: [application('1900', { profileId: 'profile', numbers: ['+13125550190'] })],
      },
      'profileFull',
      '90042',
    ],
    [
      'of the application',
      { applications: [application('1900', { outboundChannelLimit: 1, numbers: ['+13125550190'] })] },
      'connectionFull',
      '90043',
    ],
  ];
  for (const [what, change, why, code] of ROWS)
    it(`${what}: ${code}; and is taken again when a call is over`, () => {
      const b = bench(change);
      const p = b.up(TO);
      assert.equal(b.refusal(b.dialCommand(TO)), why);
      assert.equal(REFUSAL[why].code, code);
      assert.equal(REFUSAL[why].status, 422);
      b.hangsUp(p);
      b.up(TO);
      b.clean();
    });

  it('a leg of the same session is no further call', () => {
    const b = bench({ accounts: [{ id: 'default', concurrentCalls: 1 }] });
    const w = b.talking();
    const p = b.up({ link: w.control });
    b.do('bridge', p, { with: w.control });
    b.pair(w, p);
    assert.equal(b.refusal(b.dialCommand()), 'accountFull', 'without the link it is one');
    b.do('transfer', w, { to: '+15550144' });
    b.answers(b.transferred());
    b.clean();
  });

  it('but no limit is passed by legs of one session', () => {
    const b = bench({ accounts: [{ id: 'default', concurrentCalls: 1 }] });
    const w = b.talking();
    for (let i = 0; i < 7; i++) b.dialled({ link: w.control });
    assert.equal(b.refusal(b.dialCommand({ link: w.control })), 'accountFull');
    b.clean();
  });

  it('a handover, a drain, a full platform: 503, to be tried again', () => {
    for (const closing of ['refuse', 'full'] as const) {
      const b = closing === 'full' ? bench({}, { limits: { calls: 0 } }) : bench({});
      if (closing === 'refuse') b.tell({ type: 'refuse' });
      assert.equal(b.refusal(b.dialCommand()), 'busy');
      assert.equal(REFUSAL.busy.status, 503);
      b.clean();
    }
  });

  it('during a handover the legs that are there are commanded on', () => {
    const b = bench({});
    const [w, p] = [b.talking(), b.up()];
    b.tell({ type: 'refuse' });
    assert.equal(b.tries('transfer', w, { to: '+15550144' }), 'busy');
    b.do('bridge', p, { with: w.control });
    b.pair(w, p);
    b.do('hangup', w);
    b.clean();
  });

  it('more calls a second than the account may begin: 503', () => {
    const b = bench({ accounts: [{ id: 'default', callsPerSecond: 2 }] });
    b.dialled();
    b.dialled();
    assert.equal(b.refusal(b.dialCommand()), 'busy');
    b.advance(1_001);
    b.dialled();
    b.clean();
  });

  it('and so are calls that ring nobody: they begin and end, and count among the others', () => {
    const b = bench({ accounts: [{ id: 'default', callsPerSecond: 3 }] });
    const nobody = b.dialCommand({ to: ['nobody'] });
    const w = b.talking();
    for (let i = 0; i < 2; i++) {
      const ids = b.ok(nobody)!;
      assert.deepEqual(b.of(ids), ['initiated', 'hangup']);
    }
    assert.equal(b.refusal(nobody), 'busy');
    assert.equal(b.refusal(b.dialCommand()), 'busy');
    assert.equal(b.tries('transfer', w, { to: 'nobody' }), 'busy');
    b.advance(1_001);
    b.do('transfer', w, { to: 'nobody' });
    b.ok(nobody);
    b.dialled();
    assert.equal(b.refusal(nobody), 'busy');
    b.clean();
  });

  it('a country that the profile bars, no profile where one is needed, a number of somebody else: 403', () => {
    const rows: readonly [Change, object][] = [
      [
        {
          profiles: [PROFILE],
          applications: [application('1900', { profileId: 'profile', numbers: ['+13125550190'] })],
        },
        { ...TO, to: ['+4915112345678'] },
      ],
      [{ accounts: [{ id: 'default', profileRequired: true }] }, TO],
      [
        {
          accounts: [{ id: 'default', profileRequired: true }],
          profiles: [PROFILE],
          applications: [application('1900', { profileId: 'profile', numbers: ['+13125550190'] })],
        },
        { ...TO, from: '+12025550166' },
      ],
    ];
    for (const [change, more] of rows) {
      const b = bench(change);
      assert.match(b.refusal(b.dialCommand(more)), /^forbidden/);
      assert.equal(REFUSAL.forbidden.status, 403);
      b.clean();
    }
  });
});

describe('parking is bounded', () => {
  const parkedFor = (b: BackEnd): void => {
    const w = b.parked();
    b.advance(179_000);
    assert.ok(b.isAlive(w));
    b.advance(2_000);
    assert.equal(b.hangup(w), 'timeout 487 unknown');
    b.vsp.take('failed');
    b.clean();
  };

  it('an abandoned client is let go after 180 s', () => parkedFor(new BackEnd()));

  it('with a ring tone of ours, too', () => {
    const b = bench({
      connections: [connection('line1', { parking: true, webhook: WEBHOOK, ringback: 'tone' })],
    });
    parkedFor(b);
    assert.ok(b.media.some(({ op }) => op === 'answer'));
  });

  it('over restarts a parked client has ended, and is told so', () => {
    const b = new BackEnd();
    const w = b.parked();
    b.restart();
    assert.deepEqual(b.of(w), ['initiated', 'hangup']);
    b.clean();
  });

  it('a transfer that fails begins the time anew; one that goes on is not cut off by it', () => {
    const b = new BackEnd();
    const w = b.parked();
    b.advance(170_000);
    b.do('transfer', w, { to: '+15550144' });
    const p = b.transferred();
    b.advance(20_000);
    assert.ok(b.isAlive(w));
    b.answers(p, 486);
    b.advance(170_000);
    assert.ok(b.isAlive(w));
    b.advance(11_000);
    assert.equal(b.hangup(w), 'timeout 487 unknown');
    b.clean();
  });

  it('it counts against the connection it calls by', () => {
    const b = bench({
      connections: [connection('line1', { parking: true, webhook: WEBHOOK, outboundChannelLimit: 1 })],
    });
    const w = b.parked();
    assert.equal(b.parked().leg, w.leg, 'the second one is no leg that anybody is told of');
    assert.match(b.vsp.take('failed').response?.reason ?? '', /D3/);
    b.givesUp(w);
    b.parked();
    b.clean();
  });
});
