import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RoomWorld } from './room-world.ts';

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
});
