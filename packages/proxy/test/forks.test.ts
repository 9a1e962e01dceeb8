import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import type { SipSend } from '@sidetone/sip';
import fc from 'fast-check';
import { address, Rig, requests, responses, VOICE, VSP } from './rig.ts';

/**
 * Whatever the branches answer, in whatever order, with whatever delays, lost or twice, cancelled or not: voice gets
 * exactly one final response (or 2xx only), and nothing stays alive.
 */
function run(seed: number, kind: 'fork' | 'trunks'): void {
  const random = seededRandom(seed);
  const rig = new Rig({}, seed);
  const contacts = 1 + random.int(5);
  for (let i = 0; kind === 'fork' && i < contacts; i++)
    rig.send(VSP, {
      method: 'REGISTER',
      uri: 'sip:sip.test',
      to: 'sip:line2@sip.test',
      contact: [address(`sip:c${i}@vsp.sidetone.invalid`)],
      callId: `r${i}`,
    });
  const uri = kind === 'fork' ? 'sip:line2@sip.test' : 'sip:+1800@sip.test';
  const { request, out } = rig.send(VOICE, { uri, callId: 'c' });
  const ups: number[] = [];
  const open: (SipSend & { said?: number })[] = [];
  const note = (sends: readonly SipSend[]): void => {
    for (const s of sends) {
      if (s.message.kind === 'response') {
        if (s.message.headers.cseq.method === 'INVITE') ups.push(s.message.status);
      } else if (s.message.method === 'INVITE') {
        const branch = s.message.headers.via[0]!.params['branch'];
        if (!open.some((o) => o.message.headers.via[0]!.params['branch'] === branch)) open.push(s);
      } else if (s.message.method === 'CANCEL' && random.int(4) > 0) {
        note(rig.reply(s, 200));
        const branch = s.message.headers.via[0]!.params['branch'];
        const invite = open.find((o) => o.message.headers.via[0]!.params['branch'] === branch);
        if (invite !== undefined && random.int(3) > 0) note(rig.reply(invite, 487));
      }
    }
  };
  note(out);
  const finals = [200, 200, 302, 404, 408, 486, 487, 500, 503, 503, 504, 600, 603];
  for (let i = 0; i < 4 + random.int(25); i++) {
    const what = random.int(10);
    const target = open[random.int(open.length)]!;
    if (what < 3) note(rig.reply(target, [100, 180, 183][what]!, { toTag: `t${random.int(3)}` }));
    else if (what < 6) {
      const status = finals[random.int(finals.length)]!;
      note(rig.reply(target, status, { toTag: `t${random.int(3)}` }));
    } else if (what < 8) note(rig.pass(random.int(8_000)));
    else if (what === 8 && target.flow.transport !== 'local') note(rig.transportFailed(target.flow));
    else if (random.int(3) === 0) {
      const cseq = { seq: 1, method: 'CANCEL' };
      note(rig.receive({ ...request, method: 'CANCEL', headers: { ...request.headers, cseq } }, VOICE));
    }
  }
  note(rig.pass(30 * 60_000));
  const final = ups.filter((s) => s >= 200);
  const failures = final.filter((s) => s >= 300);
  assert.ok(final.length >= 1, `seed ${seed}: no final response`);
  assert.ok(failures.length <= 1, `seed ${seed}: ${final}`);
  if (failures.length === 1) assert.equal(final.length, 1, `seed ${seed}: ${final}`);
  assert.equal(rig.proxy.size, 0, `seed ${seed}: ${rig.proxy.size} left`);
  assert.equal(rig.proxy.deadline() === null || kind === 'fork', true, `seed ${seed}: a deadline is left`);
  assert.ok(responses(out).every((r) => r.status === 100));
  assert.ok(requests(out).length >= 1);
}

for (const kind of ['fork', 'trunks'] as const) {
  it(`${kind}: one final response, and nothing left over`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => run(seed, kind)),
      { numRuns: 400, seed: 42 },
    );
  });
}

it('garbage from outside leaves nothing and throws nothing', () => {
  const text = fc.string({ maxLength: 40 });
  const token = fc.stringMatching(/^[A-Za-z]{1,12}$/);
  fc.assert(
    fc.property(token, token, text, fc.integer({ min: 0, max: 255 }), (method, user, value, forwards) => {
      const rig = new Rig();
      const clean = value.replace(/[^\x20-\x7e]/g, '');
      const source = { transport: 'udp', host: '203.0.113.66', port: 5060 } as const;
      const request = rig.request(source, {
        method,
        uri: `sip:${user}@192.0.2.1`,
        maxForwards: forwards,
        headers: [
          ['Authorization', clean],
          ['Proxy-Authorization', `Digest ${clean}`],
          ['Expires', clean],
        ],
        route: [address('sip:d.AAAA.BBBB@192.0.2.1:5060;lr')],
        toTag: 'x',
      });
      rig.proxy.handle({ type: 'sip', message: request, flow: source }, rig.now);
      assert.equal(rig.proxy.size, 0);
    }),
    { numRuns: 300, seed: 7 },
  );
});
