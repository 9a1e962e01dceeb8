import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { World } from './world.ts';

const claim = (world: World, ...legs: string[]) => world.engine.command({ op: 'claim', legs });

describe('legs claimed by a new owner', () => {
  it('live on as they are; others are closed, and those that are gone are named', async () => {
    const world = new World();
    await world.browser('kept');
    await world.browser('left');
    const reply = await claim(world, 'kept', 'never');
    assert.deepEqual(reply, { ok: true, missing: ['never'] });
    const health = await world.engine.command({ op: 'health' });
    assert.equal(health.ok && health.health?.legs, 1);
    await world.run(100);
    assert.deepEqual(world.eventsOf('failed'), []);
  });

  it('say again after the reply how they failed while nobody listened', async () => {
    const world = new World();
    const peer = await world.browser('a');
    await world.browser('b');
    await world.run(35_000, () => peer.check());
    assert.deepEqual(world.eventsOf('failed'), [{ event: 'failed', leg: 'b', n: 1, why: 'ice' }]);
    world.events.length = 0;
    await claim(world, 'a', 'b');
    assert.deepEqual(world.eventsOf('failed'), []);
    await world.run(20, () => peer.check());
    assert.deepEqual(world.eventsOf('failed'), [{ event: 'failed', leg: 'b', n: 1, why: 'ice' }]);
    world.events.length = 0;
    await claim(world, 'a');
    await world.run(20, () => peer.check());
    assert.deepEqual(world.eventsOf('failed'), []);
  });
});
