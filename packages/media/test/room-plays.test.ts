import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaCommand } from '@sidetone/wire';
import { sine } from './fake-sounds.ts';
import { type Party, RoomWorld, toneIn } from './room-world.ts';

const play = (id: string, more: Partial<Extract<MediaCommand, { op: 'roomPlay' }>> = {}) =>
  ({ op: 'roomPlay', room: 'r', id, file: 'f.wav', loop: 1, ...more }) as const;

const ends = (world: RoomWorld): unknown[] =>
  world.eventsOf('roomPlayed').map(({ room, n, id, status, atMs }) => [room, n, id, status, atMs]);

async function quietRoom(...codecs: Parameters<RoomWorld['room']>): Promise<RoomWorld> {
  const world = new RoomWorld();
  await world.room(...codecs);
  world.sounds.files.set('f.wav', { rate: 16_000, pcm: sine(2200, 16_000, 1000) });
  await world.talk(200);
  return world;
}

/** How loud a tone is to each, in the next 400 ms. */
async function levels(world: RoomWorld, hz: number, ms = 400): Promise<number[]> {
  for (const { carrier } of world.parties) carrier.take();
  await world.talk(ms);
  return Promise.all(world.parties.map(async (party: Party) => toneIn(await party.heard(), hz)));
}

describe('a file played into a room', () => {
  it('is heard by all, with the voices, in whole, and ends once', async () => {
    const world = await quietRoom('PCMU', 'OPUS', 'G722');
    world.parties[0]!.talks = true;
    await world.talk(500);
    await world.command(play('p'));
    await world.command(play('p'));
    await world.talk(300);
    for (const level of await levels(world, 2200)) assert.ok(level > 0.2, `${level}`);
    assert.deepEqual(ends(world), []);
    await world.talk(600);
    assert.deepEqual(ends(world), [['r', 2, 'p', 'completed', 1000]]);
    await world.command(play('p'));
    for (const level of await levels(world, 2200)) assert.ok(level < 0.01);
    const voices = await levels(world, world.parties[0]!.hz);
    assert.ok(voices[0]! < 0.01 && voices[1]! > 0.1 && voices[2]! > 0.1, `${voices}`);
    assert.equal(ends(world).length, 1);
    assert.equal(world.sounds.live, 0);
  });

  it('is heard again and again until it is stopped; another takes its place', async () => {
    const world = await quietRoom('PCMU', 'PCMU');
    await world.command(play('p', { loop: null }));
    await world.talk(3300);
    for (const level of await levels(world, 2200)) assert.ok(level > 0.2);
    await world.command({ op: 'roomStop', room: 'r', id: 'other' });
    await world.command(play('q', { loop: 2 }));
    await world.talk(500);
    await world.command({ op: 'roomStop', room: 'r', id: 'q' });
    await world.command({ op: 'roomStop', room: 'r', id: 'q' });
    assert.deepEqual(
      world.eventsOf('roomPlayed').map(({ n, id, status }) => [n, id, status]),
      [
        [1, 'p', 'stopped'],
        [2, 'q', 'stopped'],
      ],
    );
    await world.talk(100);
    for (const level of await levels(world, 2200)) assert.ok(level < 0.01);
  });

  it('fails once without the file, and ends with the room', async () => {
    const world = await quietRoom('PCMU', 'PCMU');
    await world.command(play('p', { file: 'none.wav' }));
    await world.talk(100);
    assert.deepEqual(ends(world), [['r', 1, 'p', 'failed', 0]]);
    await world.command(play('q'));
    await world.talk(500);
    for (const party of world.parties) await world.leave(party);
    assert.deepEqual(
      world.eventsOf('roomPlayed').map(({ n, id, status }) => [n, id, status]),
      [
        [1, 'p', 'failed'],
        [2, 'q', 'stopped'],
      ],
    );
    assert.equal(world.sounds.live, 0);
  });

  it('needs a room; a beep and a stop do not', async () => {
    const world = new RoomWorld();
    const errorOf = async (command: MediaCommand): Promise<string | undefined> => {
      const reply = await world.engine.command(command);
      return reply.ok ? undefined : reply.error;
    };
    assert.equal(await errorOf(play('p')), 'no-room');
    assert.equal(await errorOf({ op: 'roomStop', room: 'r', id: 'p' }), undefined);
    assert.equal(await errorOf({ op: 'roomBeep', room: 'r', kind: 'enter' }), undefined);
    assert.equal(await errorOf(play('', {})), 'wrong-state');
    assert.equal(await errorOf(play('p', { loop: 0 })), 'wrong-state');
    assert.equal(await errorOf(play('p', { file: '' })), 'wrong-state');
  });
});

describe('a room over a claim', () => {
  it('goes on with the legs that are claimed: nothing breaks off, and what was not read is told again', async () => {
    const world = await quietRoom('OPUS', 'PCMU', 'PCMU', 'OPUS');
    const [a, b, c] = world.parties;
    for (const party of [a!, b!]) party.talks = true;
    await world.command(play('p'));
    await world.talk(1500);
    await world.command(play('q', { loop: null }));
    await world.talk(500);
    c!.carrier.take();
    world.events.length = 0;
    const reply = await world.command({ op: 'claim', legs: ['a', 'b', 'c'], seen: { r: 1, s: 4, c: 0 } });
    assert.deepEqual(reply.missing, []);
    assert.deepEqual(world.events, []);
    for (const party of [a!, b!, c!]) await world.enter(party);
    await world.command(play('q', { loop: null }));
    await world.talk(500);
    assert.deepEqual(ends(world), [['r', 2, 'p', 'completed', 1000]]);
    const seen = c!.carrier.take();
    assert.equal(seen.length, 25);
    for (let i = 1; i < seen.length; i++)
      assert.equal((seen[i]!.timestamp - seen[i - 1]!.timestamp) >>> 0, 160);
    assert.deepEqual(await world.matrix(), { a: 'b', b: 'a', c: 'ab', d: '' });
    for (const level of (await levels(world, 2200)).slice(0, 3)) assert.ok(level > 0.2);
  });

  it('that loses all its members ends, and its last report is told to who claims too late', async () => {
    const world = await quietRoom('PCMU', 'PCMU');
    await world.command(play('p', { loop: null }));
    await world.talk(100);
    await world.command({ op: 'claim', legs: [], seen: { r: 0 } });
    assert.equal((await world.command({ op: 'health' })).health?.rooms, 0);
    await world.run(20);
    const told = ends(world).length;
    await world.command({ op: 'claim', legs: [], seen: { r: 0 } });
    await world.run(20);
    assert.deepEqual(ends(world)[0], ['r', 1, 'p', 'stopped', 80]);
    assert.equal(ends(world).length, told + 1);
    await world.command({ op: 'claim', legs: [] });
    await world.run(20);
    await world.command({ op: 'claim', legs: [], seen: { r: 0 } });
    await world.run(20);
    assert.equal(ends(world).length, told + 1);
  });

  it('is told of the floor as it is, not as it was', async () => {
    const world = await quietRoom('PCMU', 'PCMU');
    const [a, b] = world.parties;
    for (let i = 0; i < 3; i++) {
      [a!.talks, b!.talks] = [i % 2 === 0, i % 2 === 1];
      await world.talk(2000);
    }
    assert.deepEqual(
      world.eventsOf('floor').map(({ n, leg }) => [n, leg]),
      [
        [1, 'a'],
        [2, 'b'],
        [3, 'a'],
      ],
    );
    world.events.length = 0;
    await world.command({ op: 'claim', legs: ['a', 'b'], seen: { r: 0 } });
    await world.talk(20);
    assert.deepEqual(
      world.eventsOf('floor').map(({ n, leg }) => [n, leg]),
      [[3, 'a']],
    );
  });
});

describe('a beep', () => {
  it('is heard by all but one, up for who comes and down for who goes', async () => {
    const world = await quietRoom('PCMU', 'PCMU', 'OPUS');
    await world.command({ op: 'roomBeep', room: 'r', kind: 'enter', except: 'b' });
    const [a, b, c] = await levels(world, 880, 300);
    assert.ok(a! > 0.03 && b! < 0.003 && c! > 0.03, `${[a, b, c]}`);
    await world.command({ op: 'roomBeep', room: 'r', kind: 'leave' });
    for (const { carrier } of world.parties) carrier.take();
    await world.talk(300);
    for (const party of world.parties) {
      const pcm = await party.heard();
      assert.ok(toneIn(pcm, 440) > 0.03 && toneIn(pcm, 880) < 0.01);
    }
    for (const level of await levels(world, 440)) assert.ok(level < 0.003);
  });

  it('follows the one before it, and many are no queue without end', async () => {
    const world = await quietRoom('PCMU', 'PCMU');
    for (let i = 0; i < 50; i++) await world.command({ op: 'roomBeep', room: 'r', kind: 'enter' });
    await world.talk(4 * 240 + 100);
    for (const level of await levels(world, 880)) assert.ok(level < 0.003);
  });
});

describe('a file as a source', () => {
  const source = (leg: string, file = 'f.wav') =>
    ({ op: 'source', leg, source: { kind: 'file', file } }) as const;

  it('is heard again and again, read once for all who wait, in every codec', async () => {
    const world = new RoomWorld();
    world.sounds.files.set('f.wav', { rate: 8000, pcm: sine(2200, 8000, 700) });
    for (const [i, codec] of (['PCMU', 'PCMU', 'OPUS', 'G722', 'PCMU'] as const).entries()) {
      const { id } = await world.party('abcde'[i]!, codec);
      await world.command(source(id));
      await world.command(source(id));
      await world.talk(170);
    }
    await world.talk(3000);
    for (const level of await levels(world, 2200)) assert.ok(level > 0.2, `${level}`);
    assert.equal(world.sounds.opened, 3);
    for (const { id } of world.parties) await world.command({ op: 'close', leg: id });
    assert.equal(world.sounds.live, 0);
  });

  it('is silence where it cannot be read, and no report', async () => {
    const world = new RoomWorld();
    const { id, carrier } = await world.party('a');
    await world.command(source(id, 'none.wav'));
    await world.talk(1000);
    assert.ok(carrier.seen.length >= 48);
    assert.ok(carrier.seen.every(({ payload }) => payload.every((octet) => octet === 0xff)));
    assert.deepEqual(world.eventsOf('played'), []);
    world.sounds.files.set('f.wav', { rate: 8000, pcm: sine(2200, 8000, 700) });
    await world.command(source(id));
    await world.talk(500);
    assert.ok((await levels(world, 2200))[0]! > 0.2);
  });

  it('is heard under an overlay', async () => {
    const world = new RoomWorld();
    world.sounds.files.set('f.wav', { rate: 8000, pcm: sine(2200, 8000, 700) });
    world.sounds.files.set('g.wav', { rate: 8000, pcm: sine(1300, 8000, 2000) });
    const { id } = await world.party('a');
    await world.command(source(id));
    await world.talk(300);
    await world.command({ op: 'play', leg: id, id: 'p', file: 'g.wav', loop: 1, overlay: true });
    await world.talk(600);
    world.parties[0]!.carrier.take();
    await world.talk(400);
    const pcm = await world.parties[0]!.heard();
    assert.ok(toneIn(pcm, 2200) > 0.2 && toneIn(pcm, 1300) > 0.2);
  });
});
