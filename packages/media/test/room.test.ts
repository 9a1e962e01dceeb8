import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sine } from './fake-sounds.ts';
import { RoomWorld, toneIn } from './room-world.ts';

/** All talk. */
async function talking(...codecs: Parameters<RoomWorld['room']>): Promise<RoomWorld> {
  const world = new RoomWorld();
  for (const party of await world.room(...codecs)) party.talks = true;
  return world;
}

describe('a room', () => {
  it('gives each member the voices of all others, in every mixture of codecs', async () => {
    for (const codecs of [
      ['PCMU', 'PCMU', 'PCMU'],
      ['OPUS', 'OPUS', 'OPUS'],
      ['PCMU', 'OPUS', 'G722', 'PCMA', 'OPUS'],
      ['G722', 'G722', 'PCMA'],
    ] as const) {
      const world = new RoomWorld();
      const parties = await world.room(...codecs);
      for (const party of parties.slice(0, 4)) party.talks = true;
      const matrix = await world.matrix();
      const speakers = 'abcd'.slice(0, Math.min(4, codecs.length));
      for (const { id } of parties) assert.equal(matrix[id], speakers.replace(id, ''), `${codecs} ${id}`);
    }
  });

  it('lets nobody hear who is muted, who hears as before', async () => {
    const world = await talking('PCMU', 'OPUS', 'PCMA');
    await world.enter(world.parties[0]!, 'none');
    assert.deepEqual(await world.matrix(), { a: 'bc', b: 'c', c: 'b' });
    await world.enter(world.parties[0]!, 'all');
    assert.deepEqual(await world.matrix(), { a: 'bc', b: 'ac', c: 'ab' });
  });

  it('takes a whisper to those whom it is for', async () => {
    const world = await talking('PCMU', 'PCMU', 'OPUS', 'G722');
    await world.enter(world.parties[3]!, ['b', 'nobody', 'd']);
    assert.deepEqual(await world.matrix(), { a: 'bc', b: 'acd', c: 'ab', d: 'abc' });
    await world.enter(world.parties[3]!, ['c', 'a']);
    assert.deepEqual(await world.matrix(), { a: 'bcd', b: 'ac', c: 'abd', d: 'abc' });
    await world.enter(world.parties[3]!, []);
    assert.deepEqual(await world.matrix(), { a: 'bc', b: 'ac', c: 'ab', d: 'abc' });
  });

  it('has room for a supervisor beside two, who listens, whispers or barges in', async () => {
    const world = await talking('OPUS', 'PCMU', 'OPUS');
    const [, , supervisor] = world.parties;
    for (const [to, a, b] of [
      ['none', 'b', 'a'],
      [['a'], 'bc', 'a'],
      ['all', 'bc', 'ac'],
    ] as const) {
      await world.enter(supervisor!, to);
      assert.deepEqual(await world.matrix(), { a, b, c: 'ab' });
    }
  });

  it('begins with its first member and ends with its last; who leaves is gone for all', async () => {
    const world = await talking('PCMU', 'PCMU', 'PCMU');
    const rooms = async () => (await world.command({ op: 'health' })).health?.rooms;
    assert.equal(await rooms(), 1);
    assert.deepEqual(await world.matrix(), { a: 'bc', b: 'ac', c: 'ab' });
    await world.leave(world.parties[0]!);
    assert.deepEqual(await world.matrix(), { a: '', b: 'c', c: 'b' });
    await world.command({ op: 'close', leg: 'b' });
    assert.deepEqual(await world.matrix(), { a: '', b: '', c: '' });
    await world.enter(world.parties[0]!);
    assert.deepEqual(await world.matrix(), { a: 'c', b: '', c: 'a' });
    await world.leave(world.parties[0]!);
    await world.command({ op: 'close', leg: 'c' });
    assert.equal(await rooms(), 0);
  });

  it('is apart from every other', async () => {
    const world = await talking('PCMU', 'PCMU', 'PCMU', 'PCMU');
    await world.enter(world.parties[2]!, 'all', 's');
    await world.enter(world.parties[3]!, 'all', 's');
    assert.deepEqual(await world.matrix(), { a: 'b', b: 'a', c: 'd', d: 'c' });
  });

  it('tells the digits of members and gives them to nobody', async () => {
    const world = new RoomWorld();
    const [a, b] = await world.room('PCMU', 'PCMU');
    await world.talk(200);
    for (let i = 0; i < 5; i++) a!.carrier.send(101, Uint8Array.of(5, 0x0a, i, 0), i === 0, 9000);
    for (let i = 0; i < 3; i++) a!.carrier.send(101, Uint8Array.of(5, 0x8a, 3, 0x20), false, 9000);
    await world.talk(300);
    assert.deepEqual(
      world.eventsOf('dtmf').map(({ leg, digit }) => [leg, digit]),
      [['a', '5']],
    );
    assert.deepEqual(
      b!.carrier.seen.filter(({ payloadType }) => payloadType === 101),
      [],
    );
  });

  it('hears four at a time: the loudest, and a softer one when one of them is still', async () => {
    const world = await talking('PCMU', 'PCMU', 'PCMU', 'PCMU', 'PCMU', 'PCMU');
    const [a, , , , , f] = world.parties;
    f!.talks = false;
    a!.level = 0.02;
    await world.talk(1500);
    f!.carrier.take();
    await world.talk(400);
    const five = await f!.heard();
    for (const { hz } of world.parties.slice(1, 5)) assert.ok(toneIn(five, hz) > 0.15);
    assert.ok(toneIn(five, a!.hz) < 0.002, `${toneIn(five, a!.hz)}`);
    world.parties[1]!.talks = false;
    await world.talk(1500);
    f!.carrier.take();
    await world.talk(400);
    assert.ok(toneIn(await f!.heard(), a!.hz) > 0.015);
  });

  it('sends comfort noise while nobody speaks, at about -60 dB', async () => {
    for (const codec of ['PCMU', 'OPUS', 'G722'] as const) {
      const world = new RoomWorld();
      const [a] = await world.room(codec, codec);
      a!.sends = false;
      await world.talk(1000);
      a!.carrier.take();
      await world.talk(1000);
      const pcm = (await a!.heard()).slice(800);
      const rms = Math.sqrt(pcm.reduce((sum, s) => sum + s * s, 0) / pcm.length);
      const db = 20 * Math.log10(rms / 32768);
      assert.ok(db > -72 && db < -55, `${codec} ${db}`);
    }
  });

  it('goes on under a play, whether in its place or over it', async () => {
    for (const codec of ['PCMU', 'OPUS'] as const) {
      const world = await talking(codec, codec, codec);
      const [a, b] = world.parties;
      world.sounds.files.set('f.wav', { rate: 8000, pcm: sine(2500, 8000, 5000) });
      await world.command({ op: 'play', leg: 'a', id: 'p', file: 'f.wav', loop: 1, overlay: true });
      await world.talk(1000);
      a!.carrier.take();
      await world.talk(400);
      const over = await a!.heard();
      assert.ok(toneIn(over, 2500) > 0.1 && toneIn(over, b!.hz) > 0.1, codec);
      await world.command({ op: 'play', leg: 'a', id: 'q', file: 'f.wav', loop: 1 });
      await world.command({ op: 'stop', leg: 'a', id: 'p' });
      await world.talk(600);
      a!.carrier.take();
      await world.talk(400);
      const instead = await a!.heard();
      assert.ok(toneIn(instead, 2500) > 0.1 && toneIn(instead, b!.hz) < 0.02, codec);
      await world.command({ op: 'stop', leg: 'a', id: 'q' });
      assert.equal((await world.matrix())['a'], 'bc');
    }
  });

  it('never breaks off when somebody else is muted, whispers, comes or goes', async () => {
    const world = await talking('PCMU', 'PCMU', 'PCMU', 'PCMU');
    const [a, , c, d] = world.parties;
    await world.talk(600);
    const before = a!.carrier.seen.length;
    a!.carrier.take();
    for (const change of [
      () => world.enter(c!, 'none'),
      () => world.enter(c!, 'all'),
      () => world.enter(c!, ['b']),
      () => world.enter(a!, 'none'),
      () => world.enter(a!, 'all'),
      () => world.leave(d!),
      () => world.enter(d!),
    ]) {
      await change();
      await world.talk(300);
    }
    const seen = a!.carrier.take();
    assert.ok(before > 0);
    assert.equal(seen.length, 7 * 15);
    for (let i = 1; i < seen.length; i++) {
      assert.equal((seen[i]!.sequence - seen[i - 1]!.sequence) & 0xffff, 1);
      assert.equal((seen[i]!.timestamp - seen[i - 1]!.timestamp) >>> 0, 160);
    }
  });

  it('tells who has the floor, not too often, and when nobody has', async () => {
    const world = new RoomWorld();
    const [a, b] = await world.room('PCMU', 'PCMU', 'PCMU');
    const floor = (): unknown[] => world.eventsOf('floor').map(({ n, room, leg }) => [n, room, leg]);
    await world.talk(1000);
    assert.deepEqual(floor(), []);
    a!.talks = true;
    await world.talk(1000);
    assert.deepEqual(floor(), [[1, 'r', 'a']]);
    // Words in turn, faster than anybody has the floor.
    for (let i = 0; i < 20; i++) {
      a!.level = i % 2 === 0 ? 0.02 : 0.4;
      b!.talks = true;
      await world.talk(200);
    }
    assert.deepEqual(floor(), [[1, 'r', 'a']]);
    a!.talks = false;
    await world.talk(1500);
    b!.talks = false;
    await world.talk(3000);
    assert.deepEqual(floor().slice(1), [
      [2, 'r', 'b'],
      [3, 'r', null],
    ]);
  });

  it('is bounded: 800 members, names and lists of a size', async () => {
    const world = new RoomWorld({ ports: [20_000, 29_999] });
    const party = await world.party('a');
    const refused = async (room: string, to: unknown): Promise<string> => {
      const source = { kind: 'room', room, to } as never;
      const reply = await world.engine.command({ op: 'source', leg: 'a', source });
      return reply.ok ? 'ok' : reply.error;
    };
    assert.equal(await refused('', 'all'), 'wrong-state');
    assert.equal(await refused('r'.repeat(257), 'all'), 'wrong-state');
    assert.equal(await refused('r', 'some'), 'wrong-state');
    assert.equal(await refused('r', [1]), 'wrong-state');
    assert.equal(await refused('r', new Array(801).fill('x')), 'wrong-state');
    assert.equal((await world.command({ op: 'health' })).health?.rooms, 0);
    for (let i = 0; i < 800; i++) {
      const leg = `m${i}`;
      await world.command({ op: 'offer', leg, kind: 'rtp', codecs: ['PCMU'] });
      await world.command({ op: 'source', leg, source: { kind: 'room', room: 'r', to: 'all' } });
    }
    assert.equal(await refused('r', 'all'), 'wrong-state');
    await world.command({ op: 'close', leg: 'm7' });
    assert.equal(await refused('r', 'all'), 'ok');
    party.carrier.take();
    await world.talk(100);
    assert.ok(party.carrier.take().length >= 4);
  });
});
