import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { RecordingResult, RecordingToSave } from '@sidetone/wire';
import { fetchRecording } from '../src/recordings/fetch.ts';
import { ApiBench } from './drive/api.ts';
import { recorded, toneIn, toSave } from './drive/recorded.ts';

describe('recordings in the API', () => {
  let bench: ApiBench;
  let mine: { id: string; key: string };
  let theirs: { id: string; key: string };
  before(async () => {
    bench = await ApiBench.open();
    mine = await bench.account('default');
    theirs = await bench.account('other');
  });
  after(() => bench.close());

  async function make(account: string, more: Partial<RecordingToSave> = {}): Promise<string> {
    const id = randomUUID();
    const file = recorded(bench.people.dir, id, 8000, [toneIn(8000, 440, 0, 500, 0)]);
    const recording = toSave(file, { account, ...more });
    const result = await new Promise<RecordingResult>((done) => bench.recordings.save(id, recording, done));
    assert.ok(result.ok);
    bench.people.now += 1000;
    return id;
  }

  const ids = async (key: string, query = ''): Promise<string[]> => {
    const { status, body, text } = await bench.ask(key, 'GET', `/recordings${query}`);
    assert.equal(status, 200, text);
    return body.data.map(({ id }: { id: string }) => id);
  };

  it('are listed by what is asked for, the latest first, page by page, to their account alone', async () => {
    const one = await make(mine.id, { leg: 'l1', control: 'v3:one' });
    const two = await make(mine.id, { leg: 'l2', session: 's2', startedAt: 1_700_000_100_000 });
    const three = await make(mine.id, { leg: null, control: null, conference: 'c1', from: 'sip:ann@x' });
    const foreign = await make(theirs.id);
    assert.deepEqual(await ids(mine.key), [three, two, one]);
    assert.deepEqual(await ids(theirs.key), [foreign]);
    for (const [query, wanted] of [
      ['?filter[call_leg_id]=l1', [one]],
      ['?filter[call_control_id]=v3:one', [one]],
      ['?filter[call_session_id]=s2', [two]],
      ['?filter[conference_id]=c1', [three]],
      ['?filter[from]=sip:ann@x&filter[connection_id]=1900', [three]],
      ['?filter[start_time][gte]=2023-11-14T22:14:00Z', [two]],
      ['?filter[end_time][lte]=2000-01-01T00:00:00Z', []],
      ['?filter[call_leg_id]=nobody', []],
      ['?page[size]=1&page[number]=2', [two]],
      [`?page[limit]=2&page[after]=${three}`, [two, one]],
    ] as const)
      assert.deepEqual(await ids(mine.key, query), wanted, query);
    const bad = await bench.ask(mine.key, 'GET', '/recordings?filter[created_at][gte]=yesterday');
    assert.equal(bad.status, 422, bad.text);
    const { body } = await bench.ask(mine.key, 'GET', '/recordings?page[size]=2');
    assert.deepEqual(body.meta, { page_number: 1, page_size: 2, total_pages: 2, total_results: 3 });
  });

  it('have a fresh link whenever they are asked for, and are nobody else’s', async () => {
    const id = await make(mine.id, { channels: 1 });
    const first = (await bench.ask(mine.key, 'GET', `/recordings/${id}`)).body.data;
    assert.deepEqual(
      [first.record_type, first.status, first.source, first.channels, first.duration_millis],
      ['recording', 'completed', 'call', 'single', 500],
    );
    bench.people.now += 700_000;
    const get = (url: string): Promise<Response> =>
      fetchRecording(bench.recordings, new Request(url), bench.people.now);
    assert.equal((await get(first.download_urls.wav)).status, 410);
    const second = (await bench.ask(mine.key, 'GET', `/recordings/${id}`)).body.data;
    assert.equal((await get(second.download_urls.wav)).status, 200);
    for (const [method, path] of [
      ['GET', `/recordings/${id}`],
      ['DELETE', `/recordings/${id}`],
      ['GET', '/recordings/nothing'],
      ['DELETE', `/recordings/${randomUUID()}`],
    ] as const)
      assert.equal((await bench.ask(theirs.key, method, path)).status, 404, `${method} ${path}`);
    assert.equal(
      (await bench.ask(theirs.key, 'POST', '/recordings/actions/delete', { ids: [id] })).status,
      200,
    );
    assert.equal((await get(second.download_urls.wav)).status, 200);
  });

  it('are deleted with their files, one or several', async () => {
    const [one, two, three] = [await make(mine.id), await make(mine.id), await make(mine.id)];
    const { status, body } = await bench.ask(mine.key, 'DELETE', `/recordings/${one}`);
    assert.deepEqual([status, body.data.id], [200, one]);
    const url = body.data.download_urls.wav as string;
    assert.equal((await fetchRecording(bench.recordings, new Request(url), bench.people.now)).status, 404);
    assert.equal((await bench.ask(mine.key, 'DELETE', `/recordings/${one}`)).status, 404);
    const several = await bench.ask(mine.key, 'POST', '/recordings/actions/delete', {
      ids: [two, one, three],
    });
    assert.deepEqual(several.body, { status: 'ok' });
    for (const id of [two, three])
      assert.equal((await bench.ask(mine.key, 'GET', `/recordings/${id}`)).status, 404);
    for (const ids of [[], Array(101).fill('x'), 'x', [5], undefined])
      assert.equal((await bench.ask(mine.key, 'POST', '/recordings/actions/delete', { ids })).status, 422);
  });
});
