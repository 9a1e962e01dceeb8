import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  answerChallenge,
  chooseChallenge,
  createChallenge,
  createRequest,
  createResponse,
  type DigestAlgorithm,
  digestUserName,
  ha1,
  header,
  headersNamed,
  parseDigest,
  type SipRequest,
  verifyDigest,
} from '@sidetone/sip';
import { Pair } from './two-agents.ts';

const field = (value: string, name: string): string | undefined => parseDigest(value)?.[name];

test('RFC 2617 §3.5', () => {
  const challenge = parseDigest(
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  )!;
  const value = answerChallenge(challenge, {
    method: 'GET',
    uri: '/dir/index.html',
    credentials: { userName: 'Mufasa', password: 'Circle Of Life' },
    count: 1,
    cnonce: '0a4f113b',
  });
  assert.equal(field(value, 'response'), '6629fae49393a05397450978507c4ef1');
  assert.equal(field(value, 'opaque'), '5ccc069c403ebaf9f0171e9517f40e41');
  assert.equal(field(value, 'nc'), '00000001');
});

test('RFC 7616 §3.9.1, both algorithms', () => {
  const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
  const opaque = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS';
  const expected: Record<DigestAlgorithm, string> = {
    'SHA-256': '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    MD5: '8ca523f5e9506fed4657c9700eebdbec',
  };
  for (const algorithm of ['SHA-256', 'MD5'] as const) {
    const challenge = parseDigest(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}", opaque="${opaque}"`,
    )!;
    const value = answerChallenge(challenge, {
      method: 'GET',
      uri: '/dir/index.html',
      credentials: { userName: 'Mufasa', password: 'Circle of Life' },
      count: 1,
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    });
    assert.equal(field(value, 'response'), expected[algorithm]);
  }
});

test('RFC 2069 form: a challenge without qop', () => {
  const challenge = parseDigest('Digest realm="r", nonce="n"')!;
  const value = answerChallenge(challenge, {
    method: 'REGISTER',
    uri: 'sip:r',
    credentials: { userName: 'u', password: 'p' },
    count: 1,
    cnonce: 'c',
  });
  assert.equal(field(value, 'qop'), undefined);
  assert.equal(field(value, 'cnonce'), undefined);
});

test('the strongest challenge we can answer is chosen', () => {
  const md5 = 'Digest realm="r", nonce="1", algorithm=MD5, qop="auth"';
  const sha = 'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth"';
  assert.equal(chooseChallenge([md5, sha])?.['nonce'], '2');
  assert.equal(chooseChallenge([sha, md5])?.['nonce'], '2');
  assert.equal(chooseChallenge(['Basic realm="r"', md5])?.['nonce'], '1');
  assert.equal(chooseChallenge(['Digest realm="r", nonce="3", algorithm=SHA-512-256']), null);
  assert.equal(chooseChallenge(['Digest realm="r", nonce="4", qop="auth-int"']), null);
  assert.equal(chooseChallenge(['Digest realm="r', 'NoOneKnowsThisScheme a=b', '']), null);
});

const secret = new Uint8Array(32).fill(7);
const server = { realm: 'sip.example', secret, source: '192.0.2.1' };
const users: Record<string, string> = { line1: 'right' };

function attempt(change: {
  password?: string;
  userName?: string;
  now?: number;
  source?: string;
  method?: string;
  algorithm?: DigestAlgorithm;
  edit?: (value: string) => string;
}) {
  const challenges = createChallenge({ ...server, now: 1000 });
  const challenge = parseDigest(
    challenges.find((c) => c.includes(`algorithm=${change.algorithm ?? 'SHA-256'}`))!,
  )!;
  const value = answerChallenge(challenge, {
    method: 'INVITE',
    uri: 'sip:bob@sip.example',
    credentials: { userName: change.userName ?? 'line1', password: change.password ?? 'right' },
    count: 1,
    cnonce: 'abc',
  });
  return verifyDigest({
    ...server,
    authorization: [change.edit?.(value) ?? value],
    method: change.method ?? 'INVITE',
    uri: { scheme: 'sip', user: 'bob', host: 'sip.example', params: {} },
    now: change.now ?? 2000,
    source: change.source ?? server.source,
    ha1: (user, algorithm) =>
      users[user] === undefined ? undefined : ha1(user, server.realm, users[user], algorithm),
  });
}

describe('verifyDigest', () => {
  for (const [name, change, outcome] of [
    ['right password, SHA-256', {}, 'line1'],
    ['right password, MD5', { algorithm: 'MD5' }, 'line1'],
    ['wrong password', { password: 'wrong' }, 'wrong'],
    ['unknown user', { userName: 'nobody' }, 'unknown-user'],
    ['nonce too old', { now: 400_000 }, 'stale'],
    ['nonce of the future', { now: 999 }, 'stale'],
    ['nonce of another source', { source: '192.0.2.66' }, 'stale'],
    ['other method', { method: 'BYE' }, 'wrong'],
    ['forged nonce', { edit: (v) => v.replace(/nonce="[^"]*"/, 'nonce="3e8-00"') }, 'stale'],
    ['other URI', { edit: (v) => v.replace('sip:bob@', 'sip:eve@') }, 'wrong'],
    ['no qop', { edit: (v) => v.replace(', qop=auth', '') }, 'malformed'],
    ['bad nonce count', { edit: (v) => v.replace('nc=00000001', 'nc=1') }, 'malformed'],
    ['other realm', { edit: (v) => v.replace('realm="sip.example"', 'realm="x"') }, 'missing'],
    ['another scheme', { edit: () => 'NoOneKnowsThisScheme opaque-data=here' }, 'missing'],
    ['a broken answer', { edit: (v) => v.replace('username="line1"', 'username="line1') }, 'missing'],
  ] as [string, Parameters<typeof attempt>[0], string][])
    test(name, () => {
      const result = attempt(change);
      assert.equal(result.ok ? result.value.userName : result.error, outcome);
    });

  test('the challenge says stale when told', () => {
    assert.equal(field(createChallenge({ ...server, now: 1, stale: true })[0]!, 'stale'), 'true');
    assert.equal(field(createChallenge({ ...server, now: 1 })[0]!, 'stale'), undefined);
    assert.equal(createChallenge({ ...server, now: 1, algorithms: ['MD5'] }).length, 1);
  });

  test('the claimed user name can be read first', () => {
    assert.equal(digestUserName(['Digest username="a\\"b", realm="r"'], 'r'), 'a"b');
    assert.equal(digestUserName(['Digest username="a", realm="x"'], 'r'), undefined);
  });
});

/** Bob challenges every INVITE, BYE and OPTIONS like a registrar would. */
function guarded(status: 401 | 407, stale = false) {
  const pair = new Pair();
  const { bob } = pair.agents;
  const receive = bob.receive.bind(bob);
  const asked: string[] = [];
  let challenges = 0;
  const refuse = (m: SipRequest, again: boolean) => {
    challenges += 1;
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    const values = createChallenge({ ...server, now: 1000 + challenges, stale: again });
    const headers = values.map((v): [string, string] => [name, v]);
    pair.inject('alice', createResponse(m, status, { toTag: 'guard', headers }));
  };
  bob.receive = (m, flow, now) => {
    if (m.kind === 'response' || m.method === 'ACK') return receive(m, flow, now);
    asked.push(`${m.method} ${m.headers.cseq.seq}`);
    const name = status === 401 ? 'Authorization' : 'Proxy-Authorization';
    const authorization = headersNamed(m, name);
    const result = verifyDigest({
      ...server,
      authorization,
      method: m.method,
      now: 5000,
      uri: m.uri,
      ha1: (user, algorithm) => ha1(user, server.realm, 'right', algorithm),
    });
    if (result.ok && !(stale && challenges === 1)) return receive(m, flow, now);
    refuse(m, result.ok);
    return [];
  };
  return { pair, asked };
}

for (const status of [401, 407] as const)
  test(`INVITE, INFO and BYE answer ${status}`, () => {
    const { pair, asked } = guarded(status);
    pair.react.bob = (event) => {
      if (event.type === 'incoming')
        pair.do('bob', pair.agents.bob.respond(event.leg, 200, { sdp: 'a' }, pair.now));
      if (event.type === 'info') pair.do('bob', pair.agents.bob.respondRequest(event.tx, 200, {}, pair.now));
    };
    const leg = pair.invite('o', { credentials: { userName: 'line1', password: 'right' } });
    pair.run(5000);
    assert.deepEqual(pair.told('alice'), ['accepted a']);
    pair.do('alice', pair.agents.alice.requestInDialog(leg, { method: 'INFO' }, 'i', pair.now));
    pair.run(5000);
    pair.do('alice', pair.agents.alice.bye(leg, [], pair.now));
    pair.run();
    assert.deepEqual(asked, ['INVITE 1', 'INVITE 2', 'INFO 3', 'INFO 4', 'BYE 5', 'BYE 6']);
    assert.deepEqual(pair.told('alice'), ['accepted a', 'inDialogResult 200 i', 'ended bye-done']);
    assert.equal(pair.agents.alice.size, 0);
  });

test('a wrong password is tried once, a stale nonce again', () => {
  const wrong = guarded(401);
  wrong.pair.invite('o', { credentials: { userName: 'line1', password: 'wrong' } });
  wrong.pair.run();
  assert.deepEqual(wrong.pair.told('alice'), ['failed 401 peer']);
  assert.deepEqual(wrong.asked, ['INVITE 1', 'INVITE 2']);

  const stale = guarded(401, true);
  stale.pair.react.bob = (event) => {
    if (event.type === 'incoming')
      stale.pair.do('bob', stale.pair.agents.bob.respond(event.leg, 200, { sdp: 'a' }, stale.pair.now));
  };
  stale.pair.invite('o', { credentials: { userName: 'line1', password: 'right' } });
  stale.pair.run(5000);
  assert.deepEqual(stale.asked, ['INVITE 1', 'INVITE 2', 'INVITE 3']);
  assert.deepEqual(stale.pair.told('alice'), ['accepted a']);
});

test('REGISTER with credentials; without them the challenge is the result', () => {
  const { pair, asked } = guarded(401);
  pair.react.bob = (event) => {
    if (event.type === 'request') pair.do('bob', pair.agents.bob.respondRequest(event.tx, 200, {}, pair.now));
  };
  const uri = { scheme: 'sip', host: '192.0.2.2', port: 5070, params: {} };
  const request = { method: 'OPTIONS', requestUri: uri, from: { uri, params: {} }, to: { uri, params: {} } };
  const credentials = { userName: 'line1', password: 'right' };
  pair.do('alice', pair.agents.alice.send({ ...request, credentials, cseq: 7 }, 'with', pair.now));
  pair.run();
  pair.do('alice', pair.agents.alice.send(request, 'without', pair.now));
  pair.run();
  assert.deepEqual(pair.told('alice'), ['result 200 with', 'result 401 without']);
  assert.deepEqual(asked, ['OPTIONS 7', 'OPTIONS 8', 'OPTIONS 1']);
});

test('the ACK of a 2xx carries the credentials of its INVITE', () => {
  const { pair } = guarded(407);
  const acks: (string | undefined)[] = [];
  const receive = pair.agents.bob.receive;
  pair.agents.bob.receive = (m, flow, now) => {
    if (m.kind === 'request' && m.method === 'ACK' && m.headers.cseq.seq === 2)
      acks.push(header(m, 'Proxy-Authorization'));
    return receive(m, flow, now);
  };
  pair.react.bob = (event) => {
    if (event.type === 'incoming')
      pair.do('bob', pair.agents.bob.respond(event.leg, 200, { sdp: 'a' }, pair.now));
  };
  pair.invite('o', { credentials: { userName: 'line1', password: 'right' } });
  pair.run(1000);
  assert.equal(acks.length, 1);
  assert.match(acks[0] ?? '', /^Digest username="line1"/);
});

test('createRequest is what the guard reads', () => {
  const uri = { scheme: 'sip', host: 'h', params: {} };
  const request = createRequest({
    method: 'OPTIONS',
    uri,
    from: { uri, params: {} },
    to: { uri, params: {} },
    callId: 'c',
    cseq: 1,
    headers: [['authorization', 'Digest username="x", realm="r"']],
  });
  assert.deepEqual(request.headers.other, [['Authorization', 'Digest username="x", realm="r"']]);
});

describe('carrier-password-answered-to-any-host: the credentials of a user agent', () => {
  const CREDENTIALS = { userName: 'line1', password: 'right' };

  /** Bob answers calls, and then challenges what `guards` says; how often each request came with credentials. */
  function challenged(guards: (request: SipRequest) => string | null) {
    const pair = new Pair();
    const receive = pair.agents.bob.receive.bind(pair.agents.bob);
    const shown: string[] = [];
    pair.agents.bob.receive = (m, flow, now) => {
      if (m.kind === 'response' || m.method === 'ACK') return receive(m, flow, now);
      const known = m.headers.other.filter(([name]) => /authorization$/i.test(name));
      if (known.length > 0) shown.push(m.method);
      const realm = known.length > 0 ? null : guards(m);
      if (realm === null) return receive(m, flow, now);
      const headers = [['WWW-Authenticate', `Digest realm="${realm}", nonce="n"`]] as const;
      pair.inject('alice', createResponse(m, 401, { toTag: 'guard', headers }));
      return [];
    };
    pair.react.bob = (event) => {
      if (event.type !== 'incoming') return;
      pair.do('bob', pair.agents.bob.respond(event.leg, 200, { sdp: 'a' }, pair.now));
    };
    return { pair, shown };
  }

  test('in a dialog only the realms of its INVITE are answered', () => {
    for (const [realm, answered] of [
      ['home', ['INVITE', 'BYE']],
      ['attacker', ['INVITE']],
    ] as const) {
      const { pair, shown } = challenged((m) => (m.method === 'INVITE' ? 'home' : realm));
      const leg = pair.invite('o', { credentials: CREDENTIALS });
      pair.run(5000);
      pair.do('alice', pair.agents.alice.bye(leg, [], pair.now));
      pair.run();
      assert.deepEqual(shown, answered);
    }
  });

  test('a realm that is stated is the only one', () => {
    const { pair, shown } = challenged(() => 'attacker');
    pair.invite('o', { credentials: { ...CREDENTIALS, realms: ['home'] } });
    pair.run(5000);
    assert.deepEqual(pair.told('alice'), ['failed 401 peer']);
    assert.deepEqual(shown, []);
  });

  test('what the peer leads elsewhere gets none', () => {
    const { pair, shown } = challenged((m) => (m.method === 'INVITE' ? 'home' : null));
    const leg = pair.invite('o', { credentials: CREDENTIALS });
    pair.run(5000);
    assert.deepEqual(shown, ['INVITE']);
    const written = JSON.parse(JSON.stringify(pair.agents.alice.snapshot(leg))) as Record<string, unknown>;
    assert.deepEqual(written['proof'], {
      hop: { transport: 'udp', host: '192.0.2.2', port: 5070 },
      realms: ['home'],
    });
    for (const [target, again] of [
      ['sip:bob@192.0.2.66:5070', 0],
      ['sip:bob@192.0.2.2:5070', 1],
    ] as const) {
      const alice = pair.restart('alice');
      const adopted = alice.adopt({ ...written, target }, pair.now, CREDENTIALS);
      assert.ok(adopted.ok);
      const [bye] = alice.bye(leg, [], pair.now);
      assert.ok(bye?.type === 'sip' && bye.message.kind === 'request');
      const headers = [['WWW-Authenticate', 'Digest realm="home", nonce="n"']] as const;
      const out = alice.receive(createResponse(bye.message, 401, { headers }), bye.flow, pair.now);
      assert.equal(out.filter((o) => o.type === 'sip').length, again);
    }
  });

  test('a challenge from elsewhere that knows the branch is the final answer', () => {
    const { pair } = challenged(() => null);
    const { out } = pair.agents.alice.invite(
      {
        requestUri: { scheme: 'sip', user: 'bob', host: '192.0.2.2', port: 5070, params: {} },
        from: { uri: { scheme: 'sip', host: 'a.example', params: {} }, params: {} },
        to: { uri: { scheme: 'sip', host: 'b.example', params: {} }, params: {} },
        credentials: CREDENTIALS,
      },
      pair.now,
    );
    const [invite] = out;
    assert.ok(invite?.type === 'sip' && invite.message.kind === 'request');
    const headers = [['WWW-Authenticate', 'Digest realm="home", nonce="n"']] as const;
    const challenge = createResponse(invite.message, 401, { headers });
    const told = pair.agents.alice.receive(
      challenge,
      { transport: 'udp', host: '192.0.2.2', port: 5071 },
      pair.now,
    );
    assert.deepEqual(
      told.map((o) => (o.type === 'sip' && o.message.kind === 'request' ? o.message.method : o.type)),
      ['ACK', 'failed'],
    );
  });
});

test('challenge-after-challenge: both realms are answered, once each', () => {
  const pair = new Pair();
  const { alice } = pair.agents;
  const credentials = { userName: 'line1', password: 'right' };
  const uri = { scheme: 'sip', host: '192.0.2.2', port: 5070, params: {} };
  const flow = { transport: 'udp', host: '192.0.2.2', port: 5070 } as const;
  let out = alice.send(
    {
      method: 'REGISTER',
      requestUri: uri,
      from: { uri, params: {} },
      to: { uri, params: {} },
      credentials,
      flow,
    },
    't',
    0,
  );
  const seen: [number, string[]][] = [];
  for (const [status, name, realm] of [
    [401, 'WWW-Authenticate', 'edge'],
    [407, 'Proxy-Authenticate', 'core'],
    [407, 'Proxy-Authenticate', 'core'],
  ] as const) {
    const request = out.flatMap((o) =>
      o.type === 'sip' && o.message.kind === 'request' ? [o.message] : [],
    )[0]!;
    const realms = request.headers.other
      .filter(([header]) => header.endsWith('uthorization'))
      .map(([header, value]) => `${header} ${parseDigest(value)?.['realm']}`);
    seen.push([request.headers.cseq.seq, realms]);
    const headers = [[name, `Digest realm="${realm}", nonce="n${seen.length}"`]] as const;
    out = alice.receive(createResponse(request, status, { headers }), flow, 0);
  }
  assert.deepEqual(seen, [
    [1, []],
    [2, ['Authorization edge']],
    [3, ['Authorization edge', 'Proxy-Authorization core']],
  ]);
  assert.deepEqual(
    out.map((o) => o.type),
    ['result'],
  );
});
