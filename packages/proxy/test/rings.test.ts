import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatUri, header } from '@sidetone/sip';
import {
  address,
  connection,
  PEOPLE,
  PHONE,
  Rig,
  requests,
  responses,
  statuses,
  VOICE,
  VSP,
  withCredentials,
} from './rig.ts';

const NOW = 1_700_000_000_000;

/** The example of the published SDKs: a connection with two credentials; who is registered with which name. */
function six(): Rig {
  const rig = new Rig();
  const credentials = ['gencred1', 'gencred2'].map((name) => ({ name, password: `secret of ${name}` }));
  rig.people({ connections: [connection('john1234', { numbers: ['+13128889999'], credentials })] });
  for (const [client, name] of [
    ['a', 'john1234'],
    ['b', 'gencred1'],
    // Tokens register as the credential they are of.
    ['c', 'gencred1'],
    ['d', 'gencred2'],
    ['e', 'gencred2'],
    ['f', 'gencred2'],
  ] as const)
    register(rig, client, name);
  return rig;
}

function register(rig: Rig, client: string, name: string, expires = 3600, again = ''): number {
  const { out } = rig.send(VSP, {
    method: 'REGISTER',
    uri: 'sip:sip.test',
    from: `sip:${name}@sip.test`,
    to: `sip:${name}@sip.test`,
    callId: `registration-of-${client}${again}`,
    cseq: rig.now,
    contact: [address(`sip:client_${client}@vsp.sidetone.invalid`)],
    headers: [['Expires', String(expires)]],
  });
  rig.now += 1;
  return responses(out)[0]!.status;
}

/** Who is rung when voice asks for a name or number, first to last. */
function rung(rig: Rig, dialled: string): string[] {
  const [answer] = responses(rig.send(VOICE, { method: 'OPTIONS', uri: `sip:${dialled}@sip.test` }).out);
  if (answer!.status !== 200 || answer!.headers.contact === '*') return [String(answer!.status)];
  return answer!.headers.contact.map((c) => /client_(.)/.exec(formatUri(c.uri))![1]!);
}

describe('the six clients of the published example', () => {
  it('each name is a ring of its own, the last to register first', () => {
    const rig = six();
    assert.deepEqual(rung(rig, 'john1234'), ['a']);
    assert.deepEqual(rung(rig, '+13128889999'), ['a']);
    assert.deepEqual(rung(rig, 'gencred1'), ['c', 'b']);
    assert.deepEqual(rung(rig, 'gencred2'), ['f', 'e', 'd']);
  });

  it('who comes back is the last', () => {
    const rig = six();
    register(rig, 'b', 'gencred1', 3600, '-again');
    register(rig, 'd', 'gencred2', 3600, '-again');
    assert.deepEqual(rung(rig, 'gencred1'), ['b', 'c']);
    assert.deepEqual(rung(rig, 'gencred2'), ['d', 'f', 'e']);
    register(rig, 'd', 'gencred2', 0, '-again');
    assert.deepEqual(rung(rig, 'gencred2'), ['f', 'e']);
    assert.deepEqual(rung(rig, 'john1234'), ['a']);
  });

  it('names are told apart by the case of their letters', () => {
    assert.deepEqual(rung(six(), 'GenCred1'), ['404']);
  });
});

describe('users that are revoked', () => {
  it('are not rung any more; others of their connection are', () => {
    const rig = six();
    rig.revoked('gencred1');
    assert.deepEqual(rung(rig, 'gencred1'), ['480']);
    assert.deepEqual(rung(rig, 'gencred2'), ['f', 'e', 'd']);
  });

  it('do not come back with the next process', () => {
    const rig = new Rig();
    rig.people({ connections: [connection('line1', { credentials: [] })] });
    rig.authenticated(PHONE, 'line1', {
      method: 'REGISTER',
      uri: 'sip:sip.test',
      from: 'sip:line1@sip.test',
      to: 'sip:line1@sip.test',
      contact: [address('sip:line1@198.51.100.7:40000')],
    });
    assert.equal(rig.proxy.bindings, 1);
    rig.people({ connections: [connection('line1', { active: false })] });
    rig.restart();
    assert.equal(rig.proxy.bindings, 0);
    assert.equal(rig.journal.size, 0);
  });

  it('that prove themselves are refused by name; a wrong password tells nothing', () => {
    const rig = new Rig();
    const credentials = [{ name: 'temp', password: 'secret of temp', expiresAt: NOW }];
    rig.people({ connections: [...PEOPLE.connections, connection('line3', { active: false, credentials })] });
    for (const [user, why] of [
      ['line3', 'connection-inactive'],
      ['temp', 'connection-inactive'],
    ] as const) {
      const { out } = rig.authenticated(PHONE, user, {
        method: 'REGISTER',
        uri: 'sip:sip.test',
        from: `sip:${user}@sip.test`,
        to: `sip:${user}@sip.test`,
        contact: [address(`sip:${user}@198.51.100.7:40000`)],
      });
      const [answer] = responses(out);
      assert.deepEqual([answer!.status, answer!.reason], [403, `Forbidden (${why})`]);
      const invite = rig.authenticated(PHONE, user, {
        from: `sip:${user}@sip.test`,
        uri: 'sip:line1@sip.test',
      });
      assert.deepEqual(statuses(invite.out), [403]);
      const guess = rig.authenticated(PHONE, user, { from: `sip:${user}@sip.test` }, 'a guess');
      assert.deepEqual(statuses(guess.out), [407]);
    }
    rig.people({ connections: [connection('line3', { credentials })] });
    assert.equal(register(rig, 'x', 'temp'), 403);
  });
});

describe('a digest answer', () => {
  const CALL = { from: 'sip:line1@sip.test', uri: 'sip:line2@sip.test', callId: 'replayed' };

  it('is good once: sent again, it is challenged as stale', () => {
    const rig = new Rig();
    const [challenge] = responses(rig.send(PHONE, CALL).out);
    const answer = withCredentials(
      rig.request(PHONE, { ...CALL, cseq: 2 }),
      challenge!,
      'line1',
      'secret of line1',
    );
    assert.equal(requests([...rig.receive(answer, PHONE), ...rig.answerLookups()], 'INVITE').length, 1);
    // The same credentials under another transaction, as somebody would send who has heard them.
    const replay = withCredentials(
      rig.request(PHONE, { ...CALL, callId: 'another', cseq: 2 }),
      challenge!,
      'line1',
      'secret of line1',
    );
    const out = [...rig.receive(replay, PHONE), ...rig.answerLookups()];
    assert.equal(requests(out).length, 0);
    const [refused] = responses(out);
    assert.equal(refused!.status, 407);
    assert.match(header(refused!, 'Proxy-Authenticate') ?? '', /stale=true/);
  });

  it('a flood of challenges and wrong answers takes no memory, and nobody is locked out by it', () => {
    const rig = new Rig({ nonces: 4 });
    for (let i = 0; i < 200; i++)
      rig.authenticated(PHONE, 'line1', { ...CALL, callId: `guess-${i}` }, 'a guess');
    assert.equal(rig.proxy.size, 0);
    for (let i = 0; i < 10; i++) {
      rig.now += 1;
      const { out } = rig.authenticated(PHONE, 'line1', { ...CALL, callId: `call-${i}` });
      assert.equal(requests(out, 'INVITE').length, 1, `call ${i}`);
    }
  });
});

describe('a phone that says nothing', () => {
  const REGISTER = {
    method: 'REGISTER',
    uri: 'sip:sip.test',
    from: 'sip:line1@sip.test',
    to: 'sip:line1@sip.test',
    contact: [address('sip:line1@198.51.100.7:40000')],
  };
  const called = () => {
    const rig = new Rig();
    rig.people({ connections: [connection('line1', { timeout1xxSecs: 3 })] });
    rig.authenticated(PHONE, 'line1', REGISTER);
    const list = responses(rig.send(VOICE, { method: 'OPTIONS', uri: 'sip:line1@sip.test' }).out)[0]!;
    const [contact] = list.headers.contact === '*' ? [] : list.headers.contact;
    const [invite] = requests(rig.send(VOICE, { uri: formatUri(contact!.uri) }).out, 'INVITE');
    return { rig, invite: invite! };
  };

  it('is given up after the time its connection says', () => {
    const { rig } = called();
    assert.ok(!statuses(rig.pass(2_500)).includes(408));
    assert.ok(statuses(rig.pass(1_000)).includes(408));
  });

  it('but not one that tries', () => {
    const { rig, invite } = called();
    rig.reply(invite, 100);
    assert.ok(!statuses(rig.pass(30_000)).includes(408));
  });
});
