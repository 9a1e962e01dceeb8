import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, header } from '@sidetone/sip';
import { address, PHONE, Rig, requests, responses, STRANGER, statuses, TRUNK, VOICE } from './rig.ts';

const WEB: Flow = { transport: 'ws', host: '198.51.100.7', port: 50_000, connection: 'w' };
const TCP: Flow = { transport: 'tcp', host: '203.0.113.66', port: 50_000, connection: 't' };

describe('options-with-max-forwards-0', () => {
  for (const [name, flow] of [
    ['a trunk', TRUNK],
    ['a phone', PHONE],
    ['a phone by WebSocket', WEB],
    ['a stranger', STRANGER],
    ['a stranger by TCP', TCP],
  ] as const) {
    it(`${name} that pings us hears 200, and nothing is kept`, () => {
      for (const uri of [
        'sip:192.0.2.1',
        'sip:192.0.2.1:5060',
        'sip:sip.test',
        'sip:line1@sip.test',
        'sip:nobody@sip.test',
      ]) {
        const rig = new Rig();
        const { out } = rig.send(flow, { method: 'OPTIONS', uri, maxForwards: 0 });
        assert.deepEqual(statuses(out), [200], uri);
        const [answer] = responses(out);
        assert.match(header(answer!, 'Allow') ?? '', /^INVITE, ACK/);
        assert.match(header(answer!, 'Accept') ?? '', /^application\/sdp/);
        assert.equal(rig.proxy.size, 0);
      }
    });

    it(`${name} hears 483 for others, and for every other method`, () => {
      const rig = new Rig();
      for (const uri of ['sip:example.com', 'sip:user@192.0.2.99'])
        assert.deepEqual(statuses(rig.send(flow, { method: 'OPTIONS', uri, maxForwards: 0 }).out), [483]);
      const route = [address('sip:203.0.113.9;lr')];
      const routed = rig.send(flow, { method: 'OPTIONS', uri: 'sip:192.0.2.1', route, maxForwards: 0 });
      assert.deepEqual(statuses(routed.out), [483]);
      for (const method of ['INVITE', 'REGISTER', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'FOO'])
        assert.deepEqual(
          statuses(rig.send(flow, { method, uri: 'sip:192.0.2.1', maxForwards: 0 }).out),
          [483],
          method,
        );
      rig.dialog('live', 'x');
      const live = { callId: 'live', toTag: 'x', uri: 'sip:192.0.2.1', maxForwards: 0 };
      for (const method of ['BYE', 'INFO'])
        assert.deepEqual(statuses(rig.send(flow, { ...live, method }).out), [483], method);
      assert.equal(rig.proxy.size, 0);
    });
  }

  it('by our own Route it is for us as well', () => {
    const rig = new Rig();
    const route = [address('sip:192.0.2.1:5060;lr')];
    const { out } = rig.send(STRANGER, { method: 'OPTIONS', uri: 'sip:192.0.2.1', route, maxForwards: 0 });
    assert.deepEqual(statuses(out), [200]);
  });

  it('in a dialog it is asked of the dialog; strangers are challenged as ever', () => {
    const rig = new Rig();
    rig.dialog('live', 'x');
    const parts = { callId: 'live', toTag: 'x', maxForwards: 0 };
    const ping = { ...parts, method: 'OPTIONS', uri: 'sip:v-1@192.0.2.1' };
    const [toVoice] = requests(rig.send(TRUNK, ping).out, 'OPTIONS');
    assert.deepEqual(toVoice?.flow, VOICE);
    assert.equal(toVoice!.message.headers.maxForwards, 0);
    assert.deepEqual(statuses(rig.send(STRANGER, ping).out), [407]);
  });

  it('an unknown extension is still told', () => {
    const rig = new Rig();
    const headers = [['Proxy-Require', 'nothing']] as const;
    const { out } = rig.send(STRANGER, { method: 'OPTIONS', uri: 'sip:192.0.2.1', headers, maxForwards: 0 });
    assert.deepEqual(statuses(out), [420]);
  });
});
