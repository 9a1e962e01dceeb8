import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackEnd, type Party } from './back-end.ts';

/*
 * How a back end is told that a leg is over: cause, SIP status, and who ended it. The side that placed a leg is its caller; of a leg that we
 * called the platform is.
 */

type Row = readonly [what: string, told: string, run: (b: BackEnd) => Party];

const refused =
  (status: number) =>
  (b: BackEnd): Party => {
    const p = b.dialled();
    b.answers(p, status);
    return p;
  };

const ROWS: readonly Row[] = [
  ...([480, 408] as const).map((s): Row => [`${s}`, `no_answer ${s} callee`, refused(s)]),
  ...([486, 600] as const).map((s): Row => [`${s}`, `user_busy ${s} callee`, refused(s)]),
  ...([603, 403] as const).map((s): Row => [`${s}`, `call_rejected ${s} callee`, refused(s)]),
  // A challenge that nobody can answer is a refusal.
  ...([401, 407] as const).map((s): Row => [`${s}`, 'call_rejected 403 callee', refused(s)]),
  ...([404, 484, 604] as const).map((s): Row => [`${s}`, `not_found ${s} callee`, refused(s)]),
  ...([488, 420, 606] as const).map((s): Row => [`${s}`, `unspecified ${s} callee`, refused(s)]),
  ['500', 'unspecified 500 callee', refused(500)],
  [
    'the caller gives up',
    'originator_cancel 487 caller',
    (b) => {
      const w = b.parked();
      b.givesUp(w);
      return w;
    },
  ],
  [
    'nobody answers in time',
    'timeout 487 unknown',
    (b) => {
      const p = b.dialled({ ringMs: 5_000 });
      b.advance(5_100);
      return p;
    },
  ],
  [
    'who rings is hung up',
    'originator_cancel 487 unknown',
    (b) => {
      const p = b.dialled();
      b.do('hangup', p);
      b.answers(p, 487);
      return p;
    },
  ],
  [
    'the longest time is over',
    'time_limit 200 unknown',
    (b) => {
      const p = b.up({ limitMs: 60_000 });
      b.advance(60_100);
      return p;
    },
  ],
  [
    'rejected',
    'call_rejected 603 unknown',
    (b) => {
      const w = b.parked();
      b.do('reject', w, { cause: 'CALL_REJECTED' });
      return w;
    },
  ],
  [
    'rejected as busy',
    'user_busy 486 unknown',
    (b) => {
      const w = b.parked();
      b.do('reject', w, { cause: 'USER_BUSY' });
      return w;
    },
  ],
  [
    'hung up before its answer',
    'call_rejected 603 unknown',
    (b) => {
      const w = b.parked();
      b.do('hangup', w);
      return w;
    },
  ],
  [
    'BYE of who called',
    'normal_clearing 200 caller',
    (b) => {
      const w = b.talking();
      b.hangsUp(w);
      return w;
    },
  ],
  [
    'BYE of who was called',
    'normal_clearing 200 callee',
    (b) => {
      const p = b.up();
      b.hangsUp(p);
      return p;
    },
  ],
  [
    'BYE with the cause of a fault, which is the peer’s word',
    'normal_clearing 200 callee',
    (b) => {
      const p = b.up();
      b.hangsUp(p, [['Reason', 'Q.850;cause=38;text="NETWORK_OUT_OF_ORDER"']]);
      return p;
    },
  ],
  [
    'hung up by command',
    'normal_clearing 200 unknown',
    (b) => {
      const p = b.up();
      b.do('hangup', p);
      return p;
    },
  ],
  [
    'media fails',
    'unspecified unspecified unknown',
    (b) => {
      const w = b.talking();
      b.tell({ type: 'mediaEvent', event: { event: 'failed', leg: w.leg, why: 'ice' } });
      return w;
    },
  ],
  [
    'the client is not there',
    'no_answer 480 unknown',
    (b) => {
      const ids = b.ok(b.dialCommand({ to: ['sip:line2@sip.localhost'] }))!;
      b.bound([], 480);
      return { ...ids, far: b.proxy, dialog: '' };
    },
  ],
  [
    'nobody has that name',
    'not_found 404 unknown',
    (b) => {
      const ids = b.ok(b.dialCommand({ to: ['sip:nobody@sip.localhost'] }))!;
      return { ...ids, far: b.proxy, dialog: '' };
    },
  ],
];

describe('the cause of a hang-up', () => {
  for (const [what, told, run] of ROWS)
    it(`${what}: ${told}`, () => {
      const b = new BackEnd();
      const party = run(b);
      assert.equal(b.hangup(party), told);
      b.clean();
    });

  it('who hung up, as the other one is told: each leg has its own caller', () => {
    const rows: readonly [(b: BackEnd) => [Party, Party], string, string][] = [
      // Called us, and called: the caller of both has hung up.
      [(b) => [b.talking(), b.up()], 'caller', 'caller'],
      [(b) => [b.up(), b.talking()], 'callee', 'callee'],
      // Both called us: of the other one it is the far side.
      [(b) => [b.talking(), b.talking(b.arrived())], 'caller', 'callee'],
      [(b) => [b.up(), b.up()], 'callee', 'caller'],
    ];
    for (const [who, own, others] of rows) {
      const b = new BackEnd();
      const [one, other] = who(b);
      b.do('bridge', one, { with: other.control });
      b.hangsUp(one);
      assert.equal(b.hangup(one), `normal_clearing 200 ${own}`);
      assert.equal(b.hangup(other), `normal_clearing 200 ${others}`);
      b.clean();
    }
  });
});

describe('direction, state and party of a new leg', () => {
  const first = (b: BackEnd, { leg }: Pick<Party, 'leg'>): string => {
    const { what, leg: about } = b.news.find(({ lane }) => lane === leg)!;
    assert.ok(what.type === 'initiated');
    return `${about.direction} ${what.state} ${about.party}`;
  };

  it('from a trunk to a number of an application: incoming, parked', () => {
    const b = new BackEnd();
    const c = b.arrived();
    assert.equal(first(b, c), 'incoming parked pstn');
    assert.equal(b.last(c).leg.connection, '1900');
    b.clean();
  });

  it('from a client whose connection parks: outgoing, parked', () => {
    const b = new BackEnd();
    const w = b.parked();
    assert.equal(first(b, w), 'outgoing parked sip');
    assert.equal(b.last(w).leg.connection, 'line1');
    b.clean();
  });

  it('dialled by us, a carrier or a client: outgoing, bridging, never parked', () => {
    const b = new BackEnd();
    assert.equal(first(b, b.dialled()), 'outgoing bridging pstn');
    const ids = b.ok(b.dialCommand({ to: ['sip:line2@sip.localhost'] }))!;
    assert.equal(first(b, ids), 'outgoing bridging sip');
    b.bound([], 480);
    const w = b.parked();
    b.do('transfer', w, { to: '+15550144' });
    assert.equal(first(b, b.transferred()), 'outgoing bridging pstn');
    b.clean();
  });
});
