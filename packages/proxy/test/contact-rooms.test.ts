import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, formatUri, type SipResponse } from '@sidetone/sip';
import fc from 'fast-check';
import { type Location, locationMachine } from '../src/location.ts';
import { address, type Parts, Rig, requests, responses, VOICE, VSP } from './rig.ts';

const REGISTER: Parts = {
  method: 'REGISTER',
  uri: 'sip:sip.test',
  from: 'sip:line1@sip.test',
  to: 'sip:line1@sip.test',
};

const at = (host: string, port: number): Flow => ({ transport: 'udp', host, port });

/** A phone registers by its own flow. */
function phone(rig: Rig, flow: Flow, more: Parts = {}): SipResponse {
  rig.now += 1000;
  const { host, port } = flow as Extract<Flow, { transport: 'udp' }>;
  const parts = { ...REGISTER, contact: [address(`sip:line1@${host}:${port}`)], callId: `${host}-${port}` };
  return responses(rig.authenticated(flow, 'line1', { ...parts, ...more }).out).at(-1)!;
}

/** A client logs in. */
function client(rig: Rig, name: string, more: Parts = {}): SipResponse {
  rig.now += 1000;
  const contact = [address(`sip:${name}@vsp.sidetone.invalid`)];
  return responses(rig.send(VSP, { ...REGISTER, contact, callId: name, ...more }).out)[0]!;
}

const rung = (rig: Rig): string =>
  formatUri(requests(rig.send(VOICE, { uri: 'sip:line1@sip.test' }).out, 'INVITE')[0]!.message.uri);

const places = (rig: Rig): string[] =>
  rig.proxy.bindingsOf('line1', rig.now).map(({ uri }) => `${uri.user}@${uri.host}:${uri.port ?? ''}`);

const DESK = at('198.51.100.30', 5060);
const agent = (name: string): readonly (readonly [string, string])[] => [['User-Agent', name]];

describe('ten-contacts-lock-the-user-out', () => {
  it('a phone that comes back from another port each time is taken each time, and the newest is rung', () => {
    for (const contactsPerUser of [undefined, 10, 1]) {
      const rig = new Rig(contactsPerUser === undefined ? {} : { contactsPerUser });
      for (let port = 20_000; port < 20_012; port++) {
        assert.equal(phone(rig, at('198.51.100.6', port)).status, 200);
        assert.equal(rung(rig), `sip:line1@198.51.100.6:${port}`);
      }
      assert.equal(rig.proxy.bindings, contactsPerUser ?? 12);
    }
  });

  it('phones and clients have a room each', () => {
    const rig = new Rig({ contactsPerUser: 3 });
    for (let i = 0; i < 5; i++) phone(rig, at('198.51.100.6', 20_000 + i));
    for (let i = 0; i < 5; i++) assert.equal(client(rig, `c${i}`).status, 200);
    assert.deepEqual(places(rig).sort(), [
      'c2@vsp.sidetone.invalid:',
      'c3@vsp.sidetone.invalid:',
      'c4@vsp.sidetone.invalid:',
      'line1@198.51.100.6:20002',
      'line1@198.51.100.6:20003',
      'line1@198.51.100.6:20004',
    ]);
    assert.ok(rig.logs.some(({ event, fields }) => event === 'register' && fields['dropped'] === 1));
  });

  it('a hundred clients of one login are no trouble', () => {
    const rig = new Rig();
    for (let i = 0; i < 100; i++) assert.equal(client(rig, `c${i}`).status, 200);
    assert.equal(rig.proxy.bindings, 100);
    client(rig, 'another');
    assert.equal(places(rig).includes('c0@vsp.sidetone.invalid:'), false);
  });

  it('who refreshed last stays, whoever came first', () => {
    const rig = new Rig({ contactsPerUser: 2 });
    client(rig, 'a');
    client(rig, 'b');
    client(rig, 'a', { cseq: 2 });
    client(rig, 'c');
    assert.deepEqual(places(rig), ['c@vsp.sidetone.invalid:', 'a@vsp.sidetone.invalid:']);
  });

  it('a phone that wanders takes its own places, not those of the desk phones', () => {
    const looks: [string, (i: number) => Parts][] = [
      ['User-Agent and address', () => ({ headers: agent('Wanderer 1.0') })],
      [
        'instance',
        (i) => ({
          contact: [address(`sip:line1@198.51.100.6:${20_000 + i}`, { '+sip.instance': '"<urn:uuid:7>"' })],
        }),
      ],
    ];
    for (const [what, like] of looks) {
      const rig = new Rig({ contactsPerUser: 3 });
      phone(rig, DESK, { headers: agent('Desk') });
      for (let i = 0; i < 9; i++) phone(rig, at('198.51.100.6', 20_000 + i), like(i));
      assert.deepEqual(
        places(rig),
        ['line1@198.51.100.6:20008', 'line1@198.51.100.6:20007', 'line1@198.51.100.30:5060'],
        what,
      );
    }
  });

  it('what a phone left behind is rung behind all others', () => {
    const rig = new Rig();
    phone(rig, DESK, { headers: agent('Desk') });
    client(rig, 'c0');
    for (let i = 0; i < 9; i++) phone(rig, at('198.51.100.6', 20_000 + i), { headers: agent('Wanderer') });
    const [list] = responses(rig.send(VOICE, { method: 'OPTIONS', uri: 'sip:line1@sip.test' }).out);
    const { contact } = list!.headers;
    assert.ok(contact !== '*');
    assert.deepEqual(
      contact.slice(0, 5).map(({ uri }) => `${uri.host}:${uri.port ?? ''}`),
      [
        '198.51.100.6:20008',
        'vsp.sidetone.invalid:',
        '198.51.100.30:5060',
        '198.51.100.6:20007',
        '198.51.100.6:20006',
      ],
    );
  });

  it('no REGISTER loses a contact of its own; one with more than there is room for is refused, with the reason', () => {
    const rig = new Rig({ contactsPerUser: 3 });
    phone(rig, DESK);
    const many = (n: number) => Array.from({ length: n }, (_, i) => address(`sip:m${i}@198.51.100.31`));
    assert.equal(phone(rig, at('198.51.100.31', 5060), { contact: many(3) }).status, 200);
    assert.deepEqual(places(rig).sort(), ['m0@198.51.100.31:', 'm1@198.51.100.31:', 'm2@198.51.100.31:']);
    const refused = phone(rig, at('198.51.100.31', 5060), { contact: many(4), callId: 'more' });
    assert.deepEqual([refused.status, refused.reason], [403, 'Forbidden (too many contacts)']);
    assert.equal(rig.proxy.bindings, 3);
  });

  it('the one that just came is always there, and no room holds more than its own', () => {
    const step = fc.record({
      client: fc.boolean(),
      name: fc.integer({ min: 0, max: 6 }),
      agent: fc.constantFrom('A', 'B'),
      instance: fc.boolean(),
      expires: fc.constantFrom(0, 60, 3600),
      pass: fc.constantFrom(1, 1000, 90_000),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), (most, steps) => {
        let state: Location = { user: 'line1', bindings: [] };
        let now = 0;
        let cseq = 0;
        for (const { client, name, agent, instance, expires, pass } of steps) {
          now += pass;
          cseq += 1;
          const port = 20_000 + name;
          const uri = address(
            client ? `sip:c${name}@vsp.sidetone.invalid` : `sip:p@198.51.100.6:${port}`,
          ).uri;
          const params: Record<string, string> = instance ? { '+sip.instance': '"<urn:x>"' } : {};
          const contacts = [{ id: `${cseq}`, uri, params, expires }];
          const flow = client ? VSP : at('198.51.100.6', port);
          const from = { callId: `${cseq}`, cseq, flow, userAgent: agent };
          const before = state;
          const input = { type: 'register', ...from, contacts, most } as const;
          const { state: after, out } = locationMachine.step(state, input, now);
          state = after;
          assert.equal(
            out.some((o) => o.type === 'refused'),
            false,
          );
          assert.equal(
            state.bindings.some((b) => b.uri === uri),
            expires > 0,
          );
          const room = (s: Location, clients: boolean) =>
            s.bindings.filter((b) => (b.flow.transport === 'local') === clients && b.expiresAt > now);
          for (const clients of [true, false]) assert.ok(room(state, clients).length <= most);
          assert.deepEqual(room(state, !client), room(before, !client));
        }
      }),
    );
  });

  it('the order of refreshes outlives the process; a lower limit counts from the next REGISTER on', () => {
    const rig = new Rig({ contactsPerUser: 3 });
    const [a, b, c, d] = [30, 31, 32, 33].map((n) => at(`198.51.100.${n}`, 5060)) as [Flow, Flow, Flow, Flow];
    for (const flow of [a, b, c]) phone(rig, flow);
    phone(rig, a, { cseq: 9 });
    rig.restart();
    phone(rig, d);
    assert.deepEqual(
      places(rig).map((p) => p.slice(17, 19)),
      ['33', '32', '30'],
    );
    assert.equal(rig.journal.size, 3);
  });
});
