import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { header } from '@sidetone/sip';
import { ATTACHMENT, HEADER } from '@sidetone/wire';
import { Bench, CALL, LEG, sdpOf, VOICE_IDS } from './bench.ts';
import { dialled, infos, voiceSdkId } from './scripted-calls.ts';

const IOS3 = 'iOS-3.2.1';
const IOS4 = 'iOS-4.1.2';
const ANDROID = 'Android-3.7.0';
const FLUTTER = 'Flutter-4.4.0';
const REACT_NATIVE = 'ReactNative-1.1.0';
const NATIVES = [IOS3, IOS4, ANDROID, FLUTTER, REACT_NATIVE] as const;
const SECOND = '44444444-4444-4444-8444-444444444444';

/** A logged-in client of this family with an answered call of its own. */
function talking(agent: string): Bench {
  const bench = new Bench();
  bench.login('s1', 'line1', agent);
  another(bench, CALL, agent);
  return bench;
}

/** One more answered call of the client of `s1`. Gives voice's leg. */
function another(bench: Bench, callID: string, agent: string): string {
  bench.call(
    's1',
    `i-${callID}`,
    'invite',
    { sdp: sdpOf('client'), 'User-Agent': agent },
    { ...dialled, callID },
  );
  const { leg } = bench.last('incoming');
  bench.respond(180);
  bench.respond(200, { sdp: sdpOf('platform', 'sendrecv', 'passive') });
  return leg;
}

const lose = (bench: Bench, socket = 's1'): void => bench.input({ type: 'closed', socket });

/** A new socket of the client, logged in; what it hears until it asks for the gateway's state. */
function isBack(
  bench: Bench,
  agent: string,
  kept: { token?: string; sessid?: string },
  socket = 's2',
): readonly string[] {
  const from = bench.trace.length;
  bench.open(socket, kept.token === undefined ? {} : { voice_sdk_id: kept.token });
  bench.request(socket, `login-${socket}`, 'login', {
    login: 'line1',
    passwd: 'one',
    loginParams: { attach_call: 'true' },
    'User-Agent': agent,
    ...(kept.sessid === undefined ? {} : { sessid: kept.sessid }),
  });
  return told(bench, socket, from);
}

const told = (bench: Bench, socket: string, from = 0): readonly string[] =>
  bench.trace
    .slice(from)
    .filter((line) => line.startsWith(`${socket} < `))
    .map((line) => line.replace(`${socket} < `, '').replace('telnyx_rtc.', ''));

const asks = (bench: Bench, socket = 's2', id = 'g'): void =>
  bench.send(socket, { jsonrpc: '2.0', id, method: 'telnyx_rtc.gatewayState', params: {} });

const offers = (bench: Bench, leg: string, name = 'fresh'): void =>
  bench.say(bench.voice.reinvite(leg, sdpOf(name), 'renew', bench.now));

const legOf = (bench: Bench, callId: string): string =>
  bench.heard.flatMap((out) =>
    out.type === 'incoming' && out.request.headers.callId === callId ? [out.leg] : [],
  )[0]!;

describe('native: an attach at every new login, heard or not', () => {
  for (const agent of NATIVES)
    it(`${agent}: voice is asked for an offer, and the attach comes once`, () => {
      const bench = talking(agent);
      const token = voiceSdkId(bench);
      lose(bench);
      isBack(bench, agent, { token });
      asks(bench);
      bench.advance(500);
      assert.deepEqual(infos(bench), [ATTACHMENT.away, ATTACHMENT.bare]);
      offers(bench, legOf(bench, CALL));
      assert.deepEqual(
        bench.frames
          .filter((f) => f.json['method'] === 'telnyx_rtc.attach')
          .map((f) => f.json['params'].callID),
        [CALL],
      );
      // No answer of before the loss goes into the new connection.
      assert.equal(bench.told('s2', 'answer'), undefined);
      const sdp = sdpOf('rebuilt', 'sendrecv', 'active');
      assert.ok('result' in bench.call('s2', 'a', 'attach', { sdp }, { attach: true }));
      assert.equal(bench.last('reinviteResult').status, 200);
      asks(bench, 's2', 'g2');
      bench.advance(60_000);
      assert.equal(bench.frames.filter((f) => f.json['method'] === 'telnyx_rtc.attach').length, 1);
    });

  it('a browser is asked whether it is heard, as ever', () => {
    const bench = talking('Web-2.27.10');
    const token = voiceSdkId(bench);
    lose(bench);
    isBack(bench, 'Web-2.27.10', { token });
    asks(bench);
    assert.deepEqual(infos(bench), [ATTACHMENT.away, ATTACHMENT.back]);
  });

  it('a call answered while its client was away is attached, and not answered into the new connection', () => {
    const bench = new Bench();
    bench.login('s1', 'line1', ANDROID);
    bench.call('s1', 'i', 'invite', { sdp: sdpOf('client'), 'User-Agent': ANDROID }, dialled);
    bench.respond(183, { sdp: sdpOf('platform') });
    const token = voiceSdkId(bench);
    lose(bench);
    bench.respond(200, { sdp: sdpOf('platform'), headers: VOICE_IDS });
    isBack(bench, ANDROID, { token });
    offers(bench, legOf(bench, CALL));
    assert.equal(bench.told('s2', 'answer'), undefined);
    assert.equal(bench.told('s2', 'attach')!['callID'], CALL);
  });
});

describe('native: what waits goes out in time, and in order', () => {
  for (const agent of [ANDROID, FLUTTER])
    it(`${agent} hears of its calls behind clientReady, and REGED waits for that`, () => {
      const bench = talking(agent);
      const leg = legOf(bench, CALL);
      const token = voiceSdkId(bench);
      lose(bench);
      assert.deepEqual(isBack(bench, agent, { token }), ['result to login-s2', 'clientReady']);
      asks(bench);
      asks(bench, 's2', 'g2');
      assert.equal('result' in bench.reply('s2', 'g'), false);
      offers(bench, leg);
      assert.deepEqual(told(bench, 's2').slice(2), ['attach', 'result to g', 'result to g2']);
    });

  it('Flutter, started anew: the answer to gatewayState waits for voice, but a second at most', () => {
    const bench = talking(FLUTTER);
    const token = voiceSdkId(bench);
    lose(bench);
    isBack(bench, FLUTTER, { token });
    asks(bench);
    bench.advance(999);
    assert.equal('result' in bench.reply('s2', 'g'), false);
    bench.advance(1);
    assert.equal(bench.reply('s2', 'g')['result'].params.state, 'REGED');
    offers(bench, legOf(bench, CALL));
    assert.equal(bench.told('s2', 'attach')!['callID'], CALL);
  });

  it('Flutter whose only call ended meanwhile hears the BYE, and REGED at once', () => {
    const bench = talking(FLUTTER);
    const token = voiceSdkId(bench);
    const leg = legOf(bench, CALL);
    lose(bench);
    bench.say(bench.voice.bye(leg, [['Reason', 'Q.850;cause=16']], bench.now));
    assert.deepEqual(isBack(bench, FLUTTER, { token }), ['result to login-s2', 'clientReady', 'bye']);
    asks(bench);
    assert.equal(bench.reply('s2', 'g')['result'].params.state, 'REGED');
  });

  for (const agent of [IOS3, IOS4, REACT_NATIVE])
    it(`${agent} hears of its calls behind REGED`, () => {
      const bench = talking(agent);
      const token = voiceSdkId(bench);
      lose(bench);
      assert.deepEqual(isBack(bench, agent, { token }), ['result to login-s2', 'clientReady']);
      bench.advance(499);
      assert.deepEqual(infos(bench), [ATTACHMENT.away]);
      asks(bench);
      offers(bench, legOf(bench, CALL));
      assert.deepEqual(told(bench, 's2').slice(2), ['result to g', 'attach']);
    });

  for (const agent of [...NATIVES, 'Web-2.27.10'])
    it(`${agent} that asks for nothing is told 500 ms after clientReady, once`, () => {
      const bench = talking(agent);
      const token = voiceSdkId(bench);
      lose(bench);
      isBack(bench, agent, { token });
      bench.advance(500);
      assert.equal(infos(bench).length, 2);
      offers(bench, legOf(bench, CALL));
      assert.equal(bench.told('s2', 'attach')!['callID'], CALL);
      bench.advance(5000);
      assert.equal(infos(bench).length, 2);
    });

  it('React Native over a slow line has dropped the attach: it comes again behind REGED, with the same offer', () => {
    const bench = talking(REACT_NATIVE);
    const token = voiceSdkId(bench);
    lose(bench);
    isBack(bench, REACT_NATIVE, { token });
    bench.advance(500);
    offers(bench, legOf(bench, CALL));
    asks(bench);
    assert.deepEqual(told(bench, 's2').slice(2), ['attach', 'result to g', 'attach']);
    assert.equal(bench.told('s2', 'attach')!['sdp'], sdpOf('fresh'));
    asks(bench, 's2', 'g2');
    assert.deepEqual(told(bench, 's2').slice(5), ['result to g2']);
    const slow = talking(IOS4);
    const kept = voiceSdkId(slow);
    lose(slow);
    isBack(slow, IOS4, { token: kept });
    slow.advance(500);
    offers(slow, legOf(slow, CALL));
    asks(slow);
    assert.deepEqual(told(slow, 's2').slice(2), ['attach', 'result to g'], 'iOS has taken it');
  });

  for (const agent of [ANDROID, FLUTTER, IOS4])
    it(`${agent}: of two calls the one it talks in is attached first, and the held one stays held`, () => {
      const bench = talking(agent);
      const held = legOf(bench, CALL);
      const active = another(bench, SECOND, agent);
      assert.ok('result' in bench.call('s1', 'h', 'modify', { action: 'hold' }));
      const { tx } = bench.last('reinvite');
      bench.say(bench.voice.respondReinvite(held, tx, 200, { sdp: sdpOf('platform') }, bench.now));
      const token = voiceSdkId(bench);
      lose(bench);
      isBack(bench, agent, { token });
      asks(bench);
      assert.deepEqual(
        infos(bench).slice(2),
        [ATTACHMENT.bare],
        'the second is asked for when the first was offered',
      );
      offers(bench, active, 'one');
      offers(bench, held, 'two');
      const attached = bench.frames.filter((f) => f.json['method'] === 'telnyx_rtc.attach');
      assert.deepEqual(
        attached.map((f) => f.json['params'].callID),
        [SECOND, CALL],
      );
      const sdp = sdpOf('rebuilt', 'sendrecv', 'active');
      bench.call('s2', 'a', 'attach', { sdp }, { attach: true });
      assert.match(bench.last('reinviteResult').sdp!, /a=sendonly/);
      bench.call('s2', 'b', 'attach', { sdp }, { attach: true, callID: SECOND });
      assert.match(bench.last('reinviteResult').sdp!, /a=sendrecv/);
    });

  it('in a page both are asked about at once, in the order in which they began', () => {
    const agent = 'Sidetone-0.1.0';
    const bench = talking(agent);
    another(bench, SECOND, agent);
    bench.call('s1', 'h', 'modify', { action: 'hold' });
    const token = voiceSdkId(bench);
    lose(bench);
    isBack(bench, agent, { token });
    asks(bench);
    const back = bench.heard.filter(
      (out) => out.type === 'info' && out.request.headers.contentType === ATTACHMENT.back,
    );
    assert.deepEqual(
      back.map((out) => out.type === 'info' && out.request.headers.callId),
      [CALL, SECOND],
    );
  });

  it('an attach and an INVITE in one login: the INVITE comes second', () => {
    const bench = talking(ANDROID);
    bench.ring('line1');
    const token = voiceSdkId(bench);
    lose(bench);
    isBack(bench, ANDROID, { token });
    offers(bench, legOf(bench, CALL));
    assert.deepEqual(told(bench, 's2').slice(2), ['attach', 'invite']);
  });
});

describe('native: a client without a socket that talks on', () => {
  const hears = (bench: Bench, leg: string, msAgo: string): void => {
    const request = { method: 'INFO', contentType: ATTACHMENT.heard, body: msAgo };
    bench.say(bench.voice.requestInDialog(leg, request, 'heard', bench.now));
  };
  const asked = (bench: Bench): number => infos(bench).filter((type) => type === ATTACHMENT.heard).length;

  it('keeps all its calls while one of them is heard: the time counts from the last packet', () => {
    const bench = talking(ANDROID);
    const leg = legOf(bench, CALL);
    another(bench, SECOND, ANDROID);
    lose(bench);
    bench.advance(118_999);
    assert.equal(asked(bench), 0);
    bench.advance(1);
    assert.equal(asked(bench), 2);
    hears(bench, leg, '20');
    for (let minutes = 0; minutes < 60; minutes += 2) {
      const before = asked(bench);
      bench.advance(118_980);
      assert.equal(asked(bench), before + 2);
      hears(bench, leg, '0');
      bench.advance(20);
    }
    bench.advance(118_980);
    // Heard last 100 s ago: it has 20 s, and is asked once more.
    hears(bench, leg, '100000');
    bench.advance(19_000);
    hears(bench, leg, '119000');
    assert.ok(!bench.heard.some((out) => out.type === 'bye'));
    bench.advance(1000);
    assert.equal(header(bench.last('bye').request, HEADER.cause), 'NETWORK_LOST');
    assert.equal(bench.heard.filter((out) => out.type === 'bye').length, 2);
    bench.advance(60_000);
    assert.equal(bench.vsp.size, 0);
  });

  it('that is back is not asked about any more, and a late word changes nothing', () => {
    const bench = talking(ANDROID);
    const token = voiceSdkId(bench);
    lose(bench);
    bench.advance(119_000);
    isBack(bench, ANDROID, { token });
    hears(bench, legOf(bench, CALL), '20');
    bench.advance(30_000);
    assert.ok(!bench.heard.some((out) => out.type === 'bye'));
    assert.equal(asked(bench), 1);
  });

  it('a word that is none is none', () => {
    const bench = talking(ANDROID);
    lose(bench);
    bench.advance(119_000);
    for (const text of ['', '-1', 'x', '1e3', '99999999999']) hears(bench, legOf(bench, CALL), text);
    bench.advance(1000);
    assert.equal(bench.last('bye').type, 'bye');
  });
});

describe('native: how a session is found', () => {
  for (const name of ['token', 'its old sessid as token', 'sessid'] as const)
    it(`Flutter, started anew, by ${name}`, () => {
      const bench = talking(FLUTTER);
      const token = voiceSdkId(bench);
      const old = bench.reply('s1', 'login-s1')['result'].sessid as string;
      lose(bench);
      const fresh = '55555555-5555-4555-8555-555555555555';
      const kept = {
        token: { token, sessid: fresh },
        'its old sessid as token': { token: old, sessid: fresh },
        sessid: { token: 'of yesterday', sessid: old },
      }[name];
      isBack(bench, FLUTTER, kept);
      assert.deepEqual(bench.told('s2', 'clientReady')!['reattached_sessions'], [CALL]);
      if (name === 'sessid') return;
      assert.equal(bench.reply('s2', 'login-s2')['result'].sessid, fresh);
      lose(bench, 's2');
      isBack(bench, FLUTTER, { sessid: fresh }, 's3');
      assert.deepEqual(bench.told('s3', 'clientReady')!['reattached_sessions'], [CALL]);
    });
});

describe('native: a ring that is lost', () => {
  for (const [agent, cause, code] of [
    ...NATIVES.map((native) => [native, 'PICKED_OFF', 805] as const),
    ['Web-2.27.10', 'LOSE_RACE', 502],
    ['Sidetone-0.1.0', 'LOSE_RACE', 502],
    ['Softphone-1.0', 'LOSE_RACE', 502],
  ] as const)
    it(`${agent} hears ${cause}`, () => {
      const bench = new Bench();
      bench.login('s1', 'line1', agent);
      const leg = bench.ring('line1');
      bench.say(
        bench.voice.cancel(leg, [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']], bench.now),
      );
      const bye = bench.told('s1', 'bye')!;
      assert.deepEqual([bye['cause'], bye['causeCode'], bye['sipCode']], [cause, code, 487]);
      assert.ok(
        Number.isInteger(bench.frames.findLast((f) => f.json['method'] === 'telnyx_rtc.bye')!.json['id']),
      );
    });
});

describe('native: hang-up and hold in the spelling of each SDK', () => {
  for (const spelling of ['callID', 'callId', 'call_id']) {
    it(`${spelling}`, () => {
      const bench = talking(ANDROID);
      const ask = (id: string, method: string, params: object) =>
        bench.request('s1', id, `telnyx_rtc.${method}`, { ...params, dialogParams: { [spelling]: CALL } });
      assert.equal(ask('h', 'modify', { action: 'hold' })['result'].holdState, 'held');
      assert.match(bench.last('reinvite').sdp!, /a=sendonly/);
      assert.equal(ask('d', 'info', { dtmf: '5' })['result'].message, 'SENT');
      assert.ok('result' in ask('b', 'bye', { cause: 'NORMAL_CLEARING', causeCode: 16 }));
      assert.equal(bench.last('bye').type, 'bye');
    });
  }
});

describe('native: a second login on one socket is read anew', () => {
  const second = (bench: Bench, more: object) =>
    bench.request('s1', 'again', 'login', {
      login: 'line1',
      passwd: 'one',
      loginParams: { attach_call: 'true' },
      'User-Agent': 'iOS-mpn-4.1.2',
      ...more,
    });

  it('the client, its session id and its words are taken; nothing is torn down', () => {
    const bench = talking(IOS4);
    const sessid = '55555555-5555-4555-8555-555555555555';
    const trace = bench.trace.length;
    assert.equal(second(bench, { sessid })['result'].sessid, sessid);
    assert.deepEqual(told(bench, 's1', trace), ['result to again']);
    assert.deepEqual(bench.closed, []);
    assert.equal(bench.call('s1', 'h', 'modify', { action: 'hold' })['result'].holdState, 'held');
    lose(bench);
    isBack(bench, IOS4, { sessid });
    assert.deepEqual(bench.told('s2', 'clientReady')!['reattached_sessions'], [CALL]);
  });

  for (const flag of [true, 'true'])
    it(`decline_push ${JSON.stringify(flag)}: what rings is rejected, what is up goes on`, () => {
      const bench = talking(IOS4);
      bench.ring('line1');
      assert.ok('result' in second(bench, { loginParams: { attach_call: 'true', decline_push: flag } }));
      assert.equal(bench.last('failed').status, 603);
      assert.equal(header(bench.last('failed').response!, HEADER.cause), 'CALL_REJECTED');
      assert.equal(bench.told('s1', 'bye')!['callID'], LEG);
      assert.equal(bench.call('s1', 'h', 'modify', { action: 'hold' })['result'].holdState, 'held');
    });

  it('a wrong password, or another user, changes nothing', () => {
    const bench = talking(IOS4);
    bench.ring('line1');
    const loginParams = { decline_push: 'true' };
    assert.equal(second(bench, { passwd: 'wrong', loginParams })['error'].code, -32001);
    assert.equal(second(bench, { login: 'line2', passwd: 'two', loginParams })['error'].code, -32001);
    assert.ok(!bench.heard.some((out) => out.type === 'failed'));
  });
});

describe('native: a socket that a push woke may be silent', () => {
  const ringing = (): { bench: Bench; token: string; leg: string } => {
    const bench = new Bench();
    bench.login('s1', 'line1', IOS3);
    const leg = bench.ring('line1');
    return { bench, token: voiceSdkId(bench), leg };
  };
  const closed = (bench: Bench): string[] => bench.closed.map(({ socket }) => socket);

  it('as long as the call rings, 60 s at most', () => {
    const { bench, token } = ringing();
    bench.open('w', { voice_sdk_id: token });
    bench.open('x', { voice_sdk_id: 'of yesterday' });
    bench.open('y');
    bench.advance(10_000);
    assert.deepEqual(closed(bench).sort(), ['x', 'y']);
    for (let i = 0; i < 4; i++) {
      bench.advance(10_000);
      bench.request('s1', `p${i}`, 'telnyx_rtc.ping');
      assert.ok(!closed(bench).includes('w'));
    }
    bench.advance(9_999);
    assert.ok(!closed(bench).includes('w'));
    bench.advance(1);
    assert.ok(closed(bench).includes('w'));
  });

  it('until the ring ends', () => {
    const { bench, token, leg } = ringing();
    bench.open('w', { voice_sdk_id: token });
    bench.advance(20_000);
    assert.deepEqual(closed(bench), []);
    bench.say(bench.voice.cancel(leg, [], bench.now));
    bench.advance(1000);
    assert.deepEqual(closed(bench), ['w']);
  });

  it('and is found by its login, when the person has decided', () => {
    const { bench, token } = ringing();
    lose(bench);
    bench.open('w', { voice_sdk_id: token });
    bench.advance(30_000);
    bench.request('w', 'l', 'login', { login: 'line1', passwd: 'one', 'User-Agent': IOS3 });
    asks(bench, 'w');
    assert.equal(bench.told('w', 'invite')!['callID'], LEG);
    assert.ok(
      'result' in bench.call('w', 'a', 'answer', { sdp: sdpOf('c', 'sendrecv', 'active') }, { callID: LEG }),
    );
    bench.advance(31_000);
    assert.ok(!closed(bench).includes('w'));
  });

  it('eight of one address', () => {
    const { bench, token } = ringing();
    for (let i = 0; i < 10; i++) bench.open(`w${i}`, { voice_sdk_id: token });
    bench.advance(10_000);
    assert.equal(closed(bench).length, 2);
    bench.input({ type: 'closed', socket: 'w0' });
    bench.open('late', { voice_sdk_id: token });
    bench.advance(10_000);
    assert.equal(closed(bench).length, 2);
  });

  it('says a ping now and then, and nothing that is not a login', () => {
    const { bench, token } = ringing();
    bench.open('w', { voice_sdk_id: token });
    bench.advance(15_000);
    assert.equal(bench.request('w', 'g', 'telnyx_rtc.gatewayState')['error'].code, -32000);
    assert.equal(bench.request('w', 'i', 'telnyx_rtc.attachCalls')['error'].code, -32000);
  });
});

describe('native: attachCalls', () => {
  it('without a call: an error without a code, to iOS a plain result', () => {
    for (const agent of [ANDROID, FLUTTER]) {
      const bench = new Bench();
      bench.login('s1', 'line1', agent);
      assert.deepEqual(bench.request('s1', 'x', 'telnyx_rtc.attachCalls')['error'], {
        message: 'CALL DOES NOT EXIST',
      });
    }
    const bench = new Bench();
    bench.login('s1', 'line1', IOS4);
    assert.equal(bench.request('s1', 'x', 'telnyx_rtc.attachCalls')['result'].params.state, 'ATTACHED');
  });
});

describe('native: a process that follows', () => {
  it('knows the family and the version of a call, and reads what an earlier release wrote', () => {
    const bench = talking(ANDROID);
    const token = voiceSdkId(bench);
    const key = [...bench.journal.keys()].find((name) => name.startsWith('call '))!;
    const entry = JSON.parse(bench.journal.get(key)!) as { call: { agent: unknown } };
    assert.deepEqual(entry.call.agent, { family: 'android', text: ANDROID });
    entry.call.agent = 'android';
    bench.journal.set(key, JSON.stringify(entry));
    bench.restart();
    isBack(bench, ANDROID, { token });
    assert.equal(infos(bench).at(-1), ATTACHMENT.bare);
  });
});
