import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reach } from '@sidetone/wire';
import fc from 'fast-check';
import { RoomWorld } from './room-world.ts';

type Step =
  | { readonly who: number; readonly room: 'r' | 's'; readonly to: Reach }
  | { readonly who: number; readonly leaves: true }
  | { readonly who: number; readonly hears: number }
  | { readonly who: number; readonly talks: boolean };

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];
const CODECS = ['PCMU', 'OPUS', 'PCMU', 'G722', 'PCMA', 'OPUS'] as const;

const who = fc.nat(IDS.length - 1);
const to: fc.Arbitrary<Reach> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Reach>('all') },
  { weight: 1, arbitrary: fc.constant<Reach>('none') },
  { weight: 2, arbitrary: fc.subarray(IDS) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ who, room: fc.constantFrom('r' as const, 's' as const), to }) },
  { weight: 1, arbitrary: fc.record({ who, leaves: fc.constant(true as const) }) },
  { weight: 1, arbitrary: fc.record({ who, hears: who }) },
  { weight: 2, arbitrary: fc.record({ who, talks: fc.boolean() }) },
);

/** What each hears by the wishes alone. */
interface Wished {
  readonly sources: ({ room: string; to: Reach } | { leg: number } | undefined)[];
  readonly talks: boolean[];
}

function derived({ sources, talks }: Wished): Record<string, string> {
  const hears = (ear: number, mouth: number): boolean => {
    const [here, there] = [sources[ear], sources[mouth]];
    if (!talks[mouth] || here === undefined) return false;
    if ('leg' in here) return here.leg === mouth;
    if (ear === mouth || there === undefined || 'leg' in there || there.room !== here.room) return false;
    return there.to === 'all' || (there.to !== 'none' && there.to.includes(IDS[ear]!));
  };
  const rows = IDS.map((id, ear) => [id, IDS.filter((_, mouth) => hears(ear, mouth)).join('')] as const);
  return Object.fromEntries(rows);
}

describe('rooms', () => {
  it('let each hear what the wishes say, whatever was wished before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 5 }),
        async (rounds) => {
          const world = new RoomWorld();
          const wished: Wished = { sources: IDS.map(() => undefined), talks: IDS.map((_, i) => i < 4) };
          for (const [i, id] of IDS.entries()) {
            const party = await world.party(id, CODECS[i]!);
            party.talks = wished.talks[i]!;
          }
          for (const round of rounds) {
            for (const step of round) {
              const party = world.parties[step.who]!;
              if ('talks' in step) {
                // More than four at a time are not all heard.
                const others = wished.talks.filter((talks, i) => talks && i !== step.who).length;
                wished.talks[step.who] = step.talks && others < 4;
                party.talks = wished.talks[step.who]!;
              } else if ('leaves' in step) {
                wished.sources[step.who] = undefined;
                await world.leave(party);
              } else if ('hears' in step) {
                wished.sources[step.who] = { leg: step.hears };
                const source = { kind: 'leg', leg: IDS[step.hears]! } as const;
                await world.command({ op: 'source', leg: party.id, source });
              } else {
                wished.sources[step.who] = { room: step.room, to: step.to };
                await world.enter(party, step.to, step.room);
              }
              if (step.who % 2 === 0) await world.talk(60);
            }
            await world.talk(1000);
            assert.deepEqual(await world.matrix(), derived(wished));
          }
          for (const { id } of world.parties) await world.command({ op: 'close', leg: id });
          assert.equal((await world.command({ op: 'health' })).health?.rooms, 0);
        },
      ),
      { numRuns: 25 },
    );
  });
});
