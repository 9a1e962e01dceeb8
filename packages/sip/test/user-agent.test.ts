import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pair } from './two-agents.ts';

/** Bob rings and answers. */
function answering(pair: Pair, sdp = 'answer'): void {
  pair.react.bob = (event) => {
    if (event.type !== 'incoming') return;
    pair.do('bob', pair.agents.bob.respond(event.leg, 180, {}, pair.now));
    pair.do('bob', pair.agents.bob.respond(event.leg, 200, { sdp }, pair.now));
  };
}

function established(options: ConstructorParameters<typeof Pair>[0] = {}) {
  const pair = new Pair(options);
  answering(pair);
  const alice = pair.invite();
  pair.run(1000);
  const bob = pair.last('bob', 'confirmed').leg;
  pair.react.bob = null;
  pair.events.alice.length = 0;
  pair.events.bob.length = 0;
  return { pair, alice, bob };
}

test('a call is set up and ended by the caller', () => {
  const pair = new Pair();
  answering(pair);
  const leg = pair.invite();
  pair.run(1000);
  assert.deepEqual(pair.told('bob'), ['incoming offer', 'confirmed']);
  assert.deepEqual(pair.told('alice'), ['progress', 'accepted answer']);
  pair.do('alice', pair.agents.alice.bye(leg, [['Reason', 'Q.850;cause=16']], pair.now));
  pair.run();
  assert.equal(pair.last('alice', 'ended').why, 'bye-done');
  assert.deepEqual(
    pair.last('bob', 'bye').request.headers.other.find(([n]) => n === 'Reason'),
    ['Reason', 'Q.850;cause=16'],
  );
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});

test('the callee hangs up', () => {
  const { pair, bob } = established();
  pair.do('bob', pair.agents.bob.bye(bob, [], pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['bye']);
  assert.deepEqual(pair.told('bob'), ['ended bye-done']);
  assert.equal(pair.agents.alice.size + pair.agents.bob.size, 0);
});
