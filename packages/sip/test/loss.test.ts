import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pair } from './two-agents.ts';

/** One call over a lossy link: ring, answer, hold, INFO, hang up by one side. The trace of the run. */
function call(seed: number, loss: number): { trace: string[]; pair: Pair; answered: boolean } {
  const pair = new Pair({ seed, loss, delay: 80 });
  let bobLeg = '';
  let answered = false;
  pair.react.bob = (event) => {
    const { bob } = pair.agents;
    if (event.type === 'incoming') {
      bobLeg = event.leg;
      pair.do('bob', bob.respond(event.leg, 180, {}, pair.now));
      pair.do('bob', bob.respond(event.leg, 200, { sdp: 'answer' }, pair.now));
    }
    if (event.type === 'reinvite')
      pair.do('bob', bob.respondReinvite(event.leg, event.tx, 200, { sdp: 'held' }, pair.now));
    if (event.type === 'info') pair.do('bob', bob.respondRequest(event.tx, 200, {}, pair.now));
    if (event.type === 'confirmed' && seed % 3 === 0) pair.do('bob', bob.bye(event.leg, [], pair.now));
  };
  pair.react.alice = (event) => {
    const { alice } = pair.agents;
    if (event.type === 'accepted') {
      answered = true;
      if (seed % 3 !== 0) pair.do('alice', alice.reinvite(event.leg, 'hold', 'h', pair.now));
    }
    if (event.type === 'reinviteResult')
      pair.do('alice', alice.requestInDialog(event.leg, { method: 'INFO' }, 'i', pair.now));
    if (event.type === 'inDialogResult') pair.do('alice', alice.bye(event.leg, [], pair.now));
  };
  pair.invite();
  pair.run();
  assert.notEqual(bobLeg, '', 'the INVITE arrived');
  return { trace: pair.trace, pair, answered };
}

test('150 calls over 30 % loss complete, and nothing is left over', () => {
  let answered = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const { pair, trace, answered: ok } = call(seed, 0.3);
    if (ok) answered += 1;
    const left = pair.agents.alice.size + pair.agents.bob.size;
    assert.equal(left, 0, `seed ${seed} leaves ${left}:\n${trace.join('\n')}`);
    assert.equal(pair.agents.alice.deadline(), null);
    assert.equal(pair.agents.bob.deadline(), null);
  }
  assert.ok(answered >= 148, `${answered} of 150 were answered`);
});

test('the same seed gives the same trace', () => {
  for (const seed of [4, 9, 77]) assert.deepEqual(call(seed, 0.3).trace, call(seed, 0.3).trace);
  assert.notDeepEqual(call(4, 0.3).trace, call(5, 0.3).trace);
});

test('without loss every message is sent once', () => {
  const { trace } = call(1, 0);
  const sent = trace.filter((line) => line.includes(' > ')).map((line) => line.replace(/^\d+ /, ''));
  assert.equal(new Set(sent).size, sent.length);
});
