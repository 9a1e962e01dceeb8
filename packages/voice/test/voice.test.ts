import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyText, header } from '@sidetone/sip';
import type { MediaCommand } from '@sidetone/wire';
import { bindings, callIn, dial } from './callers.ts';
import { connection, people, sdp, trunk, VoiceBench } from './voice-bench.ts';

const ops = (bench: VoiceBench, op: MediaCommand['op']): string[] =>
  bench.media.filter((c) => c.op === op).map((c) => ('leg' in c ? c.leg : ''));

/** Nothing is left: no call, no timer, no media leg, and a record a leg. */
function clean(bench: VoiceBench, legs: number): void {
  bench.advance(120_000);
  assert.deepEqual(bench.voice.size, { calls: 0, media: 0, dialogs: 0 });
  assert.equal(bench.voice.deadline(), null);
  const opened = new Set([...ops(bench, 'offer'), ...ops(bench, 'answer')]);
  assert.deepEqual([...opened].sort(), ops(bench, 'close').sort());
  assert.equal(bench.records.length, legs);
  assert.equal(new Set(bench.records.map((r) => r.leg_id)).size, legs);
}

/** Client to carrier, answered. */
function connected(bench: VoiceBench): { client: string; carrier: string } {
  const client = dial(bench, '+15550100');
  const carrier = bench.proxy.take('incoming').leg;
  bench.proxy.act(bench.proxy.agent.respond(carrier, 200, { sdp: sdp('sendrecv', 6_000) }, bench.now));
  bench.vsp.take('accepted');
  return { client, carrier };
}

describe('a client calls', () => {
  it('a built-in number', () => {
    const bench = new VoiceBench();
    const leg = dial(bench, '9196');
    const ok = bench.vsp.take('accepted');
    assert.match(ok.sdp ?? '', /m=audio 20000/);
    assert.match(header(ok.response, 'X-Sidetone-Session-Id') ?? '', /^[0-9a-f-]{36}$/);
    assert.match(header(ok.response, 'X-Sidetone-Leg-Id') ?? '', /^[0-9a-f-]{36}$/);
    assert.match(header(ok.response, 'X-Sidetone-Call-Control-Id') ?? '', /^v3:[\w-]{20,}$/);
    bench.vsp.act(bench.vsp.agent.bye(leg, [], bench.now));
    clean(bench, 2);
  });

  it('the carrier: headers both ways, early media, answer, BYE of the carrier', () => {
    const bench = new VoiceBench();
    dial(bench, '+15550100', { headers: [['X-My', 'one']] });
    const invite = bench.proxy.take('incoming');
    assert.equal(invite.request.uri.user, '+15550100');
    assert.equal(invite.request.headers.from.uri.user, '+13125550100');
    assert.equal(invite.request.headers.from.displayName, 'Ann');
    assert.equal(header(invite.request, 'X-My'), 'one');
    const [contact] = invite.request.headers.contact === '*' ? [] : invite.request.headers.contact;
    assert.match(contact?.uri.user ?? '', /^v-/);
    assert.equal(contact?.uri.host, '127.0.0.1');
    const { agent } = bench.proxy;
    bench.proxy.act(agent.respond(invite.leg, 183, { sdp: sdp('sendrecv', 6_000) }, bench.now));
    const early = bench.vsp.take('progress');
    assert.equal(early.response.status, 183);
    assert.ok(early.sdp !== undefined);
    bench.proxy.act(
      agent.respond(invite.leg, 200, { sdp: sdp('sendrecv', 6_000), headers: [['X-Ans', 'two']] }, bench.now),
    );
    const ok = bench.vsp.take('accepted');
    assert.equal(header(ok.response, 'X-Ans'), 'two');
    assert.equal(ok.sdp, early.sdp);
    bench.proxy.act(
      agent.bye(
        invite.leg,
        [
          ['X-Bye', 'three'],
          ['Reason', 'Q.850;cause=16;text="NORMAL_CLEARING"'],
        ],
        bench.now,
      ),
    );
    const bye = bench.vsp.take('bye');
    assert.equal(header(bye.request, 'X-Bye'), 'three');
    assert.match(header(bye.request, 'Reason') ?? '', /^Q\.850;cause=16/);
    assert.equal(header(bye.request, 'X-Sidetone-Cause'), 'NORMAL_CLEARING');
    clean(bench, 2);
    assert.deepEqual(
      bench.records.map((r) => [r.kind, r.cause, r.ended_by]).sort(),
      [
        ['client', 'NORMAL_CLEARING', 'callee'],
        ['trunk', 'NORMAL_CLEARING', 'callee'],
      ].sort(),
    );
  });

  it('and cannot pass our own headers', () => {
    const bench = new VoiceBench();
    dial(bench, '+15550100', { headers: [['X-Sidetone-Cause', 'rejected']] });
    assert.equal(header(bench.proxy.take('incoming').request, 'X-Sidetone-Cause'), undefined);
  });

  for (const [destination, status, cause] of [
    ['nobody', 404, 'UNALLOCATED_NUMBER'],
    ['123', 404, 'NO_ROUTE_DESTINATION'],
    ['closed', 403, 'OUTGOING_CALL_BARRED'],
  ] as const)
    it(`${destination} → ${status}`, () => {
      const bench = new VoiceBench();
      dial(bench, destination);
      const failed = bench.vsp.take('failed');
      assert.equal(failed.status, status);
      assert.equal(header(failed.response!, 'X-Sidetone-Cause'), cause);
      clean(bench, 1);
    });

  it('as nobody we know → 403', () => {
    const bench = new VoiceBench();
    dial(bench, '9196', { user: 'stranger' });
    assert.equal(bench.vsp.take('failed').status, 403);
    clean(bench, 1);
  });

  it('and gives up: CANCEL with the reason', () => {
    const bench = new VoiceBench();
    const leg = dial(bench, '+15550100');
    const invite = bench.proxy.take('incoming');
    bench.proxy.act(bench.proxy.agent.respond(invite.leg, 180, {}, bench.now));
    assert.equal(bench.vsp.take('progress').response.status, 180);
    bench.vsp.act(bench.vsp.agent.cancel(leg, [], bench.now));
    assert.match(header(bench.proxy.take('cancelled').request, 'Reason') ?? '', /cause=487/);
    assert.equal(bench.vsp.take('failed').status, 487);
    clean(bench, 2);
    assert.ok(bench.records.every((r) => r.cause === 'cancelled' && r.ended_by === 'caller'));
  });

  it('and hears busy as busy, with its reason', () => {
    const bench = new VoiceBench();
    dial(bench, '+15550100');
    const invite = bench.proxy.take('incoming');
    bench.proxy.act(bench.proxy.agent.respond(invite.leg, 486, {}, bench.now));
    const failed = bench.vsp.take('failed');
    assert.equal(failed.status, 486);
    assert.equal(header(failed.response!, 'Reason'), 'Q.850;cause=17;text="USER_BUSY"');
    clean(bench, 2);
  });

  it('and nobody answers: 480 at the ring limit', () => {
    const bench = new VoiceBench({ ringMs: 20_000 });
    dial(bench, '+15550100');
    const invite = bench.proxy.take('incoming');
    bench.proxy.act(bench.proxy.agent.respond(invite.leg, 180, {}, bench.now));
    bench.advance(20_000);
    const failed = bench.vsp.take('failed');
    assert.equal(failed.status, 480);
    assert.equal(header(failed.response!, 'Reason'), 'Q.850;cause=19;text="NO_ANSWER"');
    assert.ok(bench.proxy.has('cancelled'));
    clean(bench, 2);
  });
});

describe('users are called', () => {
  it('on every client; the first answer wins, the others hear why', () => {
    const bench = new VoiceBench();
    dial(bench, 'line2');
    bindings(bench, ['sip:s1@vsp.sidetone.invalid', 'sip:line2@192.0.2.7:5062']);
    const first = bench.proxy.take('incoming');
    const second = bench.proxy.take('incoming');
    assert.equal(first.request.uri.host, 'vsp.sidetone.invalid');
    assert.equal(second.request.uri.host, '192.0.2.7');
    assert.equal(first.request.headers.callId, header(first.request, 'X-Sidetone-Leg-Id'));
    assert.equal(
      header(second.request, 'X-Sidetone-Leg-Id'),
      first.request.headers.callId,
      'forks are one leg',
    );
    assert.notEqual(second.request.headers.callId, first.request.headers.callId);
    assert.equal(first.request.headers.to.uri.user, 'line2');
    assert.deepEqual(
      bench.media.filter((c) => c.op === 'offer').map((c) => (c.op === 'offer' ? c.kind : '')),
      ['webrtc', 'rtp'],
    );
    const { agent } = bench.proxy;
    bench.proxy.act(agent.respond(first.leg, 180, {}, bench.now));
    bench.proxy.act(agent.respond(second.leg, 180, {}, bench.now));
    bench.proxy.act(agent.respond(second.leg, 200, { sdp: sdp() }, bench.now));
    bench.vsp.take('accepted');
    assert.match(header(bench.proxy.take('cancelled').request, 'Reason') ?? '', /^SIP;cause=200/);
    bench.proxy.act(agent.bye(second.leg, [], bench.now));
    clean(bench, 2);
    assert.deepEqual(
      bench.records.map((r) => [r.kind, r.cause]).sort(),
      [
        ['client', 'NORMAL_CLEARING'],
        ['phone', 'NORMAL_CLEARING'],
      ].sort(),
    );
  });

  it('by a carrier, offerless: our offer in the 200, the answer in the ACK', () => {
    const bench = new VoiceBench();
    const leg = callIn(bench, '+13125550101', undefined, [['X-In', 'yes']]);
    bindings(bench, ['sip:s1@vsp.sidetone.invalid']);
    const invite = bench.proxy.take('incoming');
    assert.equal(header(invite.request, 'X-In'), 'yes');
    assert.equal(header(invite.request, 'X-Sidetone-Trunk'), undefined);
    assert.equal(invite.request.headers.from.uri.user, '+15550100');
    assert.equal(invite.request.headers.from.displayName, 'Bob');
    bench.proxy.act(bench.proxy.agent.respond(invite.leg, 200, { sdp: sdp() }, bench.now));
    const ok = bench.proxy.take('accepted');
    assert.ok(ok.sdp !== undefined);
    bench.proxy.act(bench.proxy.agent.ack(leg, sdp('sendrecv', 7_000), bench.now));
    assert.equal(ops(bench, 'accept').length, 2);
    bench.proxy.act(bench.proxy.agent.bye(leg, [], bench.now));
    assert.ok(bench.proxy.has('bye'));
    clean(bench, 2);
  });

  it('cancel-meets-2xx: by a carrier, offerless, whose CANCEL crosses our 200', () => {
    const bench = new VoiceBench();
    const leg = callIn(bench, '+13125550101', undefined);
    bindings(bench, ['sip:s1@vsp.sidetone.invalid']);
    const { agent } = bench.proxy;
    const late = agent.cancel(leg, [], bench.now);
    bench.proxy.act(agent.respond(bench.proxy.take('incoming').leg, 200, { sdp: sdp() }, bench.now));
    bench.proxy.act(late);
    assert.ok(bench.proxy.has('bye'));
    clean(bench, 2);
    for (const { cause, ended_by } of bench.records)
      assert.deepEqual([cause, ended_by], ['NORMAL_CLEARING', 'caller']);
  });

  it('and reject: 487 by default, by the setting otherwise; recorded as rejected', () => {
    for (const code of [487, 603]) {
      const bench = new VoiceBench({
        identity: people({ connections: [connection('line2', { numbers: ['+1'], rejectCode: code })] }),
      });
      callIn(bench, '+1', sdp());
      bindings(bench, ['sip:s1@vsp.sidetone.invalid']);
      const invite = bench.proxy.take('incoming');
      bench.proxy.act(
        bench.proxy.agent.respond(
          invite.leg,
          487,
          {
            headers: [
              ['X-Sidetone-Cause', 'rejected'],
              ['Reason', 'Q.850;cause=21'],
            ],
          },
          bench.now,
        ),
      );
      const failed = bench.proxy.take('failed');
      assert.equal(failed.status, code);
      assert.match(header(failed.response!, 'Reason') ?? '', /^Q\.850;cause=21/);
      clean(bench, 2);
      assert.ok(bench.records.every((r) => r.cause === 'rejected' && r.sip_code === code));
    }
  });

  for (const [answer, status] of [
    [480, 480],
    [404, 404],
  ] as const)
    it(`without a binding: lookup ${answer} → ${status}`, () => {
      const bench = new VoiceBench();
      callIn(bench, '+13125550101', sdp());
      bindings(bench, [], answer);
      assert.equal(bench.proxy.take('failed').status, status);
      clean(bench, 1);
    });
});

describe('in a call', () => {
  it('the client holds: 200 at once, then the carrier hears sendonly; and back', () => {
    const bench = new VoiceBench();
    const { client, carrier } = connected(bench);
    for (const [said, told] of [
      ['sendonly', 'sendonly'],
      ['sendrecv', 'sendrecv'],
    ] as const) {
      bench.vsp.act(bench.vsp.agent.reinvite(client, sdp(said), 'hold', bench.now));
      assert.equal(bench.vsp.take('reinviteResult').status, 200);
      const offer = bench.proxy.take('reinvite');
      assert.match(offer.sdp ?? '', new RegExp(`a=${told}`));
      const answer = sdp(told === 'sendonly' ? 'recvonly' : 'sendrecv', 6_000);
      bench.proxy.act(bench.proxy.agent.respondReinvite(carrier, offer.tx, 200, { sdp: answer }, bench.now));
    }
    bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
    clean(bench, 2);
  });

  it('the carrier holds with c=0.0.0.0', () => {
    const bench = new VoiceBench();
    const { client, carrier } = connected(bench);
    const held = sdp().replace('c=IN IP4 192.0.2.1', 'c=IN IP4 0.0.0.0');
    bench.proxy.act(bench.proxy.agent.reinvite(carrier, held, 'hold', bench.now));
    const answered = bench.proxy.take('reinviteResult');
    assert.equal(answered.status, 200);
    assert.match(answered.sdp ?? '', /a=recvonly/);
    const source = bench.media.findLast((c) => c.op === 'source' && c.source.kind === 'music');
    assert.ok(source !== undefined);
    bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
    clean(bench, 2);
  });

  it('digits by INFO, either way, and candidates', () => {
    const bench = new VoiceBench();
    const { client, carrier } = connected(bench);
    const info = (contentType: string, body: string) => ({ method: 'INFO', contentType, body });
    bench.vsp.act(
      bench.vsp.agent.requestInDialog(
        client,
        info('application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n'),
        'i',
        bench.now,
      ),
    );
    assert.equal(bench.vsp.take('inDialogResult').status, 200);
    bench.proxy.act(
      bench.proxy.agent.requestInDialog(carrier, info('application/dtmf', '7'), 'i', bench.now),
    );
    assert.equal(bench.proxy.take('inDialogResult').status, 200);
    assert.deepEqual(
      bench.media.flatMap((c) => (c.op === 'dtmf' ? [c.digits] : [])),
      ['5', '7'],
    );
    bench.vsp.act(
      bench.vsp.agent.requestInDialog(
        client,
        info('application/trickle-ice-sdpfrag', 'a=candidate:1 1 udp 1 192.0.2.2 4 typ host\r\n'),
        'i',
        bench.now,
      ),
    );
    assert.equal(bench.vsp.take('inDialogResult').status, 200);
    bench.vsp.act(bench.vsp.agent.requestInDialog(client, info('text/plain', 'hi'), 'i', bench.now));
    assert.equal(bench.vsp.take('inDialogResult').status, 415);
    bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
    clean(bench, 2);
    assert.ok(!JSON.stringify(bench.logs).includes('"5"'));
  });

  it('phone-that-moves-in-mid-call: nobody but its user speaks for a phone, also after a restart', () => {
    const bench = new VoiceBench();
    const client = dial(bench, '+15550100');
    const phone = bench.proxy.take('incoming').leg;
    const answer = bench.proxy.agent.respond(phone, 200, { sdp: sdp('sendrecv', 6_000) }, bench.now);
    // The proxy says whose phone a Contact is.
    for (const out of answer) {
      const contact = out.type === 'sip' ? out.message.headers.contact : '*';
      if (contact === '*') continue;
      for (const { uri } of contact) (uri.params as Record<string, string>)['sidetone-user'] = 'line2';
    }
    bench.proxy.act(answer);
    bench.vsp.take('accepted');
    const info = (...asserted: string[]): number => {
      const headers = asserted.map((user) => ['P-Asserted-Identity', `<sip:${user}@sip.localhost>`] as const);
      const request = { method: 'INFO', contentType: 'application/dtmf', body: '7', headers };
      bench.proxy.act(bench.proxy.agent.requestInDialog(phone, request, 'i', bench.now));
      return bench.proxy.take('inDialogResult').status;
    };
    assert.deepEqual([info('line2'), info(), info('line1')], [200, 200, 403]);
    bench.restart();
    assert.deepEqual([info('line2'), info('line1')], [200, 403]);
    bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
    clean(bench, 2);
  });

  it('digits leave as INFO where the trunk wants it, one by one', () => {
    const bench = new VoiceBench({ identity: people({ trunks: [trunk({ dtmf: 'info' })] }) });
    const { client } = connected(bench);
    bench.vsp.act(
      bench.vsp.agent.requestInDialog(
        client,
        { method: 'INFO', contentType: 'application/dtmf-relay', body: 'Signal=12\r\n' },
        'i',
        bench.now,
      ),
    );
    for (const digit of ['1', '2']) {
      const info = bench.proxy.take('info');
      assert.match(bodyText(info.request), new RegExp(`^Signal=${digit}\r\n`));
      bench.proxy.act(bench.proxy.agent.respondRequest(info.tx, 200, {}, bench.now));
    }
    bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
    clean(bench, 2);
  });

  for (const [why, cause] of [
    ['dtls', 'DTLS_FAILED'],
    ['ice', 'ICE_FAILED'],
    ['rtp', 'MEDIA_TIMEOUT'],
  ] as const)
    it(`media fails by ${why}: BYE to both with ${cause}`, () => {
      const bench = new VoiceBench();
      connected(bench);
      const leg = ops(bench, 'answer')[0]!;
      bench.tell({ type: 'mediaEvent', event: { event: 'failed', leg, why } });
      for (const far of [bench.vsp, bench.proxy])
        assert.equal(header(far.take('bye').request, 'X-Sidetone-Cause'), cause);
      clean(bench, 2);
    });

  it('the engine goes down: every call ends, every leg is recorded', () => {
    const bench = new VoiceBench();
    connected(bench);
    bench.mediaReply = () => null;
    bench.tell({ type: 'mediaEvent', event: { event: 'engine', state: 'down' } });
    assert.equal(header(bench.vsp.take('bye').request, 'X-Sidetone-Cause'), 'NETWORK_OUT_OF_ORDER');
    assert.ok(bench.proxy.has('bye'));
    clean(bench, 2);
    assert.ok(bench.records.every((r) => r.media === undefined));
  });
});

describe('limits', () => {
  it('refuses calls above the total and above a user’s share', () => {
    for (const limits of [
      { calls: 1, callsPerUser: 9 },
      { calls: 9, callsPerUser: 1 },
    ]) {
      const bench = new VoiceBench({ limits });
      dial(bench, '9196');
      dial(bench, '9197');
      const failed = bench.vsp.take('failed');
      assert.equal(failed.status, 503);
      assert.equal(header(failed.response!, 'X-Sidetone-Cause'), 'SWITCH_CONGESTION');
      bench.tell({ type: 'drain' });
      clean(bench, 3);
    }
  });

  it('drains: ends what lives, refuses what comes', () => {
    const bench = new VoiceBench();
    connected(bench);
    dial(bench, '+15550100');
    bench.proxy.take('incoming');
    bench.tell({ type: 'drain' });
    assert.ok(bench.vsp.has('bye'));
    assert.ok(bench.proxy.has('bye'));
    assert.equal(bench.vsp.take('failed').status, 503);
    dial(bench, '9196');
    assert.equal(bench.vsp.take('failed').status, 503);
    clean(bench, 5);
  });

  it('gives up on a silent engine', () => {
    const bench = new VoiceBench({ timers: { mediaMs: 3_000 } });
    bench.mediaReply = () => null;
    dial(bench, '9196');
    assert.equal(bench.vsp.has('failed'), false);
    bench.advance(3_000);
    assert.equal(bench.vsp.take('failed').status, 503);
    clean(bench, 2);
  });
});
