import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordCommand } from '@sidetone/wire';
import { sine } from './fake-sounds.ts';
import { type Party, RoomWorld, toneIn } from './room-world.ts';

type Wish = Extract<RecordCommand, { op: 'record' }>;

const wish = (id: string, more: Partial<Wish> = {}): Wish =>
  ({ op: 'record', room: 'r', id, file: `${id}.wav`, channels: 1, track: 'both', ...more }) as Wish;

async function talkingRoom(): Promise<[RoomWorld, ...Party[]]> {
  const world = new RoomWorld();
  const parties = await world.room('PCMU', 'OPUS', 'G722');
  for (const party of parties) party.talks = true;
  await world.talk(300);
  return [world, ...parties];
}

/** Who is heard in a channel, in a part of it. */
function voices(world: RoomWorld, file: string, channel: number, from: number, to: number): string {
  const { rate } = world.recordings.files.get(file)!;
  const pcm = world.recordings.channel(file, channel).subarray((from * rate) / 1000, (to * rate) / 1000);
  return world.parties
    .filter(({ hz }) => toneIn(pcm, hz, rate) > 0.05)
    .map(({ id }) => id)
    .join('');
}

const ends = (world: RoomWorld) =>
  world
    .eventsOf('recorded')
    .map((end) => ['room' in end && end.room, end.id, end.why, end.durationMs, end.lostMs]);

describe('a recording of a room', () => {
  it('has all who are heard in one channel; or the first in one, and everybody else in the other', async () => {
    const [world, a, , c] = await talkingRoom();
    world.sounds.files.set('f.wav', { rate: 16_000, pcm: sine(2200, 16_000, 1000) });
    await world.command(wish('mix'));
    await world.command(wish('dual', { channels: 2, first: a!.id }));
    await world.talk(1000);
    c!.talks = false;
    await world.command({ op: 'roomPlay', room: 'r', id: 'p', file: 'f.wav', loop: 1 });
    await world.talk(1000);
    for (const id of ['mix', 'dual']) await world.command({ op: 'recordStop', room: 'r', id });
    await world.talk(40);
    assert.equal(voices(world, 'mix.wav', 0, 200, 950), 'abc');
    assert.equal(voices(world, 'mix.wav', 0, 1400, 1950), 'ab');
    assert.deepEqual(
      [0, 1].map((channel) => voices(world, 'dual.wav', channel, 200, 950)),
      ['a', 'bc'],
    );
    const played = [0, 1].map((channel) =>
      toneIn(world.recordings.channel('dual.wav', channel).subarray(20_000), 2200, 16_000),
    );
    assert.ok(played[0]! < 0.01 && played[1]! > 0.1, `${played}`);
    assert.deepEqual(ends(world), [
      ['r', 'mix', 'stopped', 2000, 0],
      ['r', 'dual', 'stopped', 2000, 0],
    ]);
  });

  it('has no break: its mix is one sound that goes on', async () => {
    const world = new RoomWorld();
    const [a] = await world.room('PCMU', 'PCMU');
    a!.talks = true;
    await world.talk(300);
    await world.command(wish('r'));
    await world.talk(3000);
    await world.command({ op: 'recordStop', room: 'r', id: 'r' });
    await world.talk(40);
    const pcm = world.recordings.channel('r.wav', 0).subarray(4000, 44_000);
    // A sine of 450 Hz at 16 kHz changes by 0.177 of its amplitude in a sample, at most.
    const most = 32767 * 0.2 * 0.19;
    for (let i = 1; i < pcm.length; i++)
      assert.ok(Math.abs(pcm[i]! - pcm[i - 1]!) < most, `${pcm[i - 1]} ${pcm[i]} at ${i}`);
  });

  it('pauses, ends at its longest and with the last leg, once each, and is not begun anew', async () => {
    const [world, ...parties] = await talkingRoom();
    await world.command(wish('short', { maxMs: 1000 }));
    await world.command(wish('whole'));
    await world.talk(500);
    await world.command({ op: 'recordPause', room: 'r', id: 'whole' });
    await world.talk(1000);
    await world.command({ op: 'recordResume', room: 'r', id: 'whole' });
    await world.talk(500);
    await world.command(wish('short'));
    for (const party of parties) await world.command({ op: 'close', leg: party!.id });
    await world.run(40);
    assert.deepEqual(
      ends(world).map((end) => end.slice(1, 4)),
      [
        ['short', 'max', 1000],
        ['whole', 'closed', 1000],
      ],
    );
    assert.equal((await world.engine.command(wish('late'))).ok, false);
    assert.equal(voices(world, 'whole.wav', 0, 100, 900), 'abc');
  });

  it('keeps its room while nobody is in it, and goes on when somebody comes', async () => {
    const [world, ...parties] = await talkingRoom();
    await world.command(wish('r'));
    await world.talk(1000);
    for (const party of parties) await world.leave(party!);
    await world.talk(1000);
    await world.enter(parties[1]!);
    await world.talk(1000);
    await world.leave(parties[1]!);
    assert.deepEqual(ends(world), []);
    await world.command({ op: 'recordStop', room: 'r', id: 'r' });
    await world.talk(40);
    assert.deepEqual(ends(world), [['r', 'r', 'stopped', 3000, 0]]);
    assert.deepEqual(
      [
        [200, 900],
        [1200, 1950],
        [2300, 2950],
      ].map(([from, to]) => voices(world, 'r.wav', 0, from!, to!)),
      ['abc', '', 'b'],
    );
    // It is gone with its recording; and its longest would have ended it, too.
    assert.equal((await world.engine.command(wish('late'))).ok, false);
    await world.enter(parties[0]!);
    await world.command(wish('short', { maxMs: 500 }));
    await world.leave(parties[0]!);
    await world.talk(600);
    assert.equal((await world.engine.command(wish('late'))).ok, false);
    assert.deepEqual(ends(world).at(-1)?.slice(1, 3), ['short', 'max']);
  });

  it('of a room that nobody is in ends when a claim does not name it', async () => {
    for (const seen of [{ r: 0 }, {}, undefined]) {
      const [world, ...parties] = await talkingRoom();
      await world.command(wish('r'));
      for (const party of parties) await world.leave(party!);
      const legs = parties.map((party) => party!.id);
      await world.command({ op: 'claim', legs, ...(seen === undefined ? {} : { seen }) });
      await world.talk(40);
      assert.deepEqual(
        ends(world).map((end) => end[2]),
        seen?.r === 0 ? [] : ['closed'],
      );
    }
  });

  it('begins with a tone to all where that is asked for, once', async () => {
    const world = new RoomWorld();
    const [a] = await world.room('PCMU', 'PCMU');
    await world.talk(300);
    a!.carrier.take();
    await world.command(wish('quiet'));
    await world.talk(400);
    assert.ok(toneIn(await a!.heard(), 660) < 0.01);
    await world.command(wish('r', { beep: true }));
    await world.talk(400);
    assert.ok(toneIn(await a!.heard(), 660) > 0.02);
    await world.command(wish('r', { beep: true }));
    a!.carrier.take();
    await world.talk(400);
    assert.ok(toneIn(await a!.heard(), 660) < 0.01);
  });

  it('has no whisper', async () => {
    const [world, a, b] = await talkingRoom();
    await world.enter(a!, [b!.id]);
    await world.talk(200);
    await world.command(wish('r'));
    await world.talk(1000);
    await world.command({ op: 'recordStop', room: 'r', id: 'r' });
    await world.talk(40);
    assert.equal(voices(world, 'r.wav', 0, 300, 950), 'bc');
  });
});
