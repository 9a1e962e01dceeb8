import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@sidetone/core';
import { parseMessage, type SipMessage, writeMessage } from '@sidetone/sip';
import { established, Pair } from './two-agents.ts';

test('a peer that sends anything at any time makes no agent throw, and nothing stays for ever', () => {
  const seen: Uint8Array[] = [];
  const record = (_: unknown, message: SipMessage): undefined => {
    seen.push(writeMessage(message));
  };
  for (let seed = 1; seed <= 5; seed++) {
    const { pair, alice } = established({ seed, onWire: record });
    pair.do('alice', pair.agents.alice.reinvite(alice, 'x', 'r', pair.now));
    pair.do('alice', pair.agents.alice.requestInDialog(alice, { method: 'INFO' }, 'i', pair.now));
    pair.run(3000);
    pair.do('alice', pair.agents.alice.bye(alice, [], pair.now));
    pair.run(3000);
  }
  const random = seededRandom(11);
  const swaps = [
    'INVITE',
    'BYE',
    'CANCEL',
    'ACK',
    'INFO',
    'UPDATE',
    'OPTIONS',
    '200 OK',
    '486 Busy',
    '401 No',
  ];
  let read = 0;
  for (let run = 0; run < 20; run++) {
    const pair = new Pair({ seed: run });
    const flow = pair.flow({ host: '192.0.2.1', port: 5060 });
    const told: string[] = [];
    for (let i = 0; i < 400; i++) {
      let text = Buffer.from(seen[random.int(seen.length)]!).toString('latin1');
      for (let n = random.int(3); n > 0; n--) {
        const at = random.int(text.length);
        const a = swaps[random.int(swaps.length)]!;
        if (random.int(2) === 0) text = text.replaceAll(a, swaps[random.int(swaps.length)]!);
        else text = text.slice(0, at) + text.slice(at + random.int(4));
      }
      const parsed = parseMessage(Buffer.from(text, 'latin1'));
      if (!parsed.ok) continue;
      read += 1;
      for (const out of pair.agents.bob.receive(parsed.value, flow, pair.now)) {
        if (out.type === 'sip') writeMessage(out.message);
        else told.push(out.type);
        const { bob } = pair.agents;
        // The user answers whatever it is told.
        if (out.type === 'incoming')
          bob.respond(out.leg, random.int(2) === 0 ? 200 : 486, { sdp: 'a' }, pair.now);
        if (out.type === 'reinvite') bob.respondReinvite(out.leg, out.tx, 200, { sdp: 'a' }, pair.now);
        if (out.type === 'info' || out.type === 'request') bob.respondRequest(out.tx, 200, {}, pair.now);
      }
      pair.now += random.int(500);
      const due = pair.agents.bob.deadline();
      if (due !== null && due <= pair.now) pair.agents.bob.tick(pair.now);
    }
    for (let i = 0; i < 1000; i++) {
      const due = pair.agents.bob.deadline();
      if (due === null) break;
      pair.agents.bob.tick(due);
    }
    // What is left are calls that were acknowledged and never ended.
    assert.ok(pair.agents.bob.size <= told.filter((t) => t === 'confirmed').length);
  }
  assert.ok(read > 2000);
});
