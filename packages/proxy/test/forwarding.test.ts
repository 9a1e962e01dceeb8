import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, header, headersNamed } from '@sidetone/sip';
import {
  address,
  type Parts,
  PHONE,
  Rig,
  type Rig as RigType,
  requests,
  responses,
  statuses,
  TRUNK,
  VOICE,
  VSP,
} from './rig.ts';

const NUMBER: Parts = { uri: 'sip:+1800@sip.test', callId: 'c', branch: 'z9hG4bKcall' };
const SECOND: Flow = { transport: 'udp', host: '192.0.2.51', port: 5070 };

function call(rig: RigType, parts: Parts = NUMBER) {
  const { request, out } = rig.send(VOICE, parts);
  return { request, invites: requests(out, 'INVITE'), out };
}

/** line2 rings everywhere: two browsers and a phone. */
function fork() {
  const rig = new Rig();
  const reg = (user: string): Parts => ({
    method: 'REGISTER',
    uri: 'sip:sip.test',
    from: `sip:${user}@sip.test`,
    to: `sip:${user}@sip.test`,
  });
  rig.send(VSP, { ...reg('line2'), contact: [address('sip:a@vsp.sidetone.invalid')], callId: 'a' });
  rig.send(VSP, { ...reg('line2'), contact: [address('sip:b@vsp.sidetone.invalid')], callId: 'b' });
  rig.authenticated(PHONE, 'line2', { ...reg('line2'), contact: [address('sip:p@10.0.0.5')], callId: 'p' });
  const started = call(rig, { ...NUMBER, uri: 'sip:line2@sip.test' });
  const by = (user: string) => started.invites.find((i) => i.message.uri.user === user)!;
  return { rig, ...started, a: by('a'), b: by('b'), phone: by('p') };
}

/** Ends every branch that was cancelled, and lets all timers run out. */
function settle(rig: RigType): void {
  rig.pass(20 * 60_000);
  assert.equal(rig.proxy.size, 0);
}

describe('forwarding: trunks in turn', () => {
  const again: [what: string, status: number][] = [
    ['overloaded', 503],
    ['timed out upstream', 504],
    ['timed out', 408],
  ];
  for (const [what, status] of again) {
    it(`${status} (${what}): the next trunk is asked at once`, () => {
      const rig = new Rig();
      const { invites, out } = call(rig);
      assert.deepEqual(statuses(out), [100]);
      assert.deepEqual(
        invites.map((i) => i.flow),
        [TRUNK],
      );
      const next = rig.reply(invites[0]!, status);
      assert.deepEqual(
        requests(next, 'INVITE').map((i) => i.flow),
        [SECOND],
      );
      assert.deepEqual(statuses(next), []);
      const [up] = responses(rig.reply(requests(next, 'INVITE')[0]!, 200));
      assert.equal(header(up!, 'X-Sidetone-Trunk'), 'second');
      settle(rig);
    });
  }

  for (const status of [301, 400, 404, 480, 484, 486, 487, 500, 600, 603]) {
    it(`${status} is the answer; no other trunk is asked`, () => {
      const rig = new Rig();
      const out = rig.reply(call(rig).invites[0]!, status);
      assert.deepEqual(statuses(out), [status]);
      assert.equal(requests(out, 'INVITE').length, 0);
      assert.equal(requests(out, 'ACK').length, 1);
      settle(rig);
    });
  }

  it('a silent trunk is given up within 4 s, and cancelled when it wakes up', () => {
    const rig = new Rig();
    const { invites } = call(rig);
    const out = rig.pass(3_600);
    const next = requests(out, 'INVITE').filter(
      (i) => i.flow.transport === 'udp' && i.flow.host === SECOND.host,
    );
    assert.equal(next.length, 1);
    const woken = rig.reply(invites[0]!, 180);
    assert.deepEqual(
      requests(woken).map((r) => r.message.method),
      ['CANCEL'],
    );
    assert.deepEqual(statuses(woken), []);
    assert.deepEqual(statuses(rig.reply(next[0]!, 200)), [200]);
    rig.reply(invites[0]!, 487);
    settle(rig);
  });

  it('a trunk that said 100 is waited for', () => {
    const rig = new Rig();
    rig.reply(call(rig).invites[0]!, 100);
    assert.equal(requests(rig.pass(60_000), 'INVITE').length, 0);
  });

  it('a 408 after ringing means that nobody answered', () => {
    const rig = new Rig();
    const { invites } = call(rig);
    rig.reply(invites[0]!, 180);
    assert.deepEqual(statuses(rig.reply(invites[0]!, 408)), [408]);
  });

  it('a transport error: the next trunk', () => {
    const rig = new Rig();
    call(rig);
    const out = rig.transportFailed(TRUNK);
    assert.deepEqual(
      requests(out, 'INVITE').map((i) => i.flow),
      [SECOND],
    );
    assert.deepEqual(statuses(rig.transportFailed(SECOND)), [503]);
    settle(rig);
  });

  it('all trunks silent: 408 after timer B of the last', () => {
    const rig = new Rig();
    call(rig);
    const out = rig.pass(3_500 + 32_000);
    assert.deepEqual(statuses(out), [408]);
    settle(rig);
  });

  it('the best of two failures goes up', () => {
    const rig = new Rig();
    const next = rig.reply(call(rig).invites[0]!, 503);
    assert.deepEqual(statuses(rig.reply(requests(next, 'INVITE')[0]!, 404)), [404]);
  });

  it('a call the caller cancelled is not tried again', () => {
    const rig = new Rig();
    const { request, invites } = call(rig);
    rig.reply(invites[0]!, 180);
    rig.receive(
      { ...request, method: 'CANCEL', headers: { ...request.headers, cseq: { seq: 1, method: 'CANCEL' } } },
      VOICE,
    );
    const out = rig.reply(invites[0]!, 503);
    assert.equal(requests(out, 'INVITE').length, 0);
    assert.deepEqual(statuses(out), [503]);
    settle(rig);
  });
});

describe('forwarding: many contacts at once', () => {
  it('the first 2xx wins; the others are cancelled with the reason, and 487 goes nowhere', () => {
    const { rig, a, b, phone, out } = fork();
    assert.deepEqual(statuses(out), [100]);
    for (const branch of [a, b, phone])
      assert.deepEqual(statuses(rig.reply(branch, 180, { toTag: branch.message.uri.user! })), [180]);
    const won = rig.reply(a, 200, { toTag: 'a' });
    assert.deepEqual(statuses(won), [200]);
    const cancels = requests(won, 'CANCEL');
    assert.deepEqual(cancels.map((c) => c.flow).sort(), [PHONE, VSP].sort());
    for (const cancel of cancels)
      assert.deepEqual(headersNamed(cancel.message, 'Reason'), [
        'SIP;cause=200;text="Call completed elsewhere"',
      ]);
    assert.deepEqual(statuses(rig.reply(b, 487)), []);
    assert.deepEqual(statuses(rig.reply(phone, 487)), []);
    settle(rig);
  });

  it('a 2xx that crossed the CANCEL goes up too', () => {
    const { rig, a, b } = fork();
    rig.reply(a, 200, { toTag: 'a' });
    assert.deepEqual(
      responses(rig.reply(b, 200, { toTag: 'b' })).map((r) => r.headers.to.params['tag']),
      ['b'],
    );
    settle(rig);
  });

  it('6xx ends the search, and goes up when all have ended', () => {
    const { rig, a, b, phone } = fork();
    rig.reply(b, 180);
    rig.reply(phone, 180);
    const declined = rig.reply(a, 603);
    assert.deepEqual(statuses(declined), []);
    assert.equal(requests(declined, 'CANCEL').length, 2);
    assert.deepEqual(headersNamed(requests(declined, 'CANCEL')[0]!.message, 'Reason'), ['SIP;cause=603']);
    rig.reply(b, 487);
    assert.deepEqual(statuses(rig.reply(phone, 487)), [603]);
    settle(rig);
  });

  const rows: [answers: [number, number, number], best: number][] = [
    [[486, 404, 480], 486],
    [[480, 486, 408], 486],
    [[500, 486, 503], 486],
    [[503, 500, 503], 500],
    [[404, 401, 486], 401],
    [[302, 404, 486], 302],
    [[486, 600, 404], 600],
    [[487, 480, 408], 487],
  ];
  for (const [answers, best] of rows) {
    it(`${answers.join(', ')} → ${best}`, () => {
      const { rig, a, b, phone } = fork();
      const up = [a, b, phone].flatMap((branch, i) => statuses(rig.reply(branch, answers[i]!)));
      assert.deepEqual(up, [best]);
      settle(rig);
    });
  }

  it('challenges of all branches go up together', () => {
    const { rig, a, b, phone } = fork();
    rig.reply(a, 407, { headers: [['Proxy-Authenticate', 'Digest realm="a", nonce="1"']] });
    rig.reply(phone, 404);
    const [up] = responses(
      rig.reply(b, 401, { headers: [['WWW-Authenticate', 'Digest realm="b", nonce="2"']] }),
    );
    assert.equal(up!.status, 407);
    assert.equal(headersNamed(up!, 'Proxy-Authenticate').length, 1);
    assert.equal(headersNamed(up!, 'WWW-Authenticate').length, 1);
  });

  it('CANCEL from upstream reaches every branch with its Reason; 487 comes back', () => {
    const { rig, request, a, b, phone } = fork();
    for (const branch of [a, b]) rig.reply(branch, 180);
    const cancel = {
      ...request,
      method: 'CANCEL',
      headers: {
        ...request.headers,
        cseq: { seq: 1, method: 'CANCEL' },
        other: [
          ['Reason', 'SIP;cause=487'],
          ['X-Sidetone-Cause', 'x'],
        ] as const,
      },
    };
    const out = rig.receive(cancel, VOICE);
    assert.deepEqual(statuses(out), [200]);
    assert.equal(requests(out, 'CANCEL').length, 2);
    // RFC 3261 §9.1: the phone has not said anything yet, so its CANCEL waits.
    const late = rig.reply(phone, 180);
    assert.deepEqual(
      requests(late, 'CANCEL').map((c) => c.flow),
      [PHONE],
    );
    assert.deepEqual(headersNamed(late.at(-1)!.message, 'Reason'), ['SIP;cause=487']);
    assert.equal(header(late.at(-1)!.message, 'X-Sidetone-Cause'), undefined);
    rig.reply(a, 487);
    rig.reply(b, 487);
    assert.deepEqual(statuses(rig.reply(phone, 487)), [487]);
    settle(rig);
  });

  it('CANCEL towards a silent phone: 487 in the end', () => {
    const { rig, request, a, b } = fork();
    rig.receive(
      { ...request, method: 'CANCEL', headers: { ...request.headers, cseq: { seq: 1, method: 'CANCEL' } } },
      VOICE,
    );
    rig.reply(a, 487);
    rig.reply(b, 487);
    assert.deepEqual(statuses(rig.pass(33_000)), [487]);
    settle(rig);
  });
});

describe('forwarding: time', () => {
  it('timer C ends a call that rings for ever, and each provisional puts it off', () => {
    const rig = new Rig({ timerC: 181_000 });
    const { invites } = call(rig);
    rig.reply(invites[0]!, 180);
    rig.pass(180_000);
    rig.reply(invites[0]!, 180);
    assert.deepEqual(requests(rig.pass(180_000), 'CANCEL'), []);
    assert.equal(requests(rig.pass(1_200), 'CANCEL').length, 1);
    assert.deepEqual(statuses(rig.pass(33_000)), [408]);
    settle(rig);
  });

  it('a carrier whose connection is lost while it calls: voice gets CANCEL', () => {
    const rig = new Rig();
    const tcp: Flow = { transport: 'tcp', host: '192.0.2.50', port: 34567, connection: 'k' };
    const { out } = rig.send(tcp, { from: 'sip:+1555@example.net' });
    rig.reply(requests(out)[0]!, 180);
    assert.deepEqual(
      requests(rig.transportFailed(tcp), 'CANCEL').map((c) => c.flow),
      [VOICE],
    );
    rig.reply(requests(out)[0]!, 487);
    settle(rig);
  });

  it('a carrier may CANCEL and ACK without proof of more than its transaction', () => {
    const rig = new Rig();
    const { request, out } = rig.send(TRUNK, { from: 'sip:+1555@example.net' });
    rig.reply(requests(out)[0]!, 180);
    const cancel = rig.receive(
      { ...request, method: 'CANCEL', headers: { ...request.headers, cseq: { seq: 1, method: 'CANCEL' } } },
      TRUNK,
    );
    assert.deepEqual(statuses(cancel), [200]);
    assert.deepEqual(
      requests(cancel, 'CANCEL').map((c) => c.flow),
      [VOICE],
    );
    const up = rig.reply(requests(out)[0]!, 487);
    assert.deepEqual(statuses(up), [487]);
    rig.receive(
      { ...request, method: 'ACK', headers: { ...request.headers, cseq: { seq: 1, method: 'ACK' } } },
      TRUNK,
    );
    rig.pass(5_000);
    assert.equal(requests(rig.sent, 'ACK').filter((s) => s.flow.transport === 'local').length, 1);
    settle(rig);
  });
});
