import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import { heapGrowth } from '@sidetone/core/testing';
import { createResponse, createTransactionLayer, parseMessage, type SipRequest } from '@sidetone/sip';
import { dialogToken, readDialogToken } from '../src/dialog-token.ts';
import { NonceCounts } from '../src/nonce-counts.ts';
import { PassedRequests } from '../src/passed-requests.ts';
import { SentAway } from '../src/sent-away.ts';
import { TRUNK } from './rig.ts';

const COUNT = 300;
const LARGE = 60_000;
/** Far less than the messages have together, far more than what is to be kept. */
const MOST_KEPT = (COUNT * LARGE) / 4;
const SECRET = new Uint8Array(32);

/** A request as it comes from the network: its texts are cut from 60 kB. */
function large(i: number, user = 'someone', method = 'INVITE'): SipRequest {
  const parsed = parseMessage(
    Buffer.from(
      `${method} sip:${user}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bK-some-branch-${i}\r\n` +
        `From: <sip:some-caller@example.net>;tag=some-tag-of-a-caller-${i}\r\nTo: <sip:someone@192.0.2.1>${method === 'BYE' ? `;tag=some-tag-of-a-callee-${i}` : ''}\r\n` +
        `Call-ID: some-call-id-of-a-caller-${i}\r\nCSeq: 1 ${method}\r\n\r\n${'x'.repeat(LARGE)}`,
    ),
  );
  assert.ok(parsed.ok && parsed.value.kind === 'request');
  return parsed.value;
}

const each = (work: (i: number) => void): number =>
  heapGrowth(() => {
    for (let i = 0; i < COUNT; i++) work(i);
  });

describe('what is kept of a message does not keep the message', () => {
  it('an INVITE that was sent away', () => {
    const sentAway = new SentAway(() => 'source');
    assert.ok(each((i) => sentAway.add(large(i), TRUNK, 0)) < MOST_KEPT);
    assert.equal(sentAway.size, COUNT);
    assert.ok(sentAway.has(large(7), TRUNK, 1));
  });

  it('a request that passed', () => {
    const passed = new PassedRequests(() => 'source');
    const grown = each((i) => passed.add(`tx${i}`, large(i), TRUNK));
    assert.ok(grown < MOST_KEPT, String(grown));
    assert.ok(passed.knows(large(7), TRUNK) && passed.isCaller(large(7), TRUNK) && passed.isMerged(large(7)));
  });

  it('a request whose answer waits for copies of it', () => {
    const layer = createTransactionLayer({ random: seededRandom(1), sentBy: { host: '192.0.2.1' } });
    const grown = each((i) => {
      const [asked] = layer.receive(large(i, 'someone', 'BYE'), TRUNK, 0);
      assert.ok(asked?.type === 'request' && asked.tx !== null);
      layer.respond(asked.tx, createResponse(asked.request, 200), 0);
    });
    assert.ok(grown < MOST_KEPT, String(grown));
  });

  it('the nonce and the user of a proven answer', () => {
    const counts = new NonceCounts(COUNT, 60_000);
    const nonces = (i: number): [string, string] => {
      const { headers } = large(i);
      return [headers.callId, headers.from.params['tag']!];
    };
    const grown = each((i) => assert.ok(counts.use(...nonces(i), 0, 1, 0)));
    assert.ok(grown < MOST_KEPT, String(grown));
    assert.equal(counts.size, COUNT);
    assert.equal(counts.use(...nonces(7), 0, 1, 0), false);
  });

  it('the tokens of dialogs, made and read', () => {
    const made = each((i) => void dialogToken(SECRET, large(i).headers.callId, { trunk: 'first' }));
    assert.ok(made < MOST_KEPT, String(made));
    const read = each((i) => {
      const callId = `other-call-id-of-a-caller-${i}`;
      const token = large(i, dialogToken(SECRET, callId, { trunk: 'first' })).uri.user;
      assert.deepEqual(readDialogToken(SECRET, callId, token), { trunk: 'first' });
    });
    assert.ok(read < MOST_KEPT, String(read));
  });
});
