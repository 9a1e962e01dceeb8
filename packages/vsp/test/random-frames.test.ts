import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import { createVsp } from '../src/index.ts';
import { Bench, LEG, sdpOf } from './bench.ts';

const METHODS = [
  'login',
  'anonymous_login',
  'ai_conversation',
  ...[
    'gatewayState',
    'ping',
    'invite',
    'answer',
    'attach',
    'bye',
    'modify',
    'info',
    'candidate',
    'endOfCandidates',
    'attachCalls',
    'subscribe',
    'disable_push_notification',
    'nonsense',
  ].map((name) => `telnyx_rtc.${name}`),
];

const text = fc.oneof(
  fc.constantFrom('9196', 'line2@sip.localhost', 'Ann "A" <x>', 'käse', '1#', 'a\r\nVia: b', '', 'sip:x@y;z'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const header = fc.record({
  name: fc.oneof(fc.constantFrom('X-A', 'Via', 'X-Sidetone-Trunk'), text),
  value: text,
});

/** Natives lose calls whose id is no UUID. */
const CALLS = ['c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000002'];

/** Frames that are nearly right: the right names, with values of every kind. */
const frame = fc.record({
  id: fc.oneof(fc.constantFrom('a', 1, null), fc.jsonValue({ maxDepth: 1 })),
  method: fc.constantFrom(...METHODS),
  params: fc.record(
    {
      sdp: fc.oneof(fc.constant(sdpOf('client')), text),
      action: fc.constantFrom('hold', 'unhold', 'toggleHold', 'updateMedia', 'transfer', 'replace'),
      destination: fc.oneof(fc.constantFrom('1', 'line2', 'line2@sip.localhost'), text),
      replaceCallID: fc.oneof(fc.constantFrom(...CALLS, LEG), text),
      dtmf: fc.oneof(fc.constantFrom('1', '12#'), text),
      candidate: fc.oneof(fc.constant('candidate:1 1 udp 1 192.0.2.1 9 typ host'), text),
      login: fc.constantFrom('line1', 'line2', 'nobody'),
      passwd: fc.constantFrom('one', 'two'),
      cause: fc.oneof(fc.constantFrom('USER_BUSY', 'CALL_REJECTED'), text),
      sipCode: fc.oneof(fc.constantFrom(486, 603, null), fc.integer()),
      'User-Agent': fc.oneof(fc.constantFrom('Web-2.27.10', 'Sidetone-0.1.0'), text),
      dialogParams: fc.record(
        {
          callID: fc.constantFrom(...CALLS, LEG),
          destination_number: text,
          caller_id_name: text,
          caller_id_number: text,
          clientState: text,
          custom_headers: fc.array(header, { maxLength: 2 }),
        },
        { requiredKeys: ['callID'] },
      ),
    },
    { requiredKeys: ['sdp', 'dialogParams'] },
  ),
});

const happening = fc.oneof(
  { weight: 6, arbitrary: frame.map((value) => ({ kind: 'frame' as const, text: JSON.stringify(value) })) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary' }).map((value) => ({ kind: 'frame' as const, text: value })),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000 }).map((ms) => ({ kind: 'time' as const, ms })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(180, 183, 200, 486).map((status) => ({ kind: 'voice' as const, status })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'ring' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reinvite' as const }) },
  { weight: 1, arbitrary: fc.boolean().map((noticed) => ({ kind: 'drop' as const, noticed })) },
);

const client = fc.constantFrom(
  'Web-2.27.10',
  'iOS-3.2.1',
  'iOS-4.1.2',
  'Android-3.7.0',
  'Flutter-4.4.0',
  'ReactNative-1.1.0',
);

test('whatever a logged-in client does, all frames and messages are well formed, and nothing is left', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), client, (events, agent) => {
      const bench = new Bench();
      bench.login('s1', 'line1', agent);
      const token = bench.frames[0]!.json['voice_sdk_id'];
      let socket = 's1';
      let drops = 0;
      for (const event of events) {
        if (event.kind === 'frame') bench.send(socket, event.text);
        else if (event.kind === 'drop') {
          if (event.noticed) bench.input({ type: 'closed', socket });
          socket = `s${++drops + 1}`;
          bench.open(socket, { voice_sdk_id: token });
          const login = { login: 'line1', passwd: 'one', 'User-Agent': agent };
          bench.request(socket, `login-${drops}`, 'login', login);
          bench.request(socket, `state-${drops}`, 'telnyx_rtc.gatewayState');
        } else if (event.kind === 'reinvite') {
          const leg = bench.heard.findLast((out) => out.type === 'incoming')?.leg;
          if (leg !== undefined) bench.say(bench.voice.reinvite(leg, sdpOf('renewed'), 'r', bench.now));
        } else if (event.kind === 'time') bench.advance(event.ms);
        else if (event.kind === 'ring') bench.ring('line1');
        else if (bench.heard.some((out) => out.type === 'incoming')) {
          bench.respond(
            event.status,
            event.status === 183 || event.status === 200 ? { sdp: sdpOf('p') } : {},
          );
        }
      }
      for (let i = 1; i <= drops + 1; i++) bench.input({ type: 'closed', socket: `s${i}` });
      // Longer than every SIP timer; voice answers what still rings there.
      for (const out of bench.heard.filter((heard) => heard.type === 'incoming'))
        bench.say(bench.voice.respond(out.leg, 487, {}, bench.now));
      bench.advance(200_000);
      assert.equal(bench.vsp.size, 0);
      assert.equal(bench.vsp.deadline(), null);
    }),
    { numRuns: 300 },
  );
});

test('every request of a logged-in client is answered once, before long', () => {
  fc.assert(
    fc.property(frame, (value) => {
      const bench = new Bench();
      bench.login('s1');
      bench.answerLogins = true;
      bench.send('s1', { ...value, id: 'unique' });
      bench.advance(12_000);
      const answers = bench.frames.filter(
        ({ json }) => json['id'] === 'unique' && ('result' in json || 'error' in json),
      );
      assert.equal(answers.length, 1, JSON.stringify(value));
    }),
    { numRuns: 200 },
  );
});

test('a socket without a login owns nothing that grows', () => {
  const vsp = createVsp({
    random: seededRandom(1),
    epoch: () => 0,
    domain: 'sip.localhost',
    region: 'local',
    dc: 'local',
    keepMs: 120_000,
  });
  vsp.handle({ type: 'open', socket: 's', query: {}, address: '192.0.2.1' }, 0);
  const size = vsp.size;
  let told = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        frame.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      (text) => {
        for (const out of vsp.handle({ type: 'frame', socket: 's', text }, 1)) {
          assert.ok(out.type === 'frame' || out.type === 'authenticate' || out.type === 'close', out.type);
          if (out.type === 'frame') told += out.text.length;
        }
        assert.ok(vsp.size <= size);
      },
    ),
  );
  assert.ok(told < 4096 + 512, `${told} bytes`);
});
