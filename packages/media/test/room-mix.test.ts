import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadOpus, type OpusFactory } from '../src/index.ts';
import { decoded, type Party, RoomWorld, toneIn } from './room-world.ts';

const opus = await loadOpus();

/** An Opus that counts. */
function counting(): OpusFactory & { encodes: number; live: number } {
  const counter = {
    name: opus.name,
    encodes: 0,
    live: 0,
    encoder(settings: Parameters<OpusFactory['encoder']>[0]) {
      const encoder = opus.encoder(settings);
      counter.live++;
      return {
        encode(pcm: Int16Array, alone?: boolean) {
          counter.encodes++;
          return encoder.encode(pcm, alone);
        },
        free() {
          counter.live--;
          encoder.free();
        },
      };
    },
    decoder: (rate: Parameters<OpusFactory['decoder']>[0]) => opus.decoder(rate),
  };
  return counter;
}

describe('mixes of a room', () => {
  it('are shared by who hears the same: k who are heard cost k + 1 encodes, however many listen; nobody costs none', async () => {
    for (const members of [3, 8]) {
      const factory = counting();
      const world = new RoomWorld({ opus: factory });
      await world.room(...new Array(members).fill('OPUS'));
      const perTick = async (): Promise<number> => {
        const before = factory.encodes;
        await world.talk(400);
        return (factory.encodes - before) / 20;
      };
      // Comfort noise is encoded once, for all rooms: two seconds of it.
      await world.talk(3000);
      assert.equal(await perTick(), 0);
      for (let k = 1; k <= Math.min(4, members - 1); k++) {
        world.parties[k]!.talks = true;
        await world.talk(1200);
        // Who speaks alone hears comfort noise.
        assert.equal(await perTick(), k === 1 ? 1 : k + 1, `${k} of ${members}`);
      }
      for (const party of world.parties) party.talks = false;
      await world.talk(3000);
      assert.equal(await perTick(), 0);
      for (const { id } of world.parties) await world.command({ op: 'close', leg: id });
      assert.equal(factory.live, 0);
    }
  });

  it('are one more for those to whom somebody whispers, and for another codec', async () => {
    const factory = counting();
    const world = new RoomWorld({ opus: factory });
    await world.room('OPUS', 'OPUS', 'OPUS', 'OPUS', 'OPUS', 'PCMU', 'PCMA', 'G722');
    const [a, b] = world.parties;
    [a!.talks, b!.talks] = [true, true];
    await world.enter(b!, ['c', 'd']);
    await world.talk(4000);
    const before = factory.encodes;
    await world.talk(400);
    // a hears nobody, b a, c and d both, e a as b does.
    assert.equal((factory.encodes - before) / 20, 2);
  });

  it('have the highest rate that is of use: 48 kHz among Opus alone, else what two have', async () => {
    for (const [rate, codecs] of [
      [8000, ['PCMU', 'OPUS']],
      [16_000, ['G722', 'OPUS']],
      [24_000, ['PCMU', 'OPUS', 'OPUS']],
      [48_000, ['OPUS', 'OPUS']],
    ] as const) {
      const rates: number[] = [];
      const world = new RoomWorld({
        opus: {
          ...opus,
          encoder(settings) {
            rates.push(settings.rate);
            return opus.encoder(settings);
          },
        },
      });
      await world.room(...codecs);
      await world.talk(300);
      assert.equal(rates.at(-1), rate, `${codecs}`);
      const late = await world.party('late', 'PCMU');
      await world.enter(late);
      world.parties[1]!.talks = true;
      await world.talk(600);
      late.carrier.take();
      await world.talk(400);
      assert.ok(toneIn(await late.heard(), world.parties[1]!.hz) > 0.1);
    }
  });

  it('carry what is above the telephone band from one Opus to another', async () => {
    const world = new RoomWorld();
    const [a, b] = await world.room('OPUS', 'OPUS');
    a!.sends = false;
    const encoder = opus.encoder({ rate: 48_000, bitrate: 64_000, fec: false });
    await new Promise(setImmediate);
    let at = 0;
    const sing = () => {
      const pcm = Int16Array.from({ length: 960 }, () =>
        Math.round(9000 * Math.sin((2 * Math.PI * 9000 * at++) / 48_000)),
      );
      a!.carrier.frame(encoder.encode(pcm)!.slice());
    };
    await world.run(1000, sing);
    b!.carrier.take();
    await world.run(400, sing);
    const payloads = b!.carrier.take().map(({ payload }) => payload);
    assert.ok(toneIn(await decoded('OPUS', payloads, 24_000), 9000, 24_000) > 0.05);
  });

  it('decode nobody whom nobody hears', async () => {
    const decodes = { n: 0 };
    const world = new RoomWorld({
      opus: {
        ...opus,
        decoder(rate) {
          const decoder = opus.decoder(rate);
          const decode = (packet: Uint8Array) => {
            decodes.n++;
            return decoder.decode(packet);
          };
          return { ...decoder, decode };
        },
      },
    });
    const [a, b] = await world.room('OPUS', 'OPUS');
    await world.talk(200);
    await world.enter(a!, 'none');
    await world.enter(b!, ['x']);
    await world.talk(40);
    decodes.n = 0;
    await world.talk(400);
    assert.equal(decodes.n, 0);
    await world.enter(a!, 'all');
    await world.talk(400);
    assert.ok(decodes.n >= 18 && decodes.n <= 20, `${decodes.n}`);
  });

  it('hardly decode Opus that says that nobody speaks, and hear the first word', async () => {
    let decodes = 0;
    const world = new RoomWorld({
      opus: {
        ...opus,
        decoder(rate) {
          const decoder = opus.decoder(rate);
          const decode = (packet: Uint8Array) => {
            decodes++;
            return decoder.decode(packet);
          };
          return { ...decoder, decode };
        },
      },
    });
    const [a, b] = await world.room('OPUS', 'OPUS');
    await world.talk(2000);
    decodes = 0;
    await world.talk(10_000);
    // Of each 25 one, and the three before it.
    assert.ok(decodes <= 2 * 4 * 20, `${decodes} of 1000`);
    assert.ok(decodes >= 2 * 4 * 19);
    b!.carrier.take();
    const from = world.now;
    a!.talks = true;
    await world.talk(600);
    const packets = b!.carrier.take();
    const pcm = await decoded(
      'OPUS',
      packets.map(({ payload }) => payload),
    );
    const first = packets.findIndex((_, i) => toneIn(pcm.subarray(160 * i, 160 * (i + 1)), a!.hz) > 0.1);
    assert.ok(packets[first]!.at - from <= 80, `${packets[first]!.at - from} ms`);
    assert.ok(Math.max(...bends(pcm.subarray(0, 160 * 29))) < 2000);
    // From the noise that is not encoded to the voice and back.
    b!.carrier.take();
    for (let i = 0; i < 6; i++) {
      a!.talks = i % 2 === 1;
      await world.talk(2500);
    }
    const all = await decoded(
      'OPUS',
      b!.carrier.take().map(({ payload }) => payload),
    );
    assert.ok(Math.max(...bends(all)) < 2000, `${Math.max(...bends(all))}`);
  });

  it('of loud voices are bent, not cut and not wrapped', async () => {
    const world = new RoomWorld();
    for (const party of await world.room('PCMU', 'PCMU', 'PCMU', 'PCMU')) {
      party.talks = true;
      party.level = 0.9;
    }
    await world.talk(400);
    const [a, b, c, d] = world.parties;
    a!.carrier.take();
    await world.talk(400);
    const pcm = await a!.heard();
    for (const { hz } of [b!, c!, d!]) assert.ok(toneIn(pcm, hz) > 0.3);
    let steepest = 0;
    for (let i = 1; i < pcm.length; i++) steepest = Math.max(steepest, Math.abs(pcm[i]! - pcm[i - 1]!));
    assert.ok(steepest < 50_000, `${steepest}`);
  });
});

/** The greatest bend between three samples: a click is one that the sound does not have of itself. */
function bends(pcm: Int16Array): number[] {
  const most: number[] = [];
  for (let from = 0; from + 162 <= pcm.length; from += 160) {
    let worst = 0;
    for (let i = from + 1; i <= from + 160; i++)
      worst = Math.max(worst, Math.abs(pcm[i + 1]! - 2 * pcm[i]! + pcm[i - 1]!));
    most.push(worst);
  }
  return most;
}

describe('who changes from one mix to another', () => {
  /** `c` hears the tones of `a` and `d` while `change` happens again and again: the worst bend, beside that of the tones alone. */
  async function worst(
    codec: 'PCMU' | 'OPUS' | 'G722',
    change: (world: RoomWorld, on: boolean, c: Party) => Promise<unknown>,
  ): Promise<{ readonly quiet: number; readonly changing: number; readonly frames: number }> {
    const world = new RoomWorld();
    const [a, , c, d] = await world.room(codec, codec, codec, codec);
    [a!.talks, d!.talks] = [true, true];
    // Low tones bend little.
    [a!.hz, d!.hz] = [363, 277];
    await world.talk(1000);
    for (let i = 0; i < 8; i++) {
      await change(world, i % 2 === 0, c!);
      // Not in step with anything.
      await world.talk(1500 + 20 * (i % 3));
    }
    const all = await decoded(
      codec,
      c!.carrier.take().map(({ payload }) => payload),
    );
    const found = bends(all);
    const quiet = Math.max(...found.slice(25, 45));
    return { quiet, changing: Math.max(...found.slice(45)), frames: found.length };
  }

  for (const codec of ['PCMU', 'G722', 'OPUS'] as const) {
    it(`hears no click in ${codec}: when it begins to speak and ends, when others do, when others are muted`, async () => {
      for (const change of [
        // It is heard itself, so it hears a mix without itself.
        async (_: RoomWorld, on: boolean, c: Party) => {
          c.talks = on;
        },
        // Others are heard by others only.
        async (world: RoomWorld, on: boolean) => {
          world.parties[1]!.talks = true;
          await world.enter(world.parties[1]!, on ? ['a'] : ['d']);
        },
        async (world: RoomWorld, on: boolean) => world.enter(world.parties[3]!, on ? 'none' : 'all'),
        async (world: RoomWorld, on: boolean) =>
          on ? world.leave(world.parties[3]!) : world.enter(world.parties[3]!),
      ]) {
        const { quiet, changing, frames } = await worst(codec, change);
        assert.ok(frames > 600);
        assert.ok(changing < 1.8 * quiet, `${codec}: ${changing} beside ${quiet}`);
      }
    });
  }

  it('hears no click of who leaves with the first word', async () => {
    const world = new RoomWorld();
    const [a, , c, d] = await world.room('PCMU', 'PCMU', 'PCMU', 'PCMU');
    a!.talks = true;
    [a!.hz, d!.hz] = [363, 277];
    await world.talk(1000);
    for (let after = 20; after <= 160; after += 20) {
      d!.talks = true;
      await world.talk(after);
      await world.leave(d!);
      d!.talks = false;
      await world.talk(600);
      await world.enter(d!);
      await world.talk(200);
    }
    const all = bends(
      await decoded(
        'PCMU',
        c!.carrier.take().map(({ payload }) => payload),
      ),
    );
    const quiet = Math.max(...all.slice(25, 45));
    assert.ok(Math.max(...all.slice(45)) < 2.5 * quiet, `${Math.max(...all.slice(45))} beside ${quiet}`);
  });

  it('hears no break when something is played over what it hears, nor when that ends', async () => {
    const world = new RoomWorld();
    world.sounds.files.set('f.wav', { rate: 8000, pcm: new Int16Array(8000) });
    const [a, , c] = await world.room('PCMU', 'PCMU', 'PCMU');
    a!.talks = true;
    // Not at rest where frames meet.
    a!.hz = 363;
    await world.talk(1000);
    for (let i = 0; i < 5; i++) {
      await world.command({ op: 'play', leg: 'c', id: `${i}`, file: 'f.wav', loop: 1, overlay: true });
      await world.talk(1500);
    }
    const all = bends(
      await decoded(
        'PCMU',
        c!.carrier.take().map(({ payload }) => payload),
      ),
    );
    const quiet = Math.max(...all.slice(25, 45));
    assert.ok(Math.max(...all.slice(45)) < 1.8 * quiet, `${Math.max(...all.slice(45))} beside ${quiet}`);
  });
});
