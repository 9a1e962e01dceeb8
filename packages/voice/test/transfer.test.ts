import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createResponse, header } from '@sidetone/sip';
import { nameAddr, type Side, Table } from './transfer-table.ts';
import { sdp } from './voice-bench.ts';

describe('a blind transfer', () => {
  it('lets the far party talk to the target, and the transferor go', () => {
    const table = new Table();
    const { client, carrier } = table.talk();
    table.pair();
    assert.equal(table.refer(client, '<sip:line2@sip.localhost>', [['X-Case', '7']]), 202);
    assert.deepEqual([...table.hears().values()], ['ringback', 'ringback']);
    table.found('sip:s1@vsp.sidetone.invalid');
    const target = table.rings();
    assert.equal(target.request.headers.from.uri.user, '+15550100', 'the party that is handed over is shown');
    assert.equal(
      header(target.request, 'P-Asserted-Identity'),
      '<sip:%2B15550100@sip.localhost>'.replace('%2B', '+'),
    );
    assert.equal(header(target.request, 'Referred-By'), '<sip:line1@sip.localhost>');
    assert.equal(header(target.request, 'X-Case'), '7');
    table.answer(target, 180);
    assert.deepEqual(table.told(table.vsp), ['100', '180']);
    table.answer(target);
    assert.deepEqual(table.told(table.vsp), ['200 final']);
    const bye = table.vsp.take('bye');
    assert.equal(bye.leg, client.leg);
    assert.match(header(bye.request, 'Reason') ?? '', /cause=16/);
    table.pair();
    assert.ok(!table.proxy.has('reinvite'), 'no new description for the party that stays');
    table.hangUp(target);
    assert.equal(table.proxy.take('bye').leg, carrier.leg);
    table.clean(3);
    const roles = table.records.map((r) => `${r.kind} ${r.transfer} ${r.from}>${r.to}`).sort();
    assert.deepEqual(roles, [
      'client target +15550100>line2',
      'client transferor line1>+15550100',
      'trunk transferee line1>+15550100',
    ]);
    assert.equal(new Set(table.records.map((r) => r.session_id)).size, 1);
  });

  it('to a number still hangs on the user who pays for it: revoked, the call ends', () => {
    const table = new Table();
    const carrier = table.dial('carrier', '+13125550101', table.proxy);
    table.found('sip:desk@192.0.2.7');
    const phone = table.rings();
    table.answer(phone);
    table.refer(phone, '<sip:+15550199@sip.localhost>');
    table.told(table.proxy);
    const target = table.rings();
    table.answer(target);
    table.told(table.proxy);
    assert.equal(table.proxy.take('bye').leg, phone.leg);
    table.tell({ type: 'revoked', users: new Set(['line2']) });
    assert.deepEqual(
      [table.proxy.take('bye').leg, table.proxy.take('bye').leg].sort(),
      [carrier.leg, target.leg].sort(),
    );
    table.clean(3);
  });

  it('is done so often and no more: nobody is handed round for ever', () => {
    const table = new Table();
    let { client: asks } = table.talk();
    let status = 202;
    let done = 0;
    for (; done < 100; done++) {
      status = table.refer(asks, '<sip:line2@sip.localhost>');
      if (status !== 202) break;
      table.told(asks.far);
      table.found('sip:s1@vsp.sidetone.invalid');
      const target = table.rings();
      table.answer(target);
      table.told(asks.far);
      asks.far.take('bye');
      asks = target;
    }
    assert.deepEqual([done, status], [30, 403]);
    table.pair();
    table.hangUp(asks);
    table.clean(32);
  });

  it('by the callee; a party on hold is let go again, DTMF and hold work from both new sides', () => {
    const table = new Table();
    const carrier = table.dial('carrier', '+13125550101', table.proxy);
    table.found('sip:desk@192.0.2.7');
    const phone = table.rings();
    table.answer(phone);
    const { proxy } = table;
    proxy.take('accepted');
    proxy.act(proxy.agent.reinvite(phone.leg, sdp('sendonly'), 'h', table.now));
    const held = proxy.take('reinvite');
    assert.match(held.sdp ?? '', /a=sendonly/);
    proxy.act(proxy.agent.respondReinvite(held.leg, held.tx, 200, { sdp: sdp('recvonly') }, table.now));
    proxy.events.length = 0;
    assert.equal(table.refer(phone, '<sip:line1@127.0.0.1>'), 202);
    table.told(proxy);
    table.found('sip:s1@vsp.sidetone.invalid');
    const target = table.rings();
    table.answer(target);
    table.told(proxy);
    assert.equal(proxy.take('bye').leg, phone.leg);
    const free = proxy.take('reinvite');
    assert.equal(free.leg, carrier.leg);
    assert.match(free.sdp ?? '', /a=sendrecv/);
    proxy.act(proxy.agent.respondReinvite(free.leg, free.tx, 200, { sdp: sdp() }, table.now));
    table.pair();
    const digit = (side: Side): number => {
      const info = { method: 'INFO', contentType: 'application/dtmf-relay', body: 'Signal=5' };
      side.far.act(side.far.agent.requestInDialog(side.leg, info, 'd', table.now));
      return table.media.filter((c) => c.op === 'dtmf').length;
    };
    assert.deepEqual([digit(carrier), digit(target)], [1, 2]);
    proxy.act(proxy.agent.reinvite(target.leg, sdp('sendonly'), 'h', table.now));
    assert.deepEqual([...table.hears().values()].sort(), ['music', 'silence']);
    table.hangUp(carrier);
    table.clean(3);
  });

  it('to a number shows a carrier a number of the platform, and no user name', () => {
    const table = new Table();
    const carrier = table.dial('carrier', '+13125550101', table.proxy);
    table.found('sip:desk@192.0.2.7');
    const phone = table.rings();
    table.answer(phone);
    assert.equal(table.refer({ far: table.proxy, leg: phone.leg }, '<sip:+15550199@sip.localhost>'), 202);
    table.told(table.proxy);
    const target = table.rings();
    assert.equal(target.request.uri.user, '+15550199');
    assert.equal(target.request.headers.from.uri.user, '+13125550101');
    assert.equal(header(target.request, 'Referred-By'), '<sip:+13125550101@sip.localhost>');
    table.hangUp(carrier);
    table.clean(3);
  });

  it('to a service', () => {
    const table = new Table();
    const { client, carrier } = table.talk();
    assert.equal(table.refer(client, '<sip:9664@sip.localhost>'), 202);
    assert.deepEqual(table.told(table.vsp), ['100', '200 final']);
    assert.deepEqual([...table.hears().values()], ['music']);
    table.hangUp(carrier);
    table.clean(3);
  });

  for (const [why, status, fail] of [
    ['is busy', 486, (t: Table, s: Side) => t.answer(s, 486)],
    ['does not answer', 480, (t: Table) => t.advance(61_000)],
    ['says no', 603, (t: Table, s: Side) => t.answer(s, 603)],
  ] as const)
    it(`to somebody who ${why} leaves the call as it was`, () => {
      const table = new Table();
      const { client, carrier } = table.talk();
      table.refer(client, '<sip:line2@sip.localhost>');
      table.found('sip:s1@vsp.sidetone.invalid');
      fail(table, table.rings());
      assert.equal(table.told(table.vsp).at(-1), `${status} final`);
      table.pair();
      assert.ok(!table.vsp.has('bye') && !table.proxy.has('bye'));
      // Another one may follow.
      assert.equal(table.refer(client, '<sip:line2@sip.localhost>'), 202);
      table.found(null);
      assert.deepEqual(table.told(table.vsp), ['100', '480 final']);
      assert.equal(table.refer(client, '<sip:nobody@sip.localhost>'), 202);
      assert.deepEqual(table.told(table.vsp), ['100', '404 final']);
      table.pair();
      table.hangUp(carrier);
      assert.equal(table.vsp.take('bye').leg, client.leg);
      table.clean(3);
    });

  it('goes on when the transferor hangs up; its failure then ends the call', () => {
    for (const works of [true, false]) {
      const table = new Table();
      const { client, carrier } = table.talk();
      table.refer(client, '<sip:line2@sip.localhost>');
      table.found('sip:s1@vsp.sidetone.invalid');
      const target = table.rings();
      table.hangUp(client);
      assert.ok(!table.proxy.has('bye'));
      table.answer(target, works ? 200 : 486);
      if (works) {
        table.pair();
        table.hangUp(carrier);
        assert.equal(table.proxy.take('bye').leg, target.leg);
      } else {
        const bye = table.proxy.take('bye');
        assert.equal(bye.leg, carrier.leg);
        assert.match(header(bye.request, 'Reason') ?? '', /cause=17/);
      }
      table.clean(3);
    }
  });

  it('ends with the far party: the target stops ringing, the transferor is told and let go', () => {
    const table = new Table();
    const { client, carrier } = table.talk();
    table.refer(client, '<sip:line2@sip.localhost>');
    table.found('sip:s1@vsp.sidetone.invalid');
    const target = table.rings();
    table.hangUp(carrier);
    assert.deepEqual(table.told(table.vsp), ['100', '487 final']);
    assert.equal(table.vsp.take('bye').leg, client.leg);
    assert.equal(table.proxy.take('cancelled').leg, target.leg);
    table.clean(3);
  });

  it('is refused to carriers, to a second one at a time, and without a call or a target', () => {
    const table = new Table();
    const { client, carrier } = table.talk();
    assert.equal(table.refer(carrier, '<sip:line2@sip.localhost>'), 403);
    assert.equal(table.refer(client, 'nonsense <'), 400);
    assert.equal(table.refer(client, '<sip:line2@sip.localhost;method=BYE>'), 400);
    assert.equal(
      table.refer(client, '<sip:x@sip.localhost?Replaces=nobody%3Bto-tag%3D1%3Bfrom-tag%3D2>'),
      404,
    );
    assert.equal(table.refer(client, '<sip:x@sip.localhost?Replaces=%zz>'), 400);
    table.refer(client, '<sip:line2@sip.localhost>');
    assert.equal(table.refer(client, '<sip:line2@sip.localhost>'), 491);
    table.tell({ type: 'drain' });
    table.clean(2);
  });

  it('is off when the process dies; the call goes on, and half a call does not', () => {
    for (const left of [false, true]) {
      const table = new Table();
      const { client, carrier } = table.talk();
      table.refer(client, '<sip:line2@sip.localhost>');
      table.found('sip:s1@vsp.sidetone.invalid');
      if (left) table.hangUp(client);
      table.restart();
      if (left) assert.equal(table.proxy.take('bye').leg, carrier.leg);
      else {
        assert.ok(!table.proxy.has('bye'));
        table.hangUp(carrier);
        assert.equal(table.vsp.take('bye').leg, client.leg);
      }
      table.advance(120_000);
      assert.deepEqual(table.voice.size, { calls: 0, media: 0, dialogs: 0 });
    }
  });

  it('that was done outlives the process', () => {
    const table = new Table();
    const { client, carrier } = table.talk();
    table.refer(client, '<sip:line2@sip.localhost>');
    table.found('sip:s1@vsp.sidetone.invalid');
    const target = table.rings();
    table.answer(target);
    table.told(table.vsp);
    table.restart();
    assert.ok(!table.proxy.has('bye'));
    table.hangUp(target);
    assert.equal(table.proxy.take('bye').leg, carrier.leg);
    table.clean(3);
  });
});

describe('an attended transfer', () => {
  /** line1 talks with the carrier and, on another line, with line2's phone. */
  function two(): { table: Table; first: Side; second: Side; carrier: Side; phone: Side; replaces: string } {
    const table = new Table();
    const { client: first, carrier } = table.talk();
    const second = table.dial('line1', 'line2');
    table.found('sip:desk@192.0.2.7');
    const phone = table.rings();
    table.answer(phone);
    table.vsp.take('accepted');
    const { callId, localTag, remoteTag } = table.vsp.agent.dialogOf(second.leg)!;
    const replaces = `<sip:x@sip.localhost?Replaces=${encodeURIComponent(
      `${callId};to-tag=${remoteTag};from-tag=${localTag}`,
    )}>`;
    return { table, first, second, carrier, phone, replaces };
  }

  it('joins the far parties and ends both legs of the transferor', () => {
    const { table, first, second, carrier, phone, replaces } = two();
    assert.equal(table.refer(first, replaces), 202);
    assert.deepEqual(table.told(table.vsp), ['100', '200 final']);
    const byes = [table.vsp.take('bye').leg, table.vsp.take('bye').leg].sort();
    assert.deepEqual(byes, [first.leg, second.leg].sort());
    table.pair();
    table.hangUp(phone);
    assert.equal(table.proxy.take('bye').leg, carrier.leg);
    table.clean(4);
    const sessions = new Set(table.records.map((r) => r.session_id));
    assert.equal(sessions.size, 2);
    const joined = table.records.filter((r) => r.joined_session_id !== undefined);
    assert.deepEqual(joined.map((r) => r.transfer).sort(), ['target', 'transferee']);
    for (const r of joined)
      assert.ok(sessions.has(r.joined_session_id!) && r.joined_session_id !== r.session_id);
    assert.equal(table.records.filter((r) => r.transfer === 'transferor').length, 2);
  });

  it('outlives the process, and can be transferred again', () => {
    const { table, first, carrier, phone, replaces } = two();
    table.refer(first, replaces);
    table.told(table.vsp);
    table.restart();
    assert.equal(table.refer(phone, '<sip:+15550177@sip.localhost>'), 202);
    const third = table.rings();
    assert.equal(third.request.headers.from.uri.user, '+13125550101');
    table.answer(third);
    table.told(table.proxy);
    assert.equal(table.proxy.take('bye').leg, phone.leg);
    table.hangUp(carrier);
    assert.equal(table.proxy.take('bye').leg, third.leg);
    table.advance(120_000);
    assert.deepEqual(table.voice.size, { calls: 0, media: 0, dialogs: 0 });
    assert.equal(new Set(table.records.map((r) => r.leg_id)).size, table.records.length);
  });

  it('with a call of somebody else, or with itself, is refused', () => {
    const { table, first, second, replaces, phone } = two();
    assert.equal(table.refer(phone, replaces), 403);
    assert.equal(table.refer(second, replaces), 400);
    table.refer(second, '<sip:line2@sip.localhost>');
    assert.equal(table.refer(first, replaces), 491);
    table.tell({ type: 'drain' });
    table.advance(120_000);
    assert.deepEqual(table.voice.size, { calls: 0, media: 0, dialogs: 0 });
  });
});

describe('a transfer among faults', () => {
  it('to a user with two browsers: the first answer wins, the other stops ringing', () => {
    const table = new Table();
    const { client, carrier } = table.talk();
    table.refer(client, '<sip:line2@sip.localhost>');
    const asked = table.proxy.take('request');
    const contact = ['s1', 's2'].map((s) => nameAddr(`<sip:${s}@vsp.sidetone.invalid>`));
    const message = createResponse(asked.request, 200, { contact });
    table.tell({ type: 'sip', message, flow: { transport: 'local', node: 'proxy' } });
    const [one, two] = [table.rings(), table.rings()];
    table.answer(two);
    assert.equal(table.proxy.take('cancelled').leg, one.leg);
    table.pair();
    table.hangUp(carrier);
    assert.equal(table.proxy.take('bye').leg, two.leg);
    table.clean(3);
  });

  it('without media for the target leaves the call as it was', () => {
    const table = new Table();
    const { client, carrier } = table.talk();
    table.mediaReply = (command) =>
      command.op === 'offer' ? { ok: false, error: 'no-port', message: '' } : undefined;
    table.refer(client, '<sip:+15550177@sip.localhost>');
    assert.deepEqual(table.told(table.vsp), ['100', '503 final']);
    table.pair();
    table.hangUp(carrier);
    table.clean(3);
  });

  it('survives the media of who asked for it, not that of who stays', () => {
    for (const asks of [true, false]) {
      const table = new Table();
      const { client, carrier } = table.talk();
      const [transferee, transferor] = [...table.hears().values()];
      table.refer(client, '<sip:line2@sip.localhost>');
      table.found('sip:s1@vsp.sidetone.invalid');
      const target = table.rings();
      // The transferor, as the caller, was opened last.
      const opened = table.media.filter((c) => c.op === 'answer').map((c) => c.leg)[0]!;
      const other = [transferee, transferor].find((leg) => leg !== opened)!;
      const leg = asks ? opened : other;
      table.tell({ type: 'mediaEvent', event: { event: 'failed', leg, why: 'ice' } });
      assert.equal(table.vsp.take('bye').leg, client.leg);
      if (asks) {
        table.answer(target);
        table.pair();
        table.hangUp(carrier);
        assert.equal(table.proxy.take('bye').leg, target.leg);
      } else assert.equal(table.proxy.take('cancelled').leg, target.leg);
      table.clean(3);
    }
  });

  it('is ended by a drain, in every part', () => {
    const table = new Table();
    const { client } = table.talk();
    table.refer(client, '<sip:line2@sip.localhost>');
    table.found('sip:s1@vsp.sidetone.invalid');
    table.rings();
    table.tell({ type: 'drain' });
    assert.deepEqual(table.told(table.vsp), ['100', '487 final']);
    assert.ok(table.vsp.has('bye') && table.proxy.has('bye') && table.proxy.has('cancelled'));
    table.clean(3);
  });
});
