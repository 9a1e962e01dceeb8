import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, header, headersNamed, type SipResponse } from '@sidetone/sip';
import { address, type Parts, Rig, requests, responses, statuses, VOICE } from './rig.ts';

/** What a phone may ask of the registrar is the same by every transport and with either digest. */
const FLOWS: readonly Flow[] = [
  { transport: 'udp', host: '198.51.100.7', port: 40_000 },
  { transport: 'tcp', host: '198.51.100.7', port: 40_001, connection: 'tcp' },
  { transport: 'ws', host: '198.51.100.7', port: 40_002, connection: 'ws' },
  { transport: 'wss', host: '198.51.100.7', port: 40_003, connection: 'wss' },
];

const contact = (user: string, params: Record<string, string> = {}) =>
  address(`sip:${user}@10.0.0.7`, params);

for (const flow of FLOWS)
  for (const algorithm of ['MD5', 'SHA-256'] as const)
    describe(`registration over ${flow.transport} with ${algorithm}`, () => {
      const start = () => {
        const rig = new Rig({}, 1, [algorithm]);
        const ask = (parts: Parts, password?: string): SipResponse => {
          rig.now += 5;
          const aor = 'sip:line1@sip.test';
          const all = {
            method: 'REGISTER',
            uri: 'sip:sip.test',
            from: aor,
            to: aor,
            callId: 'phone',
            ...parts,
          };
          return responses(rig.authenticated(flow, 'line1', all, password).out).at(-1)!;
        };
        return { rig, ask };
      };

      it('challenges with it, takes the answer, refuses a wrong one', () => {
        const { rig, ask } = start();
        const refused = ask({ contact: [contact('a')] }, 'wrong');
        assert.equal(refused.status, 401);
        assert.match(headersNamed(refused, 'WWW-Authenticate')[0]!, new RegExp(`algorithm=${algorithm},`));
        assert.equal(rig.proxy.bindings, 0);
        assert.equal(ask({ contact: [contact('a')], cseq: 10 }).status, 200);
        assert.equal(rig.proxy.bindings, 1);
      });

      it('several contacts, each with its time; one goes at its expiry, the rest by *', () => {
        const { rig, ask } = start();
        ask({ contact: [contact('a', { expires: '60' }), contact('b', { expires: '600' })] });
        assert.equal(rig.proxy.bindings, 2);
        rig.pass(61_000);
        assert.equal(rig.proxy.bindings, 1);
        const all = { contact: '*', cseq: 10, headers: [['Expires', '0']] } as const;
        assert.equal(ask({ ...all, headers: [['Expires', '60']] }).status, 400);
        assert.equal(ask({ ...all, cseq: 20 }).status, 200);
        assert.equal(rig.proxy.bindings, 0);
      });

      it('too short a time: 423 with the shortest; an older CSeq changes nothing', () => {
        const { rig, ask } = start();
        const brief = ask({ contact: [contact('a', { expires: '10' })] });
        assert.equal(brief.status, 423);
        assert.equal(header(brief, 'Min-Expires'), '60');
        assert.equal(ask({ contact: [contact('a')], cseq: 30 }).status, 200);
        assert.equal(ask({ contact: [contact('a', { expires: '0' })], cseq: 20 }).status, 500);
        assert.equal(rig.proxy.bindings, 1);
      });

      it('notes in the answer where the REGISTER came from (RFC 3581)', () => {
        const { rig } = start();
        const aor = 'sip:line1@sip.test';
        const parts = { method: 'REGISTER', uri: 'sip:sip.test', from: aor, to: aor };
        const request = rig.request(flow, { ...parts, contact: [contact('a')] });
        const [top] = request.headers.via;
        const inside = { ...request.headers, via: [{ ...top!, host: '10.0.0.7', port: 5060 }] };
        const [answer] = responses(rig.receive({ ...request, headers: inside }, flow));
        const { params } = answer!.headers.via[0]!;
        assert.equal(params['received'], '198.51.100.7');
        assert.equal(params['rport'], String(flow.transport === 'local' ? 0 : flow.port));
      });
    });

describe('a storm of registrations', () => {
  it('is answered as a whole, keeps what it leaves within bounds, and turns no call away', () => {
    const rig = new Rig({ finished: 5, requests: 5 });
    const [flow] = FLOWS;
    const aor = 'sip:line1@sip.test';
    const seen: number[] = [];
    for (let i = 0; i < 8; i++) {
      rig.now += 5;
      const parts = {
        method: 'REGISTER',
        uri: 'sip:sip.test',
        from: aor,
        to: aor,
        callId: 'storm',
        cseq: 10 * i + 1,
      };
      seen.push(...statuses(rig.authenticated(flow!, 'line1', { ...parts, contact: [contact('a')] }).out));
    }
    assert.deepEqual(
      seen.filter((status) => status !== 401),
      [200, 200, 200, 200, 200, 200, 200, 200],
    );
    assert.equal(rig.proxy.size, 10, 'five transactions that are over, and what knows their copies');
    assert.equal(requests(rig.send(VOICE, { uri: 'sip:+1800@sip.test' }).out, 'INVITE').length, 1);
    rig.pass(20 * 60_000);
    assert.equal(rig.proxy.size, 0);
  });
});
