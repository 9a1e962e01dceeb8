import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { needs } from './src/peer-availability.ts';
import { runRow } from './voice/column.ts';
import { conforms, EVENTS } from './voice/contract.ts';
import { ROWS } from './voice/rows.ts';
import { House, Stage } from './voice/stage.ts';

/** Some rows of the table that `npm run conformance:voice` prints whole, with the newest of its packages. */
const SMOKE = [
  'Pattern 1, answered first, called by 2.27.10',
  'Pattern 1, bridged without an answer, called by ours',
  'Pattern 1, bridge_on_answer, the caller ringing, called by ours',
  'a call to a number of the application, an agent with 2.27.10',
  'Pattern 2: a queue with music, an agent with ours takes the caller',
  'transfer: to somebody busy, the caller stays; then to a browser, with sound',
  'playback_start to a leg of a bridge: heard by that party, who is heard all the while; then the other again',
  'gather: digits of a browser, a terminating digit; a time-out; gather_stop',
  'gather_using_audio: a wrong digit is told so, a right one cuts the prompt off',
  'a conference of three: each hears the others; mute, hold, a sound for all, leave',
  'a supervisor changes its role; the end of the bridge is its end',
  'record_start, dual WAV, of a leg in a bridge: its party on one channel, the other side on the second; record_stop',
] as const;

describe('the contract of webhooks', () => {
  const page = readFileSync(new URL('../docs/webhooks.md', import.meta.url), 'utf8');
  const table = page.split('| `event_type` |')[1]!.split('\n\n')[0]!;
  const named = (cell: string): string[] => [...cell.matchAll(/`([\w.]+)[`:]/g)].map(([, name]) => name!);

  it('has the events of docs/webhooks.md, with their fields', () => {
    const documented = new Map<string, readonly string[]>();
    let before: readonly string[] = [];
    for (const row of table.split('\n').slice(2)) {
      const [events, more] = row.split('|').slice(1);
      // What stands in parentheses is values.
      const fields = named(more!.replace(/\([^)]*\)/g, ''));
      const all = more!.includes('the same') ? [...before, ...fields] : fields;
      for (const name of named(events!)) documented.set(name, all);
      before = all;
    }
    const plain = (fields: object): string[] => Object.keys(fields).map((name) => name.replace('?', ''));
    assert.deepEqual(Object.keys(EVENTS).toSorted(), [...documented.keys()].toSorted());
    for (const [name, fields] of Object.entries(EVENTS))
      assert.deepEqual(plain(fields).toSorted(), documented.get(name)!.toSorted(), name);
  });

  const payload = {
    call_control_id: 'v3:x',
    call_leg_id: '0ccc7b54-4df3-4bca-a65a-3da1ecc777f0',
    call_session_id: '0ccc7b54-4df3-4bca-a65a-3da1ecc777f1',
    connection_id: '1900',
    client_state: null,
    from: '+13125550100',
    to: '+13125550101',
    calling_party_type: 'sip',
    digit: '5',
  };
  const event = (more: object = {}, type = 'call.dtmf.received'): object => ({
    data: {
      record_type: 'event',
      event_type: type,
      id: payload.call_leg_id,
      occurred_at: '2026-11-30T06:40:00.123456Z',
      payload: { ...payload, ...more },
    },
    meta: { attempt: 1, delivered_to: 'https://app.example/hook' },
  });

  it('takes what is as documented, and nothing that is missing, wrong or more', () => {
    conforms(event());
    for (const [field, value] of [
      ['from', undefined],
      ['client_state', undefined],
      ['connection_id', 1900],
      ['digit', '55'],
      ['peer', 'v3:y'],
    ] as const)
      assert.throws(() => conforms(event({ [field]: value })), new RegExp(field));
    assert.throws(() => conforms(event({}, 'call.parked')), /no documented event/);
  });
});

describe('the Voice API, in short: telnyx 7.24.0', { ...needs('chromium', 'sipp'), timeout: 240_000 }, () => {
  let house: House;
  let stage: Stage;
  before(async () => {
    house = await House.open();
    stage = await Stage.open(house, '7.24.0');
  });
  after(async () => {
    await stage?.close();
    await house?.close();
  });

  for (const name of SMOKE)
    it(name, async () => {
      const row = ROWS.find((one) => one.name === name);
      assert.ok(row !== undefined, 'there is such a row');
      const { cell, why } = await runRow(stage, row);
      assert.equal(cell, 'pass', why);
    });
});
