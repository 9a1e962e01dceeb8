import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { header } from '@sidetone/sip';
import { people, sdp, trunk, VoiceBench } from './voice-bench.ts';

const uri = (user: string) => ({ scheme: 'sip', user, host: 'sip.localhost', params: {} });

/** A client's INVITE for the carrier, as vsp sends it. */
function dial(bench: VoiceBench, user = '+15550100'): string {
  const { leg, out } = bench.vsp.agent.invite(
    {
      requestUri: uri(user),
      from: { uri: uri('+13125550100'), params: {} },
      to: { uri: uri(user), params: {} },
      sdp: sdp(),
      headers: [['P-Asserted-Identity', '<sip:line1@sip.localhost>']],
    },
    bench.now,
  );
  bench.vsp.act(out);
  return leg;
}

const answer = (bench: VoiceBench, leg: string): void =>
  bench.proxy.act(bench.proxy.agent.respond(leg, 200, { sdp: sdp('sendrecv', 6_000) }, bench.now));

function connected(bench = new VoiceBench()): { bench: VoiceBench; client: string; carrier: string } {
  const client = dial(bench);
  const carrier = bench.proxy.take('incoming').leg;
  answer(bench, carrier);
  bench.vsp.take('accepted');
  bench.proxy.events.length = 0;
  return { bench, client, carrier };
}

function clean(bench: VoiceBench, records: number): void {
  bench.advance(120_000);
  assert.deepEqual(bench.voice.size, { calls: 0, media: 0, dialogs: 0 });
  assert.equal(bench.voice.deadline(), null);
  assert.deepEqual([...bench.journal.keys()], []);
  assert.deepEqual([...bench.engine], []);
  assert.equal(bench.records.length, records);
  assert.equal(new Set(bench.records.map((r) => r.leg_id)).size, records);
}

/** Both sides hold and resume, each way a digit; then `ends` hangs up. */
function useAndEnd(bench: VoiceBench, client: string, carrier: string, ends: 'vsp' | 'proxy'): void {
  const { vsp, proxy } = bench;
  for (const [direction, told] of [
    ['sendonly', 'sendonly'],
    ['sendrecv', 'sendrecv'],
  ] as const) {
    vsp.act(vsp.agent.reinvite(client, sdp(direction), 'h', bench.now));
    assert.equal(vsp.take('reinviteResult').status, 200);
    const offer = proxy.take('reinvite');
    assert.match(offer.sdp ?? '', new RegExp(`a=${told}`));
    proxy.act(proxy.agent.respondReinvite(carrier, offer.tx, 200, { sdp: sdp() }, bench.now));
    proxy.act(proxy.agent.reinvite(carrier, sdp(direction), 'h', bench.now));
    assert.equal(proxy.take('reinviteResult').status, 200);
  }
  const before = bench.media.length;
  const body = { method: 'INFO', contentType: 'application/dtmf', body: '5' };
  vsp.act(vsp.agent.requestInDialog(client, body, 'd', bench.now));
  assert.equal(vsp.take('inDialogResult').status, 200);
  assert.equal(bench.media.slice(before).filter((c) => c.op === 'dtmf').length, 1);
  bench[ends].act(bench[ends].agent.bye(ends === 'vsp' ? client : carrier, [], bench.now));
  assert.ok(bench[ends === 'vsp' ? 'proxy' : 'vsp'].has('bye'));
  clean(bench, 2);
  for (const record of bench.records) {
    assert.equal(record.cause, 'NORMAL_CLEARING');
    assert.equal(record.ended_by, ends === 'vsp' ? 'caller' : 'callee');
    assert.ok(record.answered_at !== undefined && record.media !== undefined);
  }
}

describe('an answered call goes on in the next process', () => {
  for (const ends of ['vsp', 'proxy'] as const)
    it(`hold, digits, and ${ends} ends it`, () => {
      const { bench, client, carrier } = connected();
      bench.restart();
      bench.restart();
      const claim = bench.media.findLast(({ op }) => op === 'claim');
      assert.deepEqual(claim, { op: 'claim', legs: [...bench.engine].reverse() });
      assert.equal(bench.voice.size.calls, 1);
      useAndEnd(bench, client, carrier, ends);
    });

  for (const holds of ['vsp', 'proxy'] as const)
    it(`restart-long-after-a-re-INVITE: ${holds} has held and resumed, an hour ago`, () => {
      const { bench, client, carrier } = connected();
      const leg = holds === 'vsp' ? client : carrier;
      const side = bench[holds];
      const other = bench[holds === 'vsp' ? 'proxy' : 'vsp'];
      for (const direction of ['sendonly', 'sendrecv']) {
        side.act(side.agent.reinvite(leg, sdp(direction), 'h', bench.now));
        assert.equal(side.take('reinviteResult').status, 200);
        if (holds === 'proxy') continue;
        const offer = other.take('reinvite');
        other.act(other.agent.respondReinvite(carrier, offer.tx, 200, { sdp: sdp() }, bench.now));
      }
      bench.advance(3_600_000);
      bench.restart();
      bench.advance(60_000);
      for (const far of [side, other]) assert.ok(!far.has('bye'), `${far.node} hears no BYE`);
      useAndEnd(bench, client, carrier, holds);
    });

  it('and its sources are told again as they were, which media takes for no change', () => {
    const { bench } = connected();
    const sources = () => bench.media.filter(({ op }) => op === 'source');
    const told = sources();
    const before = bench.media.length;
    bench.restart();
    assert.deepEqual(
      bench.media.slice(before).map((c) => c.op),
      ['claim', 'source', 'source'],
    );
    const byLeg = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    assert.deepEqual(sources().slice(-2).sort(byLeg), told.slice(-2).sort(byLeg));
  });

  it('phone-that-moves-in-mid-call: with the target of an UPDATE that says nothing else', () => {
    const { bench, client, carrier } = connected();
    const update = bench.proxy.agent.requestInDialog(carrier, { method: 'UPDATE' }, 'u', bench.now);
    const contact = [{ uri: { ...uri('phone'), host: '192.0.2.77' }, params: {} }];
    bench.proxy.act(
      update.map((out) =>
        out.type === 'sip'
          ? { ...out, message: { ...out.message, headers: { ...out.message.headers, contact } } }
          : out,
      ),
    );
    assert.equal(bench.proxy.take('inDialogResult').status, 200);
    bench.restart();
    bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
    assert.equal(bench.proxy.take('bye').request.uri.host, '192.0.2.77');
    clean(bench, 2);
  });

  it('with the limits of its user, and the longest call', () => {
    const bench = new VoiceBench({ limits: { calls: 500, callsPerUser: 1 }, timers: { callMs: 60_000 } });
    connected(bench);
    bench.advance(30_000);
    bench.restart();
    dial(bench);
    assert.equal(bench.vsp.take('failed').status, 503);
    bench.advance(31_000);
    assert.ok(bench.vsp.has('bye') && bench.proxy.has('bye'));
    clean(bench, 3);
  });

  it('ends when media does not have its legs, and only then', () => {
    const { bench } = connected();
    bench.engine.delete([...bench.engine][0]!);
    bench.restart();
    assert.equal(header(bench.vsp.take('bye').request, 'X-Sidetone-Cause'), 'NETWORK_OUT_OF_ORDER');
    clean(bench, 2);
  });

  it('waits with media for the engine: the claim first, everything else behind it', () => {
    const { bench, client, carrier } = connected();
    let away = true;
    bench.mediaReply = () => (away ? { ok: false, error: 'engine', message: 'away' } : undefined);
    const before = bench.media.length;
    bench.restart();
    bench.vsp.act(bench.vsp.agent.reinvite(client, sdp('sendonly'), 'h', bench.now));
    bench.advance(1_100);
    const asked = bench.media.slice(before).map((c) => c.op);
    assert.deepEqual(asked, new Array(5).fill('claim'));
    assert.ok(!bench.vsp.has('reinviteResult'));
    away = false;
    bench.advance(300);
    assert.equal(bench.vsp.take('reinviteResult').status, 200);
    const offer = bench.proxy.take('reinvite');
    bench.proxy.act(bench.proxy.agent.respondReinvite(carrier, offer.tx, 200, { sdp: sdp() }, bench.now));
    bench.proxy.act(bench.proxy.agent.bye(carrier, [], bench.now));
    clean(bench, 2);
  });

  it('claims nothing when nothing was written, so that orphans are closed', () => {
    const bench = new VoiceBench();
    bench.engine.add('orphan');
    bench.restart();
    assert.deepEqual(bench.media, [{ op: 'claim', legs: [] }]);
    assert.equal(bench.engine.size, 0);
    clean(bench, 0);
  });

  it('drops what it cannot read', () => {
    const { bench } = connected();
    const [key] = bench.journal.keys();
    for (const text of ['7', '{}', '{"call":{}}', '{"byes":[{}]}']) {
      bench.journal.set(key!, text);
      bench.restart();
      assert.equal(bench.voice.size.calls, 0);
      assert.equal(bench.journal.size, 0);
      assert.equal(bench.logs.filter((l) => l.event === 'journal unreadable').length > 0, true);
    }
    const { bench: other } = connected();
    const [[name, text]] = [...other.journal] as [[string, string]];
    other.journal.set(name, text.replaceAll('"localSeq":', '"was":'));
    other.restart();
    assert.equal(other.voice.size.calls, 0);
    assert.deepEqual(
      other.records.map((r) => r.cause),
      ['restarted', 'restarted'],
    );
  });
});

describe('an exchange in flight', () => {
  for (const silent of ['re-answer', 're-offer', 're-invite', 're-accept'] as const)
    it(`${silent}: the call is at rest afterwards`, () => {
      const { bench, client, carrier } = connected();
      let offers = 0;
      bench.mediaReply = (command) => {
        if (silent === 're-answer' && command.op === 'answer') return null;
        if (silent === 're-offer' && command.op === 'offer') return null;
        if (silent === 're-accept' && command.op === 'accept') return null;
        return undefined;
      };
      bench.vsp.act(bench.vsp.agent.reinvite(client, sdp('sendonly'), 'h', bench.now));
      if (silent === 're-accept') {
        const offer = bench.proxy.take('reinvite');
        bench.proxy.act(bench.proxy.agent.respondReinvite(carrier, offer.tx, 200, { sdp: sdp() }, bench.now));
      }
      bench.mediaReply = () => undefined;
      bench.restart();
      // The peer's own re-INVITE died with its transaction; voice's is made again.
      for (let i = 0; i < 3; i++) {
        bench.advance(5_000);
        while (bench.proxy.has('reinvite')) {
          const offer = bench.proxy.take('reinvite');
          offers += 1;
          bench.proxy.act(
            bench.proxy.agent.respondReinvite(carrier, offer.tx, 200, { sdp: sdp() }, bench.now),
          );
        }
      }
      assert.equal(offers > 0, silent !== 're-answer');
      bench.proxy.act(bench.proxy.agent.reinvite(carrier, sdp('sendonly'), 'x', bench.now));
      assert.equal(bench.proxy.take('reinviteResult').status, 200);
      bench.proxy.act(bench.proxy.agent.bye(carrier, [], bench.now));
      assert.ok(bench.vsp.has('bye'));
      clean(bench, 2);
    });

  it('digits that leave as INFO go on behind the one whose answer is lost', () => {
    const { bench, client, carrier } = connected(
      new VoiceBench({ identity: people({ trunks: [trunk({ dtmf: 'info' })] }) }),
    );
    const body = { method: 'INFO', contentType: 'application/dtmf', body: '5' };
    for (let i = 0; i < 3; i++) bench.vsp.act(bench.vsp.agent.requestInDialog(client, body, 'd', bench.now));
    const first = bench.proxy.take('info');
    bench.restart();
    bench.proxy.act(bench.proxy.agent.respondRequest(first.tx, 200, {}, bench.now));
    for (let i = 0; i < 2; i++) {
      const next = bench.proxy.take('info');
      bench.proxy.act(bench.proxy.agent.respondRequest(next.tx, 200, {}, bench.now));
    }
    bench.proxy.act(bench.proxy.agent.bye(carrier, [], bench.now));
    clean(bench, 2);
  });
});

describe('a call without an answer ends as restarted', () => {
  it('while its callee rings; a 2xx that comes yet is ACKed and ended', () => {
    const bench = new VoiceBench();
    dial(bench);
    const carrier = bench.proxy.take('incoming').leg;
    bench.proxy.act(bench.proxy.agent.respond(carrier, 180, {}, bench.now));
    bench.restart();
    assert.deepEqual(
      bench.records.map((r) => [r.kind, r.cause, r.cause_code, r.ended_by]),
      [
        ['client', 'restarted', 41, 'platform'],
        ['trunk', 'restarted', 41, 'platform'],
      ],
    );
    answer(bench, carrier);
    const bye = bench.proxy.take('bye');
    assert.equal(header(bye.request, 'X-Sidetone-Cause'), 'restarted');
    clean(bench, 2);
  });

  it('while its user is looked up, or media makes the first offer', () => {
    for (const number of ['line2', '+15550100']) {
      const bench = new VoiceBench();
      bench.mediaReply = (command) => (command.op === 'offer' ? null : undefined);
      dial(bench, number);
      bench.restart();
      clean(bench, number === 'line2' ? 1 : 2);
      assert.ok(bench.records.every((r) => r.cause === 'restarted'));
    }
  });

  it('between the 2xx of the callee and ours: BYE to the callee', () => {
    const bench = new VoiceBench();
    bench.mediaReply = (command) => (command.op === 'accept' ? null : undefined);
    dial(bench);
    const carrier = bench.proxy.take('incoming').leg;
    answer(bench, carrier);
    bench.restart();
    assert.equal(header(bench.proxy.take('bye').request, 'X-Sidetone-Cause'), 'restarted');
    clean(bench, 2);
  });
});

it('a call that was ending is recorded with its own cause, once', () => {
  const { bench, client } = connected();
  bench.mediaReply = (command) => (command.op === 'close' ? null : undefined);
  bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
  assert.equal(bench.records.length, 0);
  bench.mediaReply = () => undefined;
  bench.restart();
  clean(bench, 2);
  for (const record of bench.records) {
    assert.equal(record.cause, 'NORMAL_CLEARING');
    assert.ok(record.media !== undefined);
  }
});

it('a death between the end that was written and its BYE: the BYE all the same', () => {
  const { bench, client } = connected();
  bench.mediaReply = (command) => (command.op === 'close' ? { ok: true } : undefined);
  bench.dying = true;
  bench.vsp.act(bench.vsp.agent.bye(client, [['Reason', 'Q.850;cause=16']], bench.now));
  assert.equal(header(bench.proxy.take('bye').request, 'X-Sidetone-Cause'), 'NORMAL_CLEARING');
});

it('refuses new calls for a handover and lets the others live', () => {
  const { bench, client, carrier } = connected();
  bench.tell({ type: 'refuse' });
  dial(bench);
  const refused = bench.vsp.take('failed');
  assert.equal(refused.status, 503);
  assert.match(header(refused.response!, 'Retry-After') ?? '', /^([2-9]|10)$/);
  bench.records.length = 0;
  useAndEnd(bench, client, carrier, 'vsp');
});

it('what is written of a call is small, and holds no description once it is acknowledged', () => {
  const { bench, client } = connected();
  const texts = [...bench.journal.values()];
  assert.equal(texts.length, 2, 'a line a leg');
  for (const text of texts)
    assert.ok(text.length < 2_048 && !text.includes('m=audio'), `${text.length} bytes`);
  bench.vsp.act(
    bench.vsp.agent.requestInDialog(
      client,
      { method: 'INFO', contentType: 'application/dtmf', body: '5' },
      'd',
      bench.now,
    ),
  );
  bench.vsp.act(bench.vsp.agent.bye(client, [], bench.now));
  assert.ok(bench.written.bytes < 16_384, `${bench.written.bytes} bytes`);
  clean(bench, 2);
});
