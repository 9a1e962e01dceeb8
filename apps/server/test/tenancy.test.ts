import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { OPERATIONS } from '../src/api/app.ts';
import { ApiBench } from './drive/api.ts';
import { madeEvent } from './drive/events.ts';
import { until } from './drive/running.ts';

const OBJECTS = 60;
const PROBES = 12_000;

/** Accounts are strangers to each other: whatever one asks about an object of another, the answer is that of an id that nobody has. */
describe('accounts', () => {
  let bench: ApiBench;
  let owner: { id: string; key: string };
  let stranger: { id: string; key: string };
  /** Ids and names of the owner's objects: what must not be told. */
  const secrets: string[] = [];
  const ids: Record<string, string[]> = {
    connection: [],
    credential: [],
    number: [],
    profile: [],
    application: [],
    delivery: [],
  };

  before(async () => {
    bench = await ApiBench.open();
    owner = await bench.account('owner');
    stranger = await bench.account('stranger');
    const make = async (kind: string, path: string, body: object): Promise<Record<string, string>> => {
      const { data } = (await bench.ask(owner.key, 'POST', path, body)).body;
      ids[kind]!.push(data.id);
      return data;
    };
    for (let i = 0; i < OBJECTS; i++) {
      const profile = await make('profile', '/outbound_voice_profiles', { name: `secret profile ${i}` });
      const connection = await make('connection', '/credential_connections', {
        connection_name: `secret connection ${i}`,
        user_name: `secretuser${i}`,
        password: `secret password ${i}`,
        outbound: { outbound_voice_profile_id: profile['id'] },
      });
      const credential = await make('credential', '/telephony_credentials', {
        connection_id: connection['id'],
      });
      secrets.push(credential['sip_username']!, credential['sip_password']!);
      await make('application', '/call_control_applications', {
        application_name: `secret application ${i}`,
        webhook_event_url: 'https://secret.example/hook',
      });
      const event = madeEvent({ account: owner.id, leg: `secret leg ${i}` });
      bench.events.save({ kind: 'event', event });
      ids['delivery']!.push(event.id);
      ids['number']!.push(await bench.number(owner.id, `+1312555${2000 + i}`));
    }
    await until('the events are written', () => bench.events.state.waiting === 0);
    secrets.push(...Object.values(ids).flat(), 'secret', '+13125552', owner.id);
  });
  after(() => bench.close());

  const withId = OPERATIONS.filter((row) => row.path.includes('{id}'));
  const probe = (row: (typeof OPERATIONS)[number], id: string, body: unknown) =>
    bench.ask(stranger.key, row.method, row.path.replace('{id}', encodeURIComponent(id)), body);
  const bodies = fc.oneof(
    fc.constant({}),
    fc.record({
      active: fc.boolean(),
      name: fc.string({ minLength: 3, maxLength: 20, unit: 'grapheme-ascii' }),
    }),
    fc.record({ account: fc.constant('x'), id: fc.uuid(), connection_name: fc.constant('mine') }),
  );

  it(`see nothing of each other: ${PROBES} probes of every object and verb with a foreign key`, async () => {
    const revision = (await bench.service.store.load(0)).revision;
    // Conferences are the call brain's, which knows them by account; here there is none.
    bench.calls.refusal = {
      why: 'unknownConference',
      detail: 'There is no conference of this id, or no more.',
    };
    const blank = (await bench.ask(stranger.key, 'GET', '/credential_connections/1')).text;
    const all = Object.values(ids).flat();
    const cases = fc.sample(fc.tuple(fc.nat(withId.length - 1), fc.nat(all.length - 1), bodies), {
      numRuns: PROBES,
      seed: 4,
    });
    for (const [rowAt, idAt, body] of cases) {
      const row = withId[rowAt]!;
      const answer = await probe(row, all[idAt]!, body);
      // A body is looked at before the object, so a bad one is refused in the same words for any id.
      if (answer.status === 422) {
        const nobody = await probe(row, randomUUID(), body);
        assert.equal(answer.text, nobody.text);
        continue;
      }
      // Of what is named by calls, not by objects, the API has words of its own for what is not there.
      const words = answer.text === blank ? blank : (await probe(row, randomUUID(), body)).text;
      assert.deepEqual([answer.status, answer.text], [404, words], `${row.method} ${row.path}`);
    }
    bench.calls.refusal = undefined;
    assert.equal((await bench.service.store.load(0)).revision, revision);
  });

  it('cannot refer to foreign objects, nor find them in lists, filters and cursors', async () => {
    const mine = await bench.ask(stranger.key, 'POST', '/credential_connections', {
      connection_name: 'mine',
      user_name: 'strangers',
      password: 'a password',
    });
    const own = await bench.number(stranger.id, '+13125559999');
    for (let i = 0; i < OBJECTS; i++) {
      const profile = { outbound: { outbound_voice_profile_id: ids['profile']![i] } };
      for (const [method, path, foreign, nobody] of [
        ['POST', '/telephony_credentials', { connection_id: ids['connection']![i] }, { connection_id: '1' }],
        ['PATCH', `/phone_numbers/${own}`, { connection_id: ids['connection']![i] }, { connection_id: '1' }],
        ['PATCH', `/phone_numbers/${own}`, { connection_id: ids['application']![i] }, { connection_id: '1' }],
        [
          'PATCH',
          `/credential_connections/${mine.body.data.id}`,
          profile,
          { outbound: { outbound_voice_profile_id: '1' } },
        ],
      ] as const) {
        const answer = await bench.ask(stranger.key, method, path, foreign);
        const other = await bench.ask(stranger.key, method, path, nobody);
        assert.deepEqual([answer.status, answer.text], [422, other.text]);
      }
    }
    for (const row of OPERATIONS.filter((r) => r.answer.form === 'list')) {
      for (const query of [
        'page[size]=250',
        `page[after]=${ids['connection']![0]}&page[limit]=250`,
        `page[before]=${ids['profile']![1]}`,
        `filter[resource_id]=connection:${ids['connection']![0]}`,
        'filter[connection_name][contains]=secret',
        `filter[account]=${owner.id}`,
        'filter[leg_id]=secret leg 1',
        'filter[webhook][contains]=secret',
        `page[after]=${ids['delivery']![0]}`,
      ]) {
        const { text } = await bench.ask(stranger.key, 'GET', `${row.path}?${query}`);
        for (const secret of secrets)
          assert.ok(!text.includes(secret), `${row.path}?${query} tells ${secret}`);
      }
    }
    const status = await bench.ask(stranger.key, 'GET', '/sip_registration_status?username=secretuser1');
    assert.equal(status.status, 404);
  });
});
