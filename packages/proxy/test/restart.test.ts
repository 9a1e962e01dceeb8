import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, header, type SipRequest } from '@sidetone/sip';
import {
  address,
  PHONE,
  Rig,
  requests,
  responses,
  routeSet,
  STRANGER,
  statuses,
  TRUNK,
  uri,
  VOICE,
} from './rig.ts';

const branchOf = (request: SipRequest): string => request.headers.via[0]!.params['branch']!;

/** The carrier calls; voice has its INVITE and rings. */
const arriving = () => {
  const rig = new Rig();
  const { request, out } = rig.send(TRUNK, { from: 'sip:+1555@example.net' });
  const invite = requests(out, 'INVITE')[0]!;
  rig.reply(invite, 180);
  return { rig, request, invite };
};

/** voice calls a number; the carrier has the INVITE. */
const leaving = () => {
  const rig = new Rig();
  const { request, out } = rig.send(VOICE, { uri: 'sip:+1800@sip.test' });
  return { rig, request, invite: requests(out, 'INVITE')[0]! };
};

/** A phone is registered by a flow, with a contact at an address. */
const registered = (flow: Flow, contact: string) => {
  const rig = new Rig();
  rig.authenticated(flow, 'line1', {
    method: 'REGISTER',
    uri: 'sip:sip.test',
    from: 'sip:line1@sip.test',
    to: 'sip:line1@sip.test',
    callId: 'register',
    contact: [address(contact)],
  });
  assert.equal(rig.proxy.bindings, 1);
  return rig;
};

describe('a restart under an unanswered call from outside', () => {
  it('refuses it with the cause and a time to come back, until the ACK', () => {
    const { rig, request } = arriving();
    assert.equal(rig.journal.size, 1);
    assert.deepEqual(statuses(rig.restart()), [], 'an answer of voice may still come');
    const [refusal] = responses(rig.pass(500));
    assert.equal(refusal?.status, 503);
    assert.match(header(refusal, 'Reason')!, /^Q\.850;cause=41;text="Server restarted"$/);
    assert.match(header(refusal, 'Retry-After')!, /^\d+$/);
    assert.equal(refusal.headers.callId, request.headers.callId);
    assert.deepEqual(statuses(rig.pass(500)), [503], 'repeated: the first may be lost');
    const { headers } = request;
    rig.receive(
      {
        ...request,
        method: 'ACK',
        headers: { ...headers, to: refusal.headers.to, cseq: { seq: 1, method: 'ACK' } },
      },
      TRUNK,
    );
    assert.deepEqual(rig.pass(64_000), []);
    assert.equal(rig.proxy.size, 0);
    assert.equal(rig.journal.size, 0);
  });

  it('a repeated INVITE makes no second call', () => {
    const { rig, request } = arriving();
    rig.restart();
    assert.deepEqual(rig.receive(request, TRUNK), []);
  });

  it('its CANCEL gets 200, the call 487', () => {
    const { rig, request } = arriving();
    rig.restart();
    const { headers } = request;
    const cancel = {
      ...request,
      method: 'CANCEL',
      headers: { ...headers, cseq: { seq: 1, method: 'CANCEL' } },
    };
    assert.deepEqual(statuses(rig.receive(cancel, TRUNK)), [200, 487]);
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
    assert.equal(rig.journal.size, 0);
  });

  it('an answer that voice repeats wins', () => {
    const { rig, request, invite } = arriving();
    rig.restart();
    const [answer] = rig.reply(invite, 200);
    assert.equal(answer?.message.kind === 'response' && answer.message.status, 200);
    assert.deepEqual(answer?.flow, TRUNK);
    assert.equal(branchOf(request), answer?.message.headers.via[0]?.params['branch']);
    assert.deepEqual(statuses(rig.pass(64_000)), []);
    assert.equal(rig.journal.size, 0);
  });

  it('a second restart tells it again', () => {
    const { rig } = arriving();
    rig.restart();
    rig.pass(500);
    rig.restart();
    assert.deepEqual(statuses(rig.pass(500)), [503]);
  });

  it('over a connection that is dead: by a new one to the port of the Via', () => {
    const rig = new Rig();
    const flow: Flow = { transport: 'tcp', host: '192.0.2.50', port: 40123, connection: 'c1' };
    const made = rig.request(flow, { from: 'sip:+1555@example.net' });
    const [via] = made.headers.via;
    const request = { ...made, headers: { ...made.headers, via: [{ ...via!, port: 5070 }] } };
    rig.receive(request, flow);
    rig.restart();
    const [send] = rig.pass(500);
    assert.deepEqual(send?.flow, { transport: 'tcp', host: '192.0.2.50', port: 5070 });
  });
});

describe('a restart under a call that we make', () => {
  it('cancels it under the branch of its INVITE', () => {
    const { rig, invite } = leaving();
    rig.reply(invite, 180);
    const [cancel] = requests(rig.restart(), 'CANCEL');
    assert.equal(branchOf(cancel!.message), branchOf(invite.message));
    assert.equal(header(cancel!.message, 'Reason'), 'Q.850;cause=41;text="Server restarted"');
    assert.deepEqual(cancel!.flow, invite.flow);
    const acks = requests(rig.reply(invite, 487), 'ACK');
    assert.equal(branchOf(acks[0]!.message), branchOf(invite.message));
    rig.reply(cancel!, 200);
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
    assert.equal(rig.journal.size, 0);
  });

  it('a 2xx that crossed goes up to voice, which ends it; so does one that repeats', () => {
    const { rig, request, invite } = leaving();
    rig.restart();
    for (let i = 0; i < 2; i++) {
      const [up] = rig.reply(invite, 200);
      assert.deepEqual(up?.flow, VOICE);
      assert.deepEqual(up?.message.headers.via, request.headers.via);
    }
    assert.equal(rig.journal.size, 0);
  });

  it('a 2xx of a call that was answered before goes to voice as well, for a while', () => {
    const { rig, invite } = leaving();
    rig.reply(invite, 200);
    assert.equal(rig.journal.size, 0);
    rig.restart();
    assert.deepEqual(rig.reply(invite, 200)[0]?.flow, VOICE);
    rig.pass(32_000);
    assert.deepEqual(rig.reply(invite, 200), []);
  });

  it('nobody there: forgotten', () => {
    const { rig } = leaving();
    rig.restart();
    rig.pass(64_000);
    assert.equal(rig.proxy.size, 0);
    assert.equal(rig.journal.size, 0);
  });
});

describe('a restart under a call', () => {
  it('requests of the dialog pass in both directions', () => {
    const { rig, request, invite } = leaving();
    const [answer] = responses(rig.reply(invite, 200));
    assert.equal(rig.journal.size, 0, 'nothing is kept for an answered call');
    rig.restart();
    const route = routeSet(answer!);
    const { callId } = request.headers;
    const ours = rig.send(VOICE, {
      method: 'BYE',
      uri: 'sip:x@192.0.2.50:5070',
      toTag: 'callee',
      callId,
      cseq: 2,
      route,
    });
    assert.deepEqual(requests(ours.out, 'BYE')[0]?.flow, TRUNK);
    const theirs = rig.send(STRANGER, {
      method: 'BYE',
      uri: 'sip:v-1@192.0.2.1',
      toTag: 'from',
      callId,
      route,
    });
    assert.deepEqual(requests(theirs.out, 'BYE')[0]?.flow, VOICE);
    const forged = rig.send(STRANGER, {
      method: 'BYE',
      uri: 'sip:v-1@192.0.2.1',
      toTag: 'from',
      callId: 'other',
      route,
    });
    assert.deepEqual(statuses(forged.out), [481]);
  });

  it('a phone that has a new connection is reached by it', () => {
    const flow = { transport: 'tcp' as const, host: '198.51.100.7', port: 40000 };
    const contact = 'sip:line1@198.51.100.7:5090;transport=tcp';
    const rig = registered({ ...flow, connection: 'c1' }, contact);
    const { request, out } = rig.send(VOICE, { uri: 'sip:line1@sip.test' });
    const [answer] = responses(rig.reply(requests(out, 'INVITE')[0]!, 200));
    rig.restart();
    rig.now += 1000;
    const again = { ...flow, port: 40001, connection: 'c2' };
    rig.authenticated(again, 'line1', {
      method: 'REGISTER',
      uri: 'sip:sip.test',
      from: 'sip:line1@sip.test',
      to: 'sip:line1@sip.test',
      callId: 'register',
      cseq: 7,
      contact: [address(contact)],
    });
    const { callId } = request.headers;
    const bye = rig.send(VOICE, {
      method: 'BYE',
      uri: contact,
      toTag: 'callee',
      callId,
      cseq: 2,
      route: routeSet(answer!),
    });
    assert.deepEqual(requests(bye.out, 'BYE')[0]?.flow, again);
  });
});

describe('phones after a restart', () => {
  const ring = (rig: Rig) => requests(rig.send(VOICE, { uri: 'sip:line1@sip.test' }).out, 'INVITE')[0];

  it('by UDP: the same flow, until it expires', () => {
    const rig = registered(PHONE, 'sip:line1@10.0.0.7:5060');
    rig.restart();
    assert.deepEqual(ring(rig)?.flow, PHONE);
    assert.deepEqual(ring(rig)?.message.uri, uri('sip:line1@10.0.0.7:5060'));
    rig.pass(3_600_000);
    rig.restart();
    assert.equal(rig.proxy.bindings, 0);
    assert.equal(rig.journal.size, 0);
  });

  it('by TCP: called at the contact when that is where it came from, else forgotten', () => {
    const flow: Flow = { transport: 'tcp', host: '198.51.100.7', port: 40000, connection: 'c1' };
    const open = registered(flow, 'sip:line1@198.51.100.7:5090;transport=tcp');
    open.restart();
    assert.deepEqual(ring(open)?.flow, { transport: 'tcp', host: '198.51.100.7', port: 5090 });
    const behindNat = registered(flow, 'sip:line1@10.0.0.7:5090;transport=tcp');
    behindNat.restart();
    assert.equal(behindNat.proxy.bindings, 0);
  });

  it('the last to register is still the first to be called, and what unregistered stays away', () => {
    const rig = registered(PHONE, 'sip:line1@10.0.0.7:5060');
    rig.now += 5;
    const second: Flow = { transport: 'udp', host: '198.51.100.8', port: 40001 };
    const parts = {
      method: 'REGISTER',
      uri: 'sip:sip.test',
      from: 'sip:line1@sip.test',
      to: 'sip:line1@sip.test',
    };
    rig.authenticated(second, 'line1', {
      ...parts,
      callId: 'other',
      contact: [address('sip:line1@10.0.0.8')],
    });
    rig.restart();
    assert.deepEqual(ring(rig)?.flow, second);
    const gone = { ...parts, callId: 'other', cseq: 9, contact: [address('sip:line1@10.0.0.8')] };
    rig.authenticated(second, 'line1', { ...gone, headers: [['Expires', '0']] });
    rig.restart();
    assert.deepEqual(ring(rig)?.flow, PHONE);
  });

  it('lines that are nothing of ours are taken out', () => {
    const rig = new Rig();
    for (const text of [
      'null',
      '7',
      '{}',
      '[]',
      '{"side":"in","via":[]}',
      '{"user":"line1","flow":{"transport":"local"}}',
    ])
      for (const kind of ['early', 'binding']) rig.journal.set(`${kind} ${text}`, text);
    rig.restart();
    assert.equal(rig.journal.size, 0);
    assert.equal(rig.proxy.size + rig.proxy.bindings, 0);
  });
});
