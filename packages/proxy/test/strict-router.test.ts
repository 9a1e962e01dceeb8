import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatUri, type NameAddr, type Uri } from '@sidetone/sip';
import { address, PHONE, Rig, requests, responses, routeSet, statuses, TRUNK, uri, VOICE } from './rig.ts';

const routes = (list: readonly NameAddr[]): string[] => list.map((r) => formatUri(r.uri));
const without = ({ params, ...rest }: Uri, name: string): Uri => {
  const { [name]: _, ...left } = params;
  return { ...rest, params: left };
};

describe('strict-router', () => {
  it('in the route set of a call to a carrier: it gets the request URI, the target comes last (§16.6 item 6)', () => {
    for (const method of ['ACK', 'BYE', 'INVITE', 'INFO']) {
      const rig = new Rig();
      const [invite] = requests(rig.send(VOICE, { uri: 'sip:+1800@sip.test', callId: 'c' }).out);
      const ours = invite!.message.headers.recordRoute;
      const [up] = responses(
        rig.reply(
          {
            ...invite!,
            message: {
              ...invite!.message,
              headers: {
                ...invite!.message.headers,
                recordRoute: [
                  address('sip:core.carrier@192.0.2.78;lr'),
                  address('sip:edge@192.0.2.77:5090;method=INVITE?Subject=x'),
                  ...ours,
                ],
              },
            },
          },
          200,
          { contact: [address('sip:gw@10.0.0.9')] },
        ),
      );
      const { out } = rig.send(VOICE, {
        method,
        uri: 'sip:gw@10.0.0.9',
        toTag: 'callee',
        callId: 'c',
        cseq: method === 'ACK' ? 1 : 2,
        route: routeSet(up!),
      });
      const [sent] = requests(out, method);
      assert.deepEqual(sent!.flow, { transport: 'udp', host: '192.0.2.77', port: 5090 });
      assert.equal(formatUri(sent!.message.uri), 'sip:edge@192.0.2.77:5090');
      assert.deepEqual(routes(sent!.message.headers.route), [
        'sip:core.carrier@192.0.2.78;lr',
        'sip:gw@10.0.0.9',
      ]);
    }
  });

  it('on the way to a phone: by its flow all the same', () => {
    const rig = new Rig();
    rig.authenticated(PHONE, 'line1', {
      method: 'REGISTER',
      uri: 'sip:sip.test',
      to: 'sip:line1@sip.test',
      contact: [address('sip:line1@10.0.0.7')],
    });
    const call = rig.authenticated(PHONE, 'line1', { uri: 'sip:+1800@sip.test', callId: 'p' });
    const [toVoice] = requests(call.out, 'INVITE');
    const ours = toVoice!.message.headers.recordRoute;
    const { out } = rig.send(VOICE, {
      method: 'BYE',
      uri: 'sip:line1@10.0.0.7',
      toTag: 'from',
      callId: 'p',
      route: [...ours, address('sip:pbx@10.0.0.1')],
    });
    const [bye] = requests(out, 'BYE');
    assert.deepEqual(bye!.flow, PHONE);
    assert.equal(formatUri(bye!.message.uri), 'sip:pbx@10.0.0.1');
    assert.deepEqual(routes(bye!.message.headers.route), ['sip:line1@10.0.0.7']);
  });

  it('before us: what it put into the request URI is undone (§16.4), with and without lr', () => {
    for (const lr of [true, false])
      for (const flow of [TRUNK, { ...TRUNK, host: '192.0.2.99' }]) {
        const rig = new Rig();
        const call = rig.send(TRUNK, { callId: 'c', contact: [address('sip:gw@192.0.2.50:5070')] });
        const [toVoice] = requests(call.out, 'INVITE');
        const ours = toVoice!.message.headers.recordRoute[0]!.uri;
        rig.reply(toVoice!, 200, { contact: [address('sip:v-1@192.0.2.1')] });
        const { out } = rig.send(flow, {
          method: 'BYE',
          uri: formatUri(lr ? ours : without(ours, 'lr')),
          toTag: 'callee',
          callId: 'c',
          cseq: 2,
          route: [address('sip:v-1@192.0.2.1')],
        });
        const [bye] = requests(out, 'BYE');
        assert.deepEqual(bye?.flow, VOICE);
        assert.equal(formatUri(bye!.message.uri), 'sip:v-1@192.0.2.1');
        assert.deepEqual(bye!.message.headers.route, []);
      }
  });

  it('the token of another call proves nothing', () => {
    const rig = new Rig();
    const [toVoice] = requests(rig.send(TRUNK, { callId: 'c' }).out, 'INVITE');
    const ours = toVoice!.message.headers.recordRoute[0]!.uri;
    rig.dialog('another', 'callee');
    const { out } = rig.send(PHONE, {
      method: 'BYE',
      uri: formatUri(ours),
      toTag: 'callee',
      callId: 'another',
      route: [{ uri: uri('sip:v-1@192.0.2.1'), params: {} }],
    });
    assert.deepEqual(statuses(out), [407]);
  });
});
