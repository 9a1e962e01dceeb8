import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Flow,
  formatNameAddr,
  formatUri,
  header,
  headersNamed,
  type NameAddr,
  type SipResponse,
} from '@sidetone/sip';
import { CONTACT_PARAM } from '@sidetone/wire';
import {
  address,
  type Parts,
  PHONE,
  Rig,
  requests,
  responses,
  routeSet,
  STRANGER,
  statuses,
  VOICE,
  withCredentials,
} from './rig.ts';

const socket = (connection: string, port = 51_000, transport: 'ws' | 'wss' = 'ws'): Flow => ({
  transport,
  host: '198.51.100.20',
  port,
  connection,
});
const PAGE = socket('one');

const REGISTER: Parts = {
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: 'sip:line1@sip.test',
  to: 'sip:line1@sip.test',
};
const PAGE_CONTACT = 'sip:k3j2@9a8b7c.invalid;transport=ws';

function register(rig: Rig, flow: Flow, parts: Parts): SipResponse {
  // A nonce of its own: an answer to one is good once.
  rig.now += 5;
  return responses(rig.authenticated(flow, 'line1', { ...REGISTER, ...parts }).out).at(-1)!;
}

/** A REGISTER of one of several flows (RFC 5626 §4.2). */
const flowContact = (regId: number | string, instance = '"<urn:uuid:1>"', uri = PAGE_CONTACT): NameAddr[] => [
  address(uri, { '+sip.instance': instance, 'reg-id': String(regId) }),
];
const OUTBOUND = [['Supported', 'path, outbound']] as const;

const listed = (rig: Rig): readonly NameAddr[] => {
  const [answer] = responses(rig.send(VOICE, { method: 'OPTIONS', uri: 'sip:line1@sip.test' }).out);
  return answer!.status === 200 ? (answer!.headers.contact as readonly NameAddr[]) : [];
};

/** voice calls the first contact it was told. */
const call = (rig: Rig, parts: Parts = {}) => {
  const [first] = listed(rig);
  assert.ok(first, 'nobody is registered');
  return rig.send(VOICE, { uri: formatUri(first.uri), callId: 'ring', ...parts });
};

describe('SIP over WebSocket (RFC 7118)', () => {
  it('a page is reached by its flow alone, and voice is told that its media is WebRTC', () => {
    for (const transport of ['ws', 'wss'] as const) {
      const rig = new Rig();
      const flow = socket('one', 51_000, transport);
      assert.equal(register(rig, flow, { contact: [address(PAGE_CONTACT)] }).status, 200);
      assert.equal(listed(rig)[0]!.uri.params[CONTACT_PARAM.media], 'webrtc');
      const [invite] = requests(call(rig).out, 'INVITE');
      assert.deepEqual(invite?.flow, flow);
      assert.equal(formatUri(invite.message.uri), PAGE_CONTACT, 'our marks stay inside');
      assert.equal(invite.message.headers.via[0]!.transport, transport.toUpperCase());
      const [route] = invite.message.headers.recordRoute;
      assert.equal(route?.uri.params['transport'], 'ws');
      // The page answers, and voice ends the call by the same flow.
      const [ok] = responses(rig.reply(invite, 200, { contact: [address(PAGE_CONTACT)] }));
      const bye = rig.send(VOICE, {
        method: 'BYE',
        uri: PAGE_CONTACT,
        callId: 'ring',
        cseq: 2,
        toTag: 'callee',
        route: routeSet(ok!),
      });
      assert.deepEqual(requests(bye.out, 'BYE')[0]?.flow, flow);
    }
  });

  it('other phones are told as they were: no mark of WebRTC', () => {
    const rig = new Rig();
    register(rig, PHONE, { contact: [address('sip:line1@10.0.0.7:5060')] });
    assert.equal(listed(rig)[0]!.uri.params[CONTACT_PARAM.media], undefined);
  });

  it('a connection that is gone takes the registration along, and a call that rings there ends at once', () => {
    const rig = new Rig();
    register(rig, PAGE, { contact: [address(PAGE_CONTACT)] });
    const [invite] = requests(call(rig).out, 'INVITE');
    rig.reply(invite!, 180);
    assert.deepEqual(statuses(rig.transportFailed(PAGE)), [503]);
    assert.equal(rig.proxy.bindings, 0);
    assert.deepEqual(listed(rig), []);
  });

  it('an .invalid host and a WebSocket address are never dialled', () => {
    const rig = new Rig();
    for (const uri of [PAGE_CONTACT, 'sip:x@9a8b7c.invalid', 'sip:x@198.51.100.9:80;transport=ws']) {
      const { out } = rig.send(VOICE, { method: 'BYE', uri, toTag: 'gone', cseq: 2 });
      assert.deepEqual(requests(out), [], uri);
      assert.deepEqual(statuses(out), [403], uri);
    }
  });

  it('a page on a carrier’s address is no carrier', () => {
    const rig = new Rig();
    const flow: Flow = { transport: 'ws', host: '192.0.2.50', port: 5070, connection: 'x' };
    assert.deepEqual(statuses(rig.send(flow, { from: 'sip:+1555@example.net' }).out), [407]);
  });

  it('its registration does not outlive the process; its calls find it again when it is back', () => {
    const rig = new Rig();
    register(rig, PAGE, { contact: [address(PAGE_CONTACT)], callId: 'page' });
    const [invite] = requests(call(rig).out, 'INVITE');
    const [ok] = responses(rig.reply(invite!, 200, { contact: [address(PAGE_CONTACT)] }));
    rig.restart();
    assert.equal(rig.proxy.bindings, 0);
    const again = socket('two', 51_001);
    register(rig, again, { contact: [address(PAGE_CONTACT)], callId: 'page', cseq: 5 });
    const parts = { method: 'BYE', uri: PAGE_CONTACT, callId: 'ring', toTag: 'callee', route: routeSet(ok!) };
    assert.deepEqual(requests(rig.send(VOICE, { ...parts, cseq: 2 }).out, 'BYE')[0]?.flow, again);
  });
});

describe('Path (RFC 3327)', () => {
  const EDGE: Flow = { transport: 'udp', host: '203.0.113.9', port: 5080 };
  const PATH = ['<sip:token@203.0.113.9:5080;lr>', '<sip:inner.example.com;lr>'];
  const through = (path: readonly string[], supported = 'path'): Parts => ({
    contact: [address('sip:line1@10.0.0.7:5060')],
    headers: [['Supported', supported], ...path.map((p): readonly [string, string] => ['Path', p])],
  });

  it('is kept, echoed, and the route set of requests, which leave by the flow of the REGISTER', () => {
    const rig = new Rig();
    const ok = register(rig, EDGE, through([PATH.join(', ')]));
    assert.equal(ok.status, 200);
    assert.deepEqual(headersNamed(ok, 'Path'), PATH);
    const [invite] = requests(call(rig).out, 'INVITE');
    assert.deepEqual(invite?.flow, EDGE);
    assert.deepEqual(invite.message.headers.route.map(formatNameAddr), PATH);
    assert.equal(formatUri(invite.message.uri), 'sip:line1@10.0.0.7:5060');
  });

  it('outlives the process', () => {
    const rig = new Rig();
    register(rig, EDGE, through(PATH));
    rig.restart();
    const [invite] = requests(call(rig).out, 'INVITE');
    assert.deepEqual(invite?.message.headers.route.map(formatNameAddr), PATH);
  });

  it('a Path names no third party: requests go where the REGISTER came from', () => {
    const rig = new Rig();
    register(rig, EDGE, through(['<sip:victim.example.com;lr>']));
    assert.deepEqual(requests(call(rig).out, 'INVITE')[0]?.flow, EDGE);
  });

  it('from a phone that does not know of it: 420', () => {
    const rig = new Rig();
    const refused = register(rig, EDGE, through(PATH, 'timer'));
    assert.equal(refused.status, 420);
    assert.equal(header(refused, 'Unsupported'), 'path');
    assert.equal(rig.proxy.bindings, 0);
  });

  it('without a password: challenged, and nothing is kept', () => {
    const rig = new Rig();
    const { out } = rig.send(STRANGER, { ...REGISTER, ...through(PATH) });
    assert.deepEqual(statuses(out), [401]);
    assert.equal(rig.proxy.bindings + rig.proxy.size, 0);
    assert.equal(rig.journal.size, 0);
  });

  for (const [what, path] of [
    ['no loose router', ['<sip:edge.example.com>']],
    ['no URI', ['nonsense']],
    ['a multicast host', ['<sip:224.0.0.1;lr>']],
    ['a room of ours', ['<sip:x@voice.sidetone.invalid;lr>']],
    ['headers within', ['<sip:edge.example.com;lr?Route=x>']],
    ['another scheme', ['<tel:+1555;lr>']],
    ['too many', Array.from({ length: 6 }, (_, i) => `<sip:${i}.example.com;lr>`)],
    ['too long', [`<sip:${'a'.repeat(1100)}@edge.example.com;lr>`]],
  ] as const)
    it(`${what}: 400, and nothing is kept`, () => {
      const rig = new Rig();
      assert.equal(register(rig, EDGE, through(path)).status, 400);
      assert.equal(rig.proxy.bindings, 0);
    });

  it('Route to elsewhere, of a stranger or of a phone, leads nowhere but to voice', () => {
    const rig = new Rig();
    const route = [address('sip:victim.example.com', { lr: '' })];
    assert.deepEqual(statuses(rig.send(STRANGER, { route }).out), [407]);
    const { out } = rig.authenticated(PHONE, 'line1', { route, from: 'sip:line1@sip.test' });
    const [invite] = requests(out, 'INVITE');
    assert.deepEqual(invite?.flow, VOICE);
    assert.deepEqual(invite.message.headers.route, []);
  });
});

describe('outbound (RFC 5626)', () => {
  it('is agreed upon in the 200', () => {
    const rig = new Rig();
    const ok = register(rig, PAGE, { contact: flowContact(1), headers: OUTBOUND });
    assert.equal(ok.status, 200);
    assert.equal(header(ok, 'Require'), 'outbound');
    assert.match(header(ok, 'Flow-Timer') ?? '', /^\d+$/);
    const [back] = ok.headers.contact as readonly NameAddr[];
    assert.equal(back?.params['+sip.instance'], '"<urn:uuid:1>"');
    assert.equal(back.params['reg-id'], '1');
  });

  it('not with a phone that does not say it knows it, nor for contacts that name no flow', () => {
    const rig = new Rig();
    for (const [contact, headers] of [
      [flowContact(1), []],
      [[address(PAGE_CONTACT)], OUTBOUND],
      [flowContact('x'), OUTBOUND],
      [flowContact(0), OUTBOUND],
      [flowContact(2 ** 31), OUTBOUND],
      [[address(PAGE_CONTACT, { 'reg-id': '1' })], OUTBOUND],
    ] as const) {
      const ok = register(rig, PAGE, { contact, headers, callId: `c${contact[0]!.params['reg-id'] ?? ''}` });
      assert.equal(ok.status, 200);
      assert.equal(header(ok, 'Require'), undefined);
    }
    assert.equal(rig.proxy.bindings, 1);
  });

  it('a new connection of the same flow takes the place of the old one, whatever its address', () => {
    const rig = new Rig();
    register(rig, PAGE, { contact: flowContact(1), headers: OUTBOUND, callId: 'a' });
    const again = socket('two');
    const contact = flowContact(1, undefined, 'sip:other@other.invalid;transport=ws');
    register(rig, again, { contact, headers: OUTBOUND, callId: 'b' });
    assert.equal(rig.proxy.bindings, 1);
    assert.deepEqual(requests(call(rig).out, 'INVITE')[0]?.flow, again);
    // The end of the old connection, told late, changes nothing.
    rig.transportFailed(PAGE);
    assert.equal(rig.proxy.bindings, 1);
  });

  /** Two flows of one phone; the second is the last to register. */
  function twoFlows(): { rig: Rig; first: Flow; second: Flow } {
    const rig = new Rig();
    const first = PAGE;
    const second = socket('two', 51_002);
    register(rig, first, { contact: flowContact(1), headers: OUTBOUND, callId: 'a' });
    register(rig, second, { contact: flowContact(2), headers: OUTBOUND, callId: 'b' });
    assert.equal(rig.proxy.bindings, 2);
    return { rig, first, second };
  }

  it('several flows of one phone are one contact, rung once', () => {
    const { rig, second } = twoFlows();
    assert.equal(listed(rig).length, 1);
    const invites = requests(call(rig).out, 'INVITE');
    assert.deepEqual(
      invites.map(({ flow }) => flow),
      [second],
    );
  });

  it('430 and a failed flow lead to the next; a refusal does not', () => {
    for (const end of [430, 'failed'] as const) {
      const { rig, first, second } = twoFlows();
      const [invite] = requests(call(rig).out, 'INVITE');
      const out = end === 430 ? rig.reply(invite!, 430) : rig.transportFailed(second);
      const next = requests(out, 'INVITE')[0];
      assert.deepEqual(next?.flow, first, String(end));
      assert.deepEqual(statuses(rig.reply(next, 180)), [180]);
    }
    const { rig } = twoFlows();
    const [invite] = requests(call(rig).out, 'INVITE');
    const out = rig.reply(invite!, 486);
    assert.deepEqual(requests(out, 'INVITE'), []);
    assert.deepEqual(statuses(out), [486]);
  });

  it('a flow that is silent gives way to the next', () => {
    const { rig, first } = twoFlows();
    call(rig);
    assert.deepEqual(requests(rig.pass(4_000), 'INVITE').at(-1)?.flow, first);
  });

  it('between the look-up and the call the flow dies: the other one is rung', () => {
    const { rig, first, second } = twoFlows();
    const [contact] = listed(rig);
    rig.transportFailed(second);
    const { out } = rig.send(VOICE, { uri: formatUri(contact!.uri) });
    assert.deepEqual(requests(out, 'INVITE')[0]?.flow, first);
  });

  it('a proxy before the phone that does not keep flows: 439', () => {
    const rig = new Rig();
    const edge: Flow = { transport: 'udp', host: '203.0.113.9', port: 5080 };
    const via = { transport: 'UDP', host: '10.0.0.7', params: { branch: 'z9hG4bK-phone' } };
    const send = (path: string): SipResponse => {
      rig.now += 5;
      const challenge = responses(rig.send(edge, { ...REGISTER, contact: flowContact(1) }).out)[0]!;
      const headers = [...OUTBOUND, ['Path', path] as const];
      const request = rig.request(edge, { ...REGISTER, contact: flowContact(1), headers, cseq: 2 });
      const behind = {
        ...request,
        headers: { ...request.headers, via: [...request.headers.via, via] },
      };
      rig.receive(withCredentials(behind, challenge, 'line1', 'secret of line1'), edge);
      return responses(rig.answerLookups()).at(-1)!;
    };
    assert.equal(send('<sip:203.0.113.9:5080;lr>').status, 439);
    assert.equal(rig.proxy.bindings, 0);
    const ok = send('<sip:203.0.113.9:5080;lr;ob>');
    assert.equal(ok.status, 200);
    assert.equal(header(ok, 'Require'), 'outbound');
  });

  it('two flows in one REGISTER: 400', () => {
    const rig = new Rig();
    const contact = [...flowContact(1), ...flowContact(2)];
    assert.equal(register(rig, PAGE, { contact, headers: OUTBOUND }).status, 400);
    assert.equal(rig.proxy.bindings, 0);
  });
});
