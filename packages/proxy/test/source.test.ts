import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headersNamed, type SipMessage } from '@sidetone/sip';
import { address, type Parts, PHONE, Rig, requests, responses, TRUNK, VOICE } from './rig.ts';

const SOURCE = 'X-Sidetone-Source';
const FORGED = [[SOURCE, '203.0.113.66']] as const;
const BEHIND_NAT = [address('sip:line1@192.168.1.50:5062')];
const REGISTER: Parts = {
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: 'sip:line1@sip.test',
  to: 'sip:line1@sip.test',
  contact: BEHIND_NAT,
};

const sources = (message: SipMessage | undefined): readonly string[] => headersNamed(message!, SOURCE);

describe('phone-behind-nat-has-no-audio: voice hears where a phone speaks from', () => {
  it('in its requests, whatever it says itself, in and out of a dialog', () => {
    const rig = new Rig();
    const call = { uri: 'sip:+13125550100@192.0.2.1', from: 'sip:line1@sip.test', contact: BEHIND_NAT };
    rig.authenticated(PHONE, 'line1', REGISTER);
    const { out } = rig.authenticated(PHONE, 'line1', { ...call, headers: FORGED });
    assert.deepEqual(sources(requests(out, 'INVITE')[0]!.message), [PHONE.transport === 'udp' && PHONE.host]);
    rig.dialog('live', 'x');
    const live = { ...call, callId: 'live', toTag: 'x', uri: 'sip:v-1@192.0.2.1', headers: FORGED, cseq: 9 };
    for (const method of ['INVITE', 'UPDATE', 'ACK']) {
      const inDialog = { ...live, method };
      const [passed] = requests(rig.send(PHONE, inDialog).out, method);
      assert.deepEqual(sources(passed!.message), ['198.51.100.7'], method);
    }
  });

  it('in its responses: where it is registered from, not what they say', () => {
    const rig = new Rig();
    rig.authenticated(PHONE, 'line1', REGISTER);
    const invite = { uri: 'sip:line1@sip.test', to: 'sip:line1@sip.test', headers: FORGED };
    const [ring] = requests(rig.send(VOICE, invite).out, 'INVITE');
    assert.deepEqual(sources(ring!.message), [], 'nothing leaves');
    for (const status of [183, 200]) {
      const [up] = responses(rig.reply(ring!, status, { headers: FORGED }));
      assert.deepEqual(sources(up), ['198.51.100.7']);
    }
  });

  it('of a carrier it hears nothing of the kind', () => {
    const rig = new Rig();
    const call = { uri: 'sip:+13125550100@192.0.2.1', from: 'sip:+1555@carrier.example', headers: FORGED };
    assert.deepEqual(sources(requests(rig.send(TRUNK, call).out, 'INVITE')[0]!.message), []);
    const [out] = requests(rig.send(VOICE, { uri: 'sip:+15550100@sip.test', headers: FORGED }).out, 'INVITE');
    assert.deepEqual(sources(out!.message), []);
    const [up] = responses(rig.reply(out!, 200, { headers: FORGED }));
    assert.deepEqual(sources(up), []);
  });
});
