import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import { createRequest, createResponse } from '@sidetone/sip';
import fc from 'fast-check';
import {
  type ContextInput,
  type ContextOutput,
  newContext,
  responseContextMachine,
} from '../src/response-context.ts';
import type { Target } from '../src/target.ts';
import { address, uri } from './rig.ts';

const invite = createRequest({
  method: 'INVITE',
  uri: uri('sip:b@sip.test'),
  from: address('sip:a@sip.test', { tag: 'a' }),
  to: address('sip:b@sip.test'),
  callId: 'c',
  cseq: 1,
});
const target = (name: string): Target => ({
  uri: uri(`sip:${name}@192.0.2.50`),
  flow: { transport: 'udp', host: '192.0.2.50', port: 5060 },
  route: [],
});

it('answers once, or passes 2xx and answers never; state stays plain data', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.boolean(), (seed, isInvite) => {
      const random = seededRandom(seed);
      const groups = Array.from({ length: 1 + random.int(3) }, (_, g) =>
        Array.from({ length: 1 + random.int(3) }, (_, t) => target(`g${g}t${t}`)),
      );
      let state = newContext(isInvite, groups, { timerC: 200_000, trunkSilence: 3_500 });
      let now = 0;
      const out: ContextOutput[] = [];
      const step = (input: ContextInput): void => {
        const result = responseContextMachine.step(state, input, now);
        state = JSON.parse(JSON.stringify(result.state));
        out.push(...result.out);
      };
      const statuses = [100, 180, 183, 200, 302, 404, 408, 486, 503, 504, 603];
      step({ type: 'start' });
      for (let i = 0; i < 30; i++) {
        const branch = random.int(state.branches.length + 1);
        const what = random.int(12);
        if (what < 7) {
          const response = createResponse(invite, statuses[random.int(statuses.length)]!);
          step({ type: 'response', branch, response });
        } else if (what < 9) step({ type: 'failed', branch, status: random.int(2) === 0 ? 408 : 503 });
        else if (what === 9 && random.int(3) === 0) step({ type: 'cancel', headers: [] });
        else {
          now += random.int(5_000);
          step({ type: 'tick' });
        }
      }
      // What is left ends as transactions do: with a timeout, which timer C brings about where nothing else does.
      for (let i = 0; i < 20; i++) {
        now += 200_000;
        step({ type: 'tick' });
        state.branches.forEach((_, branch) => {
          step({ type: 'failed', branch, status: 408 });
        });
      }
      const answers = out.filter((o) => o.type === 'answer').length;
      const passed = out.filter((o) => o.type === 'pass' && o.response.status >= 200);
      const firstFinal = out.findIndex(
        (o) => o.type === 'answer' || (o.type === 'pass' && o.response.status >= 200),
      );
      assert.ok(answers <= 1);
      assert.ok(answers === 1 || passed.length >= 1);
      if (answers === 1 && passed.length > 0) assert.equal(out[firstFinal]!.type, 'answer');
      if (!isInvite) assert.equal(answers + passed.length, 1);
      const late = out.slice(firstFinal + 1);
      assert.ok(late.every((o) => o.type !== 'send' && (o.type !== 'pass' || o.response.status >= 200)));
      const cancelled = out.flatMap((o) => (o.type === 'cancel' ? [o.branch] : []));
      assert.equal(new Set(cancelled).size, cancelled.length);
      assert.equal(responseContextMachine.deadline(state), null);
    }),
    { numRuns: 600, seed: 11 },
  );
});
