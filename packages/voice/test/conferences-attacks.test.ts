import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { carrierAnswers, dialIt, ok } from './command-rig.ts';
import { about, Hall } from './conference-rig.ts';

/* What unlucky back ends, and deaths of the process, do to conferences. */

describe('a conference with somebody who still rings', () => {
  for (const earlyMedia of [true, false])
    it(`ends softly, early media ${earlyMedia}: who rings is not parked with the others`, () => {
      const h = new Hall();
      const [a, b] = [h.client(), h.client()];
      const room = h.create(a);
      h.join(room, b, { softEndOnExit: true });
      const { control } = ok(h.b, dialIt(a.control, { conference: { conference: room, earlyMedia } }))!;
      h.do({ type: 'leaveConference', ...about, conference: room, control: b.control });
      assert.equal(h.status(room), 'completed');
      carrierAnswers(h.b);
      assert.deepEqual(
        [a.control, b.control, control].map((one) => h.b.voice.legOf(one)?.alive),
        [true, true, false],
      );
    });
});

describe('a conference of a process that died', () => {
  it('ends when nobody is there any more: who rang is gone', () => {
    const h = new Hall();
    const a = h.client();
    const room = h.create(a);
    ok(h.b, dialIt(a.control, { conference: { conference: room } }));
    h.do({ type: 'leaveConference', ...about, conference: room, control: a.control });
    assert.equal(h.status(room), 'in_progress');
    h.b.restart();
    assert.equal(h.status(room), 'completed');
  });

  it('ends when nothing can be read of its legs', () => {
    const h = new Hall();
    const room = h.create(h.client());
    for (const key of h.b.journal.keys()) if (key.startsWith('leg ')) h.b.journal.set(key, '{"v":2}');
    h.b.restart();
    assert.equal(h.status(room), 'completed');
    assert.equal(h.b.news.at(-1)?.what.type, 'conferenceEnded');
  });

  it('is gone where its end would never come', () => {
    for (const change of [{ nextAt: null }, { nextAt: 1e300 }]) {
      const h = new Hall();
      const a = h.client();
      const room = h.create(a);
      h.do({ type: 'leaveConference', ...about, conference: room, control: a.control });
      const key = `conference ${room}`;
      h.b.journal.set(key, JSON.stringify({ ...JSON.parse(h.b.journal.get(key)!), ...change }));
      h.b.restart();
      assert.deepEqual([h.status(room), h.b.journal.has(key)], [undefined, false]);
    }
  });

  it('goes on with who is there, each told once', () => {
    const h = new Hall();
    const [a, b] = [h.client(), h.client()];
    const room = h.create(a);
    h.join(room, b);
    h.told();
    h.b.restart();
    assert.deepEqual([h.told(a, b), h.status(room), h.members(room).length], [[], 'in_progress', 2]);
  });
});
