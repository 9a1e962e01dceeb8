import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LegCommand, REFUSAL, type RefusalName } from '@sidetone/wire';
import { BackEnd, type Party } from './back-end.ts';

/*
 * Which command a leg takes in which state, and by which code of the published API it refuses the others.
 */

type State =
  | 'offered'
  | 'answering'
  | 'up'
  | 'bridged'
  | 'ringing'
  | 'accepting'
  | 'dialled up'
  | 'ending'
  | 'over';

/** Brings a leg into this state. */
const REACH: Readonly<Record<State, (b: BackEnd) => Party>> = {
  offered: (b) => b.parked(),
  answering: (b) => {
    const party = b.parked();
    b.mediaReply = ({ op }) => (op === 'answer' ? null : undefined);
    b.do('answer', party);
    b.mediaReply = () => undefined;
    return party;
  },
  up: (b) => b.talking(),
  bridged: (b) => {
    const party = b.talking();
    b.do('bridge', party, { with: b.up().control });
    return party;
  },
  ringing: (b) => b.dialled(),
  accepting: (b) => {
    const party = b.dialled();
    b.mediaReply = ({ op }) => (op === 'accept' ? null : undefined);
    b.answers(party);
    b.mediaReply = () => undefined;
    return party;
  },
  'dialled up': (b) => b.up(),
  ending: (b) => {
    const party = b.talking();
    b.mediaReply = ({ op }) => (op === 'close' ? null : undefined);
    b.hangsUp(party);
    return party;
  },
  over: (b) => {
    const party = b.talking();
    b.hangsUp(party);
    return party;
  },
};

type Row = readonly [command: LegCommand['type'], more: object, outcome: Readonly<Record<State, string>>];

const same = (
  outcome: string,
  change: Partial<Record<State, string>> = {},
): Readonly<Record<State, string>> => ({
  offered: outcome,
  answering: outcome,
  up: outcome,
  bridged: outcome,
  ringing: outcome,
  accepting: outcome,
  'dialled up': outcome,
  ending: 'ended',
  over: 'ended',
  ...change,
});
const OUTGOING = { ringing: 'outgoing', accepting: 'outgoing', 'dialled up': 'outgoing' };
const EARLY = { offered: 'unanswered', ringing: 'unanswered', accepting: 'unanswered' };

const ROWS: readonly Row[] = [
  ['answer', {}, same('ok', OUTGOING)],
  ['reject', { cause: 'USER_BUSY' }, same('badField', { offered: 'ok' })],
  ['hangup', {}, same('ok')],
  ['setClientState', { clientState: 'aGk=' }, same('ok', { ending: 'ok' })],
  ['transfer', { to: '+15550144' }, same('ok', { ringing: 'unanswered', accepting: 'unanswered' })],
  ['sendDigits', { digits: '1' }, same('ok', EARLY)],
  ['sendInfo', { contentType: 'text/plain', body: 'x' }, same('ok', EARLY)],
];

describe('a command in a state', () => {
  for (const [type, more, outcomes] of ROWS)
    for (const [state, outcome] of Object.entries(outcomes))
      it(`${type} of a leg that is ${state}: ${outcome}`, () => {
        const b = new BackEnd();
        const party = REACH[state as State](b);
        const command = { type, account: 'default', control: party.control, ...more } as LegCommand;
        if (outcome === 'ok') b.ok(command);
        else assert.equal(b.refusal(command), outcome);
        b.clean();
      });

  for (const [state, outcome] of Object.entries(same('ok')))
    it(`bridge of a leg that is ${state} with one that is up: ${outcome}; and the other way round`, () => {
      for (const turned of [false, true]) {
        const b = new BackEnd();
        const party = REACH[state as State](b);
        const other = b.up();
        const [one, two] = turned ? [other, party] : [party, other];
        const field = turned ? ' call_control_id' : '';
        if (outcome === 'ok') b.do('bridge', one, { with: two.control });
        else assert.equal(b.tries('bridge', one, { with: two.control }), `${outcome}${field}`);
        b.clean();
      }
    });
});

describe('what is refused, by the codes of the published API', () => {
  const code = (why: string): string => REFUSAL[why.split(' ')[0] as RefusalName].code;

  it('nobody is there, or somebody of another account: 90015, whatever the command', () => {
    const b = new BackEnd();
    const own = b.talking();
    const theirs = b.parked('line4');
    for (const control of ['v3:nobody', theirs.control, '']) {
      for (const [type, more] of [...ROWS, ['bridge', { with: own.control }] as const]) {
        const why = b.tries(type, { control }, more);
        assert.equal(code(why), '90015', type);
      }
      assert.equal(b.tries('bridge', own, { with: control }), 'unknownLeg call_control_id');
      assert.equal(b.refusal(b.dialCommand({ link: control })), 'unknownLeg link_to');
    }
    // The same words: nobody learns that a foreign leg is there.
    const words = ['v3:nobody', theirs.control].map((control) =>
      b.command({ type: 'hangup', account: 'default', control }),
    );
    assert.deepEqual(words[0], words[1]);
    b.givesUp(b.parked('line4'));
    const gone = b.news.findLast(({ what }) => what.type === 'hangup')!.leg;
    assert.equal(b.tries('hangup', gone), 'unknownLeg', 'over, and foreign');
    b.clean();
  });

  it('a connection or application of another account, or none: 10017', () => {
    const b = new BackEnd();
    for (const name of ['1904', 'line4', '7777', ''])
      assert.equal(b.refusal(b.dialCommand({ connection: name })), 'badAssociation connection_id');
    assert.equal(code('badAssociation'), '10017');
  });

  for (const [named, command, why, number] of [
    [
      'text that is no base64',
      { type: 'answer', clientState: 'hi!' },
      'badClientState client_state',
      '90017',
    ],
    ['a client state that is not said', { type: 'setClientState' }, 'missing client_state', '10004'],
    ['a bridge with itself', { type: 'bridge' }, 'badField call_control_id', '10015'],
    ['a transfer to a service of ours', { type: 'transfer', to: '9196' }, 'badField to', '10015'],
  ] as const)
    it(`${named}: ${number}`, () => {
      const b = new BackEnd();
      const party = b.parked();
      const { type, ...more } = command;
      const itself = type === 'bridge' ? { with: party.control } : {};
      assert.equal(b.tries(type, party, { ...more, ...itself }), why);
      assert.equal(code(why), number);
      b.clean();
    });

  it('two that both ring have nobody who waits: 90034', () => {
    const b = new BackEnd();
    const [one, two] = [b.dialled(), b.dialled()];
    assert.equal(b.tries('bridge', one, { with: two.control }), 'unanswered');
    assert.equal(code('unanswered'), '90034');
    b.clean();
  });

  it('who is bridged, when it must not be twice, either way round', () => {
    const b = new BackEnd();
    const [one, two, third] = [b.talking(), b.up(), b.up()];
    b.do('bridge', one, { with: two.control });
    for (const [leg, other] of [
      [third, one],
      [two, third],
    ] as const)
      assert.equal(
        b.tries('bridge', leg, { with: other.control, preventDouble: true }),
        'badField prevent_double_bridge',
      );
    b.pair(one, two);
    b.do('bridge', two, { with: one.control, preventDouble: true });
    b.pair(one, two);
    b.clean();
  });
});

describe('a repeated command changes nothing', () => {
  it('answer twice: one 200, one event', () => {
    const b = new BackEnd();
    const w = b.talking();
    b.do('answer', w);
    assert.equal(b.vsp.has('accepted'), false);
    assert.deepEqual(b.of(w), ['initiated', 'answered']);
    b.clean();
  });

  it('the bridge that is there', () => {
    const b = new BackEnd();
    const [w, p] = [b.talking(), b.up()];
    b.do('bridge', w, { with: p.control });
    const media = b.media.length;
    b.do('bridge', p, { with: w.control });
    assert.equal(b.media.length, media);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
    assert.deepEqual(b.of(p), ['initiated', 'answered', 'bridged']);
    b.clean();
  });
});
