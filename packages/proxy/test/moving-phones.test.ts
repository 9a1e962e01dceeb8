import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Flow, NameAddr, SipRequest, Uri } from '@sidetone/sip';
import { formatUri, header, headersNamed } from '@sidetone/sip';
import {
  address,
  type Parts,
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

const udp = (host: string, port: number): Flow => ({ transport: 'udp', host, port });
const tcp = (host: string, port: number, connection: string): Flow => ({
  transport: 'tcp',
  host,
  port,
  connection,
});
const page = (connection: string): Flow => ({
  transport: 'wss',
  host: '198.51.100.20',
  port: 443,
  connection,
});

const REGISTER: Parts = {
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: 'sip:line1@sip.test',
  to: 'sip:line1@sip.test',
};

/** A phone before and after it moved. */
interface Place {
  readonly flow: Flow;
  readonly contact: string;
}

let serial = 0;
const registers = (rig: Rig, place: Place, user = 'line1', more: Parts = {}): number => {
  rig.now += 5;
  serial += 1;
  const aor = `sip:${user}@sip.test`;
  const parts = {
    ...REGISTER,
    from: aor,
    to: aor,
    callId: `reg-${serial}`,
    contact: [address(place.contact)],
  };
  return statuses(rig.authenticated(place.flow, user, { ...parts, ...more }).out).at(-1)!;
};

/** A call of line1 across the border, as voice holds it: its route set, and the target that INVITE, UPDATE and their 2xx refresh. */
class Call {
  readonly rig: Rig;
  target: Uri;
  readonly route: readonly NameAddr[];
  readonly callId: string;
  #seq = 100;

  private constructor(rig: Rig, callId: string, target: Uri, route: readonly NameAddr[]) {
    this.rig = rig;
    this.callId = callId;
    this.target = target;
    this.route = route;
    rig.dialog(callId, 'voice');
  }

  /** The phone calls. */
  static from(rig: Rig, { flow, contact }: Place, more: Parts = {}): Call {
    rig.now += 5;
    const parts = { from: 'sip:line1@sip.test', callId: 'call', contact: [address(contact)], ...more };
    const [invite] = requests(rig.authenticated(flow, 'line1', parts).out, 'INVITE');
    rig.reply(invite!, 200, { contact: [address('sip:v-leg@192.0.2.1')] });
    const { headers } = invite!.message;
    return new Call(rig, 'call', (headers.contact[0] as NameAddr).uri, headers.recordRoute);
  }

  /** The phone is called. */
  static to(rig: Rig, { flow, contact }: Place): Call {
    rig.now += 5;
    const { out } = rig.send(VOICE, { uri: 'sip:line1@sip.test', callId: 'call' });
    const [invite] = requests(out, 'INVITE');
    assert.deepEqual(invite?.flow, flow);
    const [ok] = responses(rig.reply(invite, 200, { contact: [address(contact)] }));
    return new Call(rig, 'call', (ok!.headers.contact[0] as NameAddr).uri, routeSet(ok!));
  }

  /** The routes that the phone was given. */
  get theirs(): readonly NameAddr[] {
    return this.route;
  }

  /** A request of the phone; what voice hears of it refreshes the target. */
  heard(method: string, { flow, contact }: Place, more: Parts = {}): readonly SipRequest[] {
    this.rig.now += 5;
    this.#seq += 1;
    const { callId, theirs: route } = this;
    const parts = { method, uri: 'sip:v-leg@192.0.2.1', toTag: 'voice', callId, route, cseq: this.#seq };
    const { out } = this.rig.send(flow, { ...parts, contact: [address(contact)], ...more });
    const passed = requests(out, method).map(({ message }) => message);
    for (const { headers } of passed)
      if (method === 'INVITE' || method === 'UPDATE') this.target = (headers.contact[0] as NameAddr).uri;
    return passed;
  }

  /** A request of voice: where it goes. */
  sends(method: string, answer?: { readonly contact: string }): Flow | undefined {
    this.rig.now += 5;
    this.#seq += 1;
    const { callId, route } = this;
    const parts = { method, uri: formatUri(this.target), toTag: 'phone', callId, route, cseq: this.#seq };
    const [sent] = requests(this.rig.send(VOICE, parts).out, method);
    if (sent === undefined) return undefined;
    for (const [name] of Object.entries(sent.message.uri.params))
      assert.doesNotMatch(name, /sidetone/, 'our marks stay inside');
    if (answer !== undefined) {
      const [ok] = responses(this.rig.reply(sent, 200, { contact: [address(answer.contact)] }));
      this.target = (ok!.headers.contact[0] as NameAddr).uri;
    }
    return sent.flow;
  }
}

const OURS = ['ACK', 'INVITE', 'UPDATE', 'INFO', 'NOTIFY', 'BYE'];

const MOVES: readonly [what: string, before: Place, after: Place][] = [
  [
    'by UDP, to another network',
    { flow: udp('198.51.100.5', 5062), contact: 'sip:bob@198.51.100.5:5062' },
    { flow: udp('198.51.100.8', 5062), contact: 'sip:bob@198.51.100.8:5062' },
  ],
  [
    'by UDP, behind a NAT that forgot the port',
    { flow: udp('198.51.100.5', 40_000), contact: 'sip:bob@192.168.1.50:5062' },
    { flow: udp('198.51.100.5', 40_001), contact: 'sip:bob@192.168.1.50:5062' },
  ],
  [
    'by TCP, on another connection',
    { flow: tcp('198.51.100.5', 40_000, 'c1'), contact: 'sip:bob@192.168.1.50:5062;transport=tcp' },
    { flow: tcp('198.51.100.8', 40_001, 'c2'), contact: 'sip:bob@192.168.7.50:5062;transport=tcp' },
  ],
  [
    'by WebSocket, on another connection',
    { flow: page('one'), contact: 'sip:k3j2@9a8b7c.invalid;transport=ws' },
    { flow: page('two'), contact: 'sip:k3j2@9a8b7c.invalid;transport=ws' },
  ],
  [
    'from UDP to TCP',
    { flow: udp('198.51.100.5', 5062), contact: 'sip:bob@198.51.100.5:5062' },
    { flow: tcp('198.51.100.8', 40_001, 'c2'), contact: 'sip:bob@198.51.100.8:5062;transport=tcp' },
  ],
];

describe('phone-that-moves-in-mid-call', () => {
  for (const [what, before, after] of MOVES)
    for (const side of ['from', 'to'] as const)
      describe(`${what}; the call is ${side} the phone`, () => {
        const begun = (): { rig: Rig; call: Call } => {
          const rig = new Rig();
          assert.equal(registers(rig, before), 200);
          const call = Call[side](rig, before);
          for (const method of OURS) assert.deepEqual(call.sends(method), before.flow, method);
          return { rig, call };
        };

        for (const method of ['INVITE', 'UPDATE'])
          for (const known of [true, false])
            it(`${method} from there moves it, ${known ? 'registered' : 'not yet registered'} there`, () => {
              const { rig, call } = begun();
              if (known) registers(rig, after);
              assert.equal(call.heard(method, after).length, 1);
              for (const ours of OURS) assert.deepEqual(call.sends(ours), after.flow, ours);
              rig.restart();
              for (const ours of OURS) assert.deepEqual(call.sends(ours), after.flow, ours);
            });

        it('its answers there keep it there, and it may move back', () => {
          const { call } = begun();
          call.heard('INVITE', after);
          assert.deepEqual(call.sends('INVITE', after), after.flow);
          assert.deepEqual(call.sends('BYE'), after.flow);
          call.heard('UPDATE', before);
          assert.deepEqual(call.sends('BYE'), before.flow);
        });

        it('INFO, and who is nobody, move nothing', () => {
          const { call } = begun();
          assert.equal(call.heard('INFO', after).length, 1);
          assert.deepEqual(call.sends('BYE'), before.flow);
          for (const method of ['INVITE', 'UPDATE']) {
            const forged = [address('sip:d.dWRw.AAAAAAAAAAAAAAAA@192.0.2.1', { lr: '' })];
            for (const route of [[], forged])
              assert.equal(call.heard(method, { ...after, flow: STRANGER }, { route }).length, 0);
          }
          assert.deepEqual(call.sends('BYE'), before.flow);
        });
      });

  const same = MOVES.filter(([, before, after]) => before.contact === after.contact);
  for (const [what, before, after] of same)
    for (const side of ['from', 'to'] as const)
      it(`${what}: a REGISTER of the same contact moves a call ${side} it, also over a restart`, () => {
        const rig = new Rig();
        registers(rig, before);
        const call = Call[side](rig, before);
        registers(rig, after);
        for (const method of OURS) assert.deepEqual(call.sends(method), after.flow, method);
        if (after.flow.transport === 'udp') rig.restart();
        assert.deepEqual(call.sends('BYE'), after.flow);
      });

  it('the latest of re-INVITE and REGISTER counts; a refresh by the same flow is no move', () => {
    const [, , first] = MOVES[1]!;
    const at = (port: number): Place => ({ ...first, flow: udp('198.51.100.5', port) });
    const rig = new Rig();
    registers(rig, at(1001));
    const call = Call.to(rig, at(1001));
    call.heard('INVITE', at(1002));
    registers(rig, at(1001));
    assert.deepEqual(call.sends('BYE'), at(1002).flow);
    registers(rig, at(1003));
    assert.deepEqual(call.sends('BYE'), at(1003).flow);
    call.heard('UPDATE', at(1004));
    assert.deepEqual(call.sends('BYE'), at(1004).flow);
  });

  it('a call by another flow than the registration stays there', () => {
    const [, before, after] = MOVES[1]!;
    const rig = new Rig();
    registers(rig, before);
    const call = Call.from(rig, after);
    assert.deepEqual(call.sends('BYE'), after.flow);
    registers(rig, before);
    assert.deepEqual(call.sends('BYE'), after.flow);
  });

  it('another user with the same contact moves nothing', () => {
    for (const [, before, after] of same) {
      const rig = new Rig();
      registers(rig, before);
      const call = Call.to(rig, before);
      registers(rig, after, 'line2');
      assert.deepEqual(call.sends('BYE'), before.flow);
      // Known, and knowing the names of the dialog, but not its token.
      call.heard('INVITE', after, { route: [], from: 'sip:line2@sip.test' });
      assert.deepEqual(call.sends('BYE'), before.flow);
      registers(rig, after, 'line2');
      assert.deepEqual(call.sends('BYE'), before.flow);
    }
  });

  it('nobody else moves it back, either: who refreshes the target says who it is', () => {
    const [, before, after] = MOVES[0]!;
    const rig = new Rig();
    registers(rig, before);
    const call = Call.from(rig, before);
    const place = { flow: udp('198.51.100.66', 5060), contact: 'sip:x@198.51.100.66' };
    registers(rig, place, 'line2');
    const beside = { ...before, flow: udp('198.51.100.5', 777) };
    for (const method of ['INVITE', 'UPDATE']) {
      const parts = { method, uri: 'sip:v-leg@192.0.2.1', toTag: 'voice', callId: 'call', cseq: 9 };
      const contact = [address(place.contact)];
      // From the host that the call came from, and from a contact of somebody else in the name of the caller.
      for (const { flow } of [beside, place])
        assert.deepEqual(
          statuses(rig.send(flow, { ...parts, contact, from: 'sip:line1@sip.test' }).out),
          [407],
        );
      const own = { ...parts, contact, from: 'sip:line2@sip.test' };
      const [heard] = requests(rig.send(place.flow, own).out, method);
      assert.equal(header(heard!.message, 'P-Asserted-Identity'), '<sip:line2@sip.test>');
      assert.equal((heard!.message.headers.contact[0] as NameAddr).uri.params['sidetone-user'], 'line2');
      const [theirs] = call.heard(method, after);
      assert.equal(header(theirs!, 'P-Asserted-Identity'), '<sip:line1@sip.test>');
      assert.equal(call.target.params['sidetone-user'], 'line1');
    }
  });

  it('a phone that ignores Record-Route proves itself by digest or by its registration', () => {
    const [, before, after] = MOVES[0]!;
    for (const known of [true, false]) {
      const rig = new Rig();
      registers(rig, before);
      const call = Call.from(rig, before);
      if (known) registers(rig, { ...after, contact: 'sip:other@10.0.0.9' });
      const parts = { method: 'INVITE', uri: 'sip:v-leg@192.0.2.1', toTag: 'voice', callId: 'call', cseq: 7 };
      const more = { ...parts, contact: [address(after.contact)], from: 'sip:line1@sip.test' };
      const { out } = known ? rig.send(after.flow, more) : rig.authenticated(after.flow, 'line1', more);
      const [passed] = requests(out, 'INVITE');
      call.target = (passed!.message.headers.contact[0] as NameAddr).uri;
      assert.deepEqual(call.sends('BYE'), after.flow);
    }
  });

  it('an instance that registers its flow anew is there, whatever its contact (RFC 5626)', () => {
    const [, before, after] = MOVES[0]!;
    const outbound = ({ contact }: Place): Parts => ({
      contact: [address(contact, { '+sip.instance': '"<urn:uuid:1>"', 'reg-id': '1' })],
      headers: [['Supported', 'path, outbound']],
    });
    for (const side of ['from', 'to'] as const) {
      const rig = new Rig();
      registers(rig, before, 'line1', outbound(before));
      const call = Call[side](rig, before);
      registers(rig, after, 'line1', outbound(after));
      assert.deepEqual(call.sends('BYE'), after.flow);
    }
  });

  it('a connection that is gone gives way to the one of the registration', () => {
    const contact = 'sip:bob@198.51.100.5:5090;transport=tcp';
    const rig = new Rig();
    registers(rig, { flow: tcp('198.51.100.5', 40_000, 'c1'), contact });
    const second = tcp('198.51.100.5', 40_001, 'c2');
    const call = Call.from(rig, { flow: second, contact });
    rig.restart();
    const { callId, route } = call;
    const bye = { method: 'BYE', uri: formatUri(call.target), toTag: 'phone', callId, route, cseq: 2 };
    assert.deepEqual(requests(rig.send(VOICE, bye).out)[0]?.flow, second);
    assert.deepEqual(requests(rig.transportFailed(second), 'BYE')[0]?.flow, {
      transport: 'tcp',
      host: '198.51.100.5',
      port: 5090,
    });
  });

  it('tokens of a version before are read as they were', () => {
    const rig = new Rig();
    const [, , after] = MOVES[1]!;
    const call = Call.from(rig, MOVES[1]![1]);
    const text = (token: string): string => Buffer.from(token.split('.')[1]!, 'base64url').toString();
    const token = call.route[0]!.uri.user!;
    assert.match(text(token), /^udp,40000,198\.51\.100\.5,,line1,,\d+,$/);
    // The same call, whose phone moved: a mark is good for this call alone.
    call.heard('INVITE', after);
    const mark = call.target.params['sidetone-peer']!;
    const other = { method: 'BYE', toTag: 'phone', callId: 'another', uri: 'sip:bob@192.0.2.77', cseq: 2 };
    const marked = formatUri({ ...uri('sip:bob@192.0.2.77'), params: { 'sidetone-peer': mark } });
    const [sent] = requests(rig.send(VOICE, { ...other, uri: marked }).out);
    assert.deepEqual(sent?.flow, udp('192.0.2.77', 5060));
  });

  it('a carrier is reached by its Contact, whatever it writes into it', () => {
    const rig = new Rig();
    const { out } = rig.send(TRUNK, { from: 'sip:+1555@example.net', callId: 'call' });
    const [invite] = requests(out, 'INVITE');
    const route = invite!.message.headers.recordRoute;
    rig.reply(invite!, 200, { contact: [address('sip:v-leg@192.0.2.1')] });
    rig.dialog('call', 'voice');
    const again = { method: 'INVITE', uri: 'sip:v-leg@192.0.2.1', toTag: 'voice', callId: 'call', cseq: 2 };
    const contact = [address('sip:gw@192.0.2.77:5090')];
    const [heard] = requests(rig.send(TRUNK, { ...again, route, contact }).out, 'INVITE');
    assert.deepEqual(heard?.message.headers.contact, contact);
    const bye = { method: 'BYE', uri: 'sip:gw@192.0.2.77:5090', toTag: 'x', callId: 'call', route };
    assert.deepEqual(requests(rig.send(VOICE, bye).out)[0]?.flow, udp('192.0.2.77', 5090));
    assert.deepEqual(headersNamed(heard.message, 'Route'), []);
  });
});
