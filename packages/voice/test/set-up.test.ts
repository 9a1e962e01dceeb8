import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallBench, contact, trunkPlan, userPlan } from './call-bench.ts';

const built = (service: 'echo' | 'tone' | 'music') => ({ to: 'service', service }) as const;

describe('built-in numbers', () => {
  for (const [service, source] of [
    ['echo', 'echo'],
    ['tone', 'tone'],
    ['music', 'music'],
  ] as const)
    it(`${service}: media answers, then 200`, () => {
      const bench = new CallBench({ plan: built(service) });
      assert.deepEqual(bench.feed({ type: 'start' }), [
        'media answer a webrtc OPUS,PCMU,PCMA',
        'a 200 sdp(our-answer-a-1)',
        `media source a ${source}`,
      ]);
      assert.deepEqual(bench.feed({ type: 'bye', leg: 'a', headers: [] }), [
        'media close a',
        'record s NORMAL_CLEARING caller',
        'record a NORMAL_CLEARING caller',
      ]);
      assert.equal(bench.state, 'over');
      assert.deepEqual(
        bench.records().map((r) => [r.kind, r.direction, r.sip_code]),
        [
          ['service', 'outbound', 200],
          ['client', 'inbound', 200],
        ],
      );
    });

  it('was not answered when media refuses the caller', () => {
    const bench = new CallBench({ plan: built('echo') });
    bench.failures.push((command) =>
      command.op === 'answer' ? { ok: false, error: 'no-codec', message: '' } : undefined,
    );
    assert.ok(bench.feed({ type: 'start' }).includes('a 488'));
    assert.deepEqual(
      bench.records().map((r) => [r.kind, r.answered_at]),
      [
        ['service', undefined],
        ['client', undefined],
      ],
    );
  });

  it('answers an offerless caller with an offer and connects on ACK', () => {
    const bench = new CallBench({ plan: built('tone'), kind: 'phone', offerless: true });
    assert.deepEqual(bench.feed({ type: 'start' }), [
      'media offer a rtp OPUS,PCMU,PCMA',
      'a 200 sdp(our-offer-a-1)',
      'media source a tone',
    ]);
    assert.deepEqual(bench.feed({ type: 'confirmed', leg: 'a', sdp: 'theirs' }), ['media accept a theirs']);
  });
});

describe('a call to the carrier', () => {
  it('offers, rings, answers, and ends with the reason', () => {
    const bench = new CallBench();
    assert.deepEqual(bench.feed({ type: 'start' }), [
      'media offer b rtp OPUS,PCMU,PCMA',
      'INVITE b +13125550100 sdp(our-offer-b-1)',
    ]);
    assert.deepEqual(bench.feed({ type: 'progress', leg: 'b', status: 180, headers: [] }), ['a 180']);
    assert.deepEqual(bench.feed({ type: 'progress', leg: 'b', status: 180, headers: [] }), []);
    assert.deepEqual(bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [['X-Ans', 'a']] }), [
      'media accept b theirs',
      'media answer a webrtc OPUS,PCMU,PCMA',
      'a 200 sdp(our-answer-a-2)',
      'media source a leg b',
      'media source b leg a',
    ]);
    const ok = bench.outs.find((o) => o.type === 'respond' && o.status === 200);
    assert.ok(ok?.type === 'respond');
    assert.deepEqual(ok.headers, [['X-Ans', 'a']]);
    bench.now = 5_000;
    assert.deepEqual(
      bench.feed({
        type: 'bye',
        leg: 'b',
        headers: [['X-Bye', '1']],
        cause: { name: 'NORMAL_CLEARING', code: 16 },
      }),
      [
        'media close b',
        'BYE a NORMAL_CLEARING',
        'media close a',
        'record b NORMAL_CLEARING callee',
        'record a NORMAL_CLEARING callee',
      ],
    );
    const bye = bench.outs.find((o) => o.type === 'bye');
    assert.ok(bye?.type === 'bye');
    assert.deepEqual(bye.ending.headers, [['X-Bye', '1']]);
    const [b] = bench.records();
    assert.equal(b?.codec, 'OPUS');
    assert.equal(b?.ended_at, 1_700_000_005_000);
    assert.equal(b?.media?.packetsReceived, 5);
  });

  it('gives early media to the caller, and the same answer again in the 200', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    assert.deepEqual(bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'early', headers: [] }), [
      'media accept b early',
      'media answer a webrtc OPUS,PCMU,PCMA',
      'media source a leg b',
      'a 183 sdp(our-answer-a-2)',
      'media source b leg a',
    ]);
    // The 2xx may repeat the description or have none.
    assert.deepEqual(bench.feed({ type: 'accepted', leg: 'b', headers: [] }), ['a 200 sdp(our-answer-a-2)']);
  });

  it('tells ringing at once and early media behind it for a 180 with SDP', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    const ladder = bench.feed({ type: 'progress', leg: 'b', status: 180, sdp: 'early', headers: [] });
    assert.equal(
      ladder.find((line) => line.startsWith('a ')),
      'a 180',
    );
    assert.ok(ladder.includes('a 183 sdp(our-answer-a-2)'));
  });

  it('gives media the answer of another fork; the caller keeps its own', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'fork one', headers: [] });
    assert.deepEqual(bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'fork two', headers: [] }), [
      'media accept b fork two',
    ]);
    assert.deepEqual(bench.feed({ type: 'accepted', leg: 'b', sdp: 'fork one', headers: [] }), [
      'media accept b fork one',
      'a 200 sdp(our-answer-a-2)',
    ]);
  });

  it('ends a 2xx without any answer to our offer', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    assert.deepEqual(bench.feed({ type: 'accepted', leg: 'b', headers: [] }), [
      'BYE b INCOMPATIBLE_DESTINATION',
      'media close b',
      'a 488',
      'record a INCOMPATIBLE_DESTINATION platform',
      'record b INCOMPATIBLE_DESTINATION platform',
    ]);
  });

  it('shows a carrier only numbers of the caller', () => {
    const shown = (number: string, numbers: string[]): string => {
      const bench = new CallBench({ number, numbers });
      return bench.feed({ type: 'start' })[1]!.split(' ')[2]!;
    };
    assert.equal(shown('+13125550101', ['+13125550100', '+13125550101']), '+13125550101');
    assert.equal(shown('+19995550000', ['+13125550100']), '+13125550100');
    assert.equal(shown('+19995550000', []), 'line1');
  });

  it('remembers which trunk answered, with its digits mode', () => {
    const bench = new CallBench({
      plan: {
        to: 'trunk',
        number: '1',
        trunks: [
          { name: 'one', codecs: ['PCMU'], dtmf: 'rfc4733', policy: 'quality' },
          { name: 'two', codecs: ['PCMU'], dtmf: 'info', policy: 'capacity' },
        ],
      },
    });
    bench.codecOf = { b: 'PCMU' };
    bench.feed({ type: 'start' });
    const ladder = bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', trunk: 'two', headers: [] });
    assert.ok(ladder.includes('media answer a webrtc PCMU,OPUS,PCMA'));
    assert.deepEqual(bench.feed({ type: 'digits', leg: 'a', digits: '1' }), ['INFO b 1']);
    bench.feed({ type: 'bye', leg: 'a', headers: [] });
    assert.equal(bench.records()[0]?.trunk ?? bench.records()[1]?.trunk, 'two');
  });
});

describe('codec policy', () => {
  const answerOf = (policy: 'quality' | 'capacity', codec: 'OPUS' | 'PCMU' | 'PCMA'): string => {
    const bench = new CallBench({
      plan: trunkPlan({ policy, codecs: ['PCMA', 'PCMU'] }),
      codecs: ['PCMU', 'OPUS', 'PCMA'],
    });
    bench.codecOf = { b: codec };
    bench.feed({ type: 'start' });
    return bench
      .feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] })
      .find((l) => l.startsWith('media answer a'))!;
  };
  it('quality puts Opus first on the browser', () =>
    assert.equal(answerOf('quality', 'PCMA'), 'media answer a webrtc OPUS,PCMU,PCMA'));
  it('capacity puts the carrier codec first', () =>
    assert.equal(answerOf('capacity', 'PCMA'), 'media answer a webrtc PCMA,PCMU,OPUS'));
  it('capacity from a carrier puts its codecs first at the client', () => {
    const bench = new CallBench({
      kind: 'trunk',
      codecs: ['PCMA', 'PCMU'],
      plan: userPlan({ policy: 'capacity' }),
    });
    bench.feed({ type: 'start' });
    assert.equal(
      bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b')] })[0],
      'media offer b webrtc PCMA,PCMU,OPUS',
    );
  });
});

describe('a call to a user', () => {
  it('looks the user up, rings every client with an offer of its own, and cancels the losers', () => {
    const bench = new CallBench({ plan: userPlan() });
    assert.deepEqual(bench.feed({ type: 'start' }), ['lookup line2']);
    assert.deepEqual(
      bench.feed({
        type: 'bindings',
        target: 0,
        status: 200,
        contacts: [contact('b'), contact('c'), contact('d', false)],
      }),
      [
        'media offer b webrtc OPUS,PCMU,PCMA',
        'media offer c webrtc OPUS,PCMU,PCMA',
        'media offer d rtp OPUS,PCMU,PCMA',
        'INVITE b +13125550100 sdp(our-offer-b-1)',
        'INVITE c +13125550100 sdp(our-offer-c-2)',
        'INVITE d +13125550100 sdp(our-offer-d-3)',
      ],
    );
    bench.feed({ type: 'progress', leg: 'b', status: 180, headers: [] });
    bench.feed({ type: 'progress', leg: 'c', status: 180, headers: [] });
    assert.deepEqual(bench.feed({ type: 'accepted', leg: 'c', sdp: 'theirs', headers: [] }), [
      'CANCEL b LOSE_RACE',
      'media close b',
      'CANCEL d LOSE_RACE',
      'media close d',
      'media accept c theirs',
      'media answer a webrtc OPUS,PCMU,PCMA',
      'a 200 sdp(our-answer-a-4)',
      'media source a leg c',
      'media source c leg a',
    ]);
    assert.deepEqual(bench.feed({ type: 'failed', leg: 'b', status: 487, by: 'cancel', headers: [] }), []);
    // d answered while our CANCEL was on its way.
    assert.deepEqual(bench.feed({ type: 'accepted', leg: 'd', sdp: 'late', headers: [] }), [
      'BYE d LOSE_RACE',
    ]);
    assert.equal(bench.state, 'up');
  });

  it('rings only the last to register without simultaneous ringing', () => {
    const bench = new CallBench({ plan: userPlan({ ringAll: false }) });
    bench.feed({ type: 'start' });
    const ladder = bench.feed({
      type: 'bindings',
      target: 0,
      status: 200,
      contacts: [contact('b'), contact('c')],
    });
    assert.equal(ladder.filter((l) => l.startsWith('INVITE')).length, 1);
  });

  for (const [status, sip, cause] of [
    [404, 404, 'UNALLOCATED_NUMBER'],
    [480, 480, 'USER_NOT_REGISTERED'],
    [200, 480, 'USER_NOT_REGISTERED'],
    [503, 503, 'NORMAL_TEMPORARY_FAILURE'],
  ] as const)
    it(`lookup ${status} without contacts → ${sip}`, () => {
      const bench = new CallBench({ plan: userPlan() });
      bench.feed({ type: 'start' });
      assert.deepEqual(bench.feed({ type: 'bindings', target: 0, status, contacts: [] }), [
        `a ${sip}`,
        `record a ${cause} platform`,
      ]);
    });

  it('from an offerless carrier: the 200 carries our offer, the ACK the answer', () => {
    const bench = new CallBench({ plan: userPlan(), kind: 'trunk', offerless: true });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b')] });
    assert.deepEqual(bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] }), [
      'media accept b theirs',
      'media offer a rtp OPUS,PCMU,PCMA',
      'a 200 sdp(our-offer-a-2)',
      'media source a leg b',
      'media source b leg a',
    ]);
    assert.deepEqual(bench.feed({ type: 'confirmed', leg: 'a', sdp: 'carrier' }), ['media accept a carrier']);
    // A repeated ACK changes nothing.
    assert.deepEqual(bench.feed({ type: 'confirmed', leg: 'a', sdp: 'carrier' }), []);
  });
});

describe('cancel-meets-2xx: who gives up an offerless call that is answered at that moment', () => {
  const offerless = (): CallBench => {
    const bench = new CallBench({ plan: userPlan(), kind: 'trunk', offerless: true });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b')] });
    bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    return bench;
  };
  const ends = (bench: CallBench) => bench.records().map((r) => [r.leg_id, r.cause, r.ended_by]);

  for (const [name, error] of [
    ['no answer', null],
    ['an answer without audio', 'bad-sdp'],
    ['an answer without a codec of ours', 'no-codec'],
  ] as const) {
    const acked = (): CallBench => {
      const bench = offerless();
      if (error !== null)
        bench.failures.push(({ op }) => (op === 'accept' ? { ok: false, error, message: '' } : undefined));
      const answer = error === null ? {} : { sdp: 'none' };
      const heard = bench.feed({ type: 'confirmed', leg: 'a', ...answer });
      assert.deepEqual(heard, error === null ? [] : ['media accept a none'], 'its BYE is waited for');
      return bench;
    };

    it(`ACK with ${name}, and BYE: the caller has ended the call`, () => {
      const bench = acked();
      bench.now = 3_500;
      bench.feed({ type: 'bye', leg: 'a', headers: [] });
      assert.deepEqual(ends(bench), [
        ['a', 'NORMAL_CLEARING', 'caller'],
        ['b', 'NORMAL_CLEARING', 'caller'],
      ]);
      assert.equal(bench.deadline(), null);
    });

    it(`ACK with ${name}, and nothing more: we end it`, () => {
      const bench = acked();
      assert.equal(bench.deadline(), 4_000);
      bench.now = 4_000;
      assert.equal(bench.feed({ type: 'tick' })[0], 'BYE a INCOMPATIBLE_DESTINATION');
      assert.deepEqual(ends(bench), [
        ['a', 'INCOMPATIBLE_DESTINATION', 'platform'],
        ['b', 'INCOMPATIBLE_DESTINATION', 'platform'],
      ]);
    });
  }

  it('an answer that media cannot take for reasons of its own ends it at once', () => {
    const bench = offerless();
    bench.failures.push(({ op }) =>
      op === 'accept' ? { ok: false, error: 'engine', message: '' } : undefined,
    );
    const heard = bench.feed({ type: 'confirmed', leg: 'a', sdp: 'theirs' });
    assert.ok(heard.includes('BYE a NETWORK_OUT_OF_ORDER'));
  });

  it('an answer that media takes: the call goes on', () => {
    const bench = offerless();
    bench.feed({ type: 'confirmed', leg: 'a', sdp: 'theirs' });
    assert.equal(bench.deadline(), 1_000_000);
  });
});

describe('a call that nobody answers', () => {
  it('ends by the ring limit with 480', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    assert.equal(bench.deadline(), 90_000);
    bench.now = 90_000;
    assert.deepEqual(bench.feed({ type: 'tick' }), [
      'CANCEL b NO_ANSWER',
      'media close b',
      'a 480',
      'record a NO_ANSWER platform',
    ]);
    // The final response to the CANCEL never comes (RFC 3261 §9.1).
    assert.equal(bench.deadline(), 130_000);
    bench.now = 130_000;
    assert.deepEqual(bench.feed({ type: 'tick' }), ['record b NO_ANSWER platform']);
    assert.equal(bench.state, 'over');
    assert.equal(bench.deadline(), null);
  });

  it('cancels the callee when the caller gives up', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    assert.deepEqual(bench.feed({ type: 'cancelled', leg: 'a', headers: [] }), [
      'record a cancelled caller',
      'CANCEL b cancelled',
      'media close b',
    ]);
    assert.deepEqual(bench.feed({ type: 'failed', leg: 'b', status: 487, by: 'cancel', headers: [] }), [
      'record b cancelled caller',
    ]);
    assert.equal(bench.state, 'over');
  });

  it('sends no INVITE for a call that was cancelled while media worked', () => {
    const bench = new CallBench({ manual: true });
    bench.feed({ type: 'start' });
    const ladder = bench.feed({ type: 'cancelled', leg: 'a', headers: [] });
    assert.deepEqual(ladder, ['record a cancelled caller', 'media close b']);
    bench.reply();
    bench.reply();
    assert.ok(!bench.outs.some((o) => o.type === 'invite'));
    assert.equal(bench.state, 'over');
  });
});

describe('refusals', () => {
  const refused = (
    status: number,
    by: 'peer' | 'timeout' | 'transport' = 'peer',
    cause?: { name: string; code: number },
    rejectCode = 487,
  ): [number, string, number] => {
    const bench = new CallBench({ plan: userPlan({ rejectCode }) });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b')] });
    bench.feed({
      type: 'failed',
      leg: 'b',
      status,
      by,
      headers: [],
      ...(cause === undefined ? {} : { cause }),
    });
    const final = bench.outs.find((o) => o.type === 'respond');
    assert.ok(final?.type === 'respond' && final.ending !== undefined);
    assert.equal(bench.state, 'over');
    const causes = new Set(bench.records().map((r) => r.cause));
    assert.equal(causes.size, 1);
    return [final.status, [...causes][0]!, final.ending.code];
  };
  const rejected = { name: 'rejected', code: 17 };
  it('486 passes', () => assert.deepEqual(refused(486), [486, 'USER_BUSY', 17]));
  it('603 passes', () => assert.deepEqual(refused(603), [603, 'CALL_REJECTED', 21]));
  it('404 passes', () => assert.deepEqual(refused(404), [404, 'UNALLOCATED_NUMBER', 1]));
  it('480 passes with its own reason', () =>
    assert.deepEqual(refused(480, 'peer', { name: 'SUBSCRIBER_ABSENT', code: 20 }), [
      480,
      'SUBSCRIBER_ABSENT',
      20,
    ]));
  it('a client that rejects: 487, recorded as rejected', () =>
    assert.deepEqual(refused(487, 'peer', rejected), [487, 'rejected', 21]));
  it('a client that rejects, by the setting', () =>
    assert.deepEqual(refused(487, 'peer', rejected, 486), [486, 'rejected', 21]));
  it('nobody there: 480', () => assert.deepEqual(refused(408, 'timeout'), [480, 'NO_USER_RESPONSE', 18]));
  it('no transport: 503', () =>
    assert.deepEqual(refused(503, 'transport'), [503, 'NORMAL_TEMPORARY_FAILURE', 41]));
  it('redirects and challenges do not pass', () => {
    assert.equal(refused(302)[0], 480);
    assert.equal(refused(407)[0], 403);
  });

  it('the best refusal of several forks goes to the caller, behind the last', () => {
    const bench = new CallBench({ plan: userPlan() });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b'), contact('c')] });
    assert.deepEqual(bench.feed({ type: 'failed', leg: 'b', status: 486, by: 'peer', headers: [] }), [
      'media close b',
    ]);
    const ladder = bench.feed({ type: 'failed', leg: 'c', status: 408, by: 'timeout', headers: [] });
    assert.equal(
      ladder.find((l) => l.startsWith('a ')),
      'a 486',
    );
  });

  it('a 6xx speaks for all forks', () => {
    const bench = new CallBench({ plan: userPlan() });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b'), contact('c')] });
    assert.deepEqual(bench.feed({ type: 'failed', leg: 'b', status: 603, by: 'peer', headers: [] }), [
      'media close b',
      'CANCEL c CALL_REJECTED',
      'media close c',
      'a 603',
      'record a CALL_REJECTED callee',
    ]);
    assert.deepEqual(bench.feed({ type: 'failed', leg: 'c', status: 487, by: 'cancel', headers: [] }), [
      'record b CALL_REJECTED callee',
    ]);
  });

  it('a fork that gave early media and refuses leaves ringback, while others ring', () => {
    const bench = new CallBench({ plan: userPlan() });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b', false), contact('c')] });
    bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'early', headers: [] });
    const refused = bench.feed({ type: 'failed', leg: 'b', status: 486, by: 'peer', headers: [] });
    assert.deepEqual(refused.slice(0, 2), ['media close b', 'media source a ringback']);
    const won = bench.feed({ type: 'accepted', leg: 'c', sdp: 'theirs', headers: [] });
    assert.ok(won.includes('media source a leg c'));
    assert.ok(won.includes('a 200 sdp(our-answer-a-3)'));
  });

  it('a refused plan is one final response', () => {
    const bench = new CallBench({
      plan: { to: 'refuse', ending: { cause: 'UNALLOCATED_NUMBER', code: 1, sip: 404, by: 'platform' } },
    });
    assert.deepEqual(bench.feed({ type: 'start' }), ['a 404', 'record a UNALLOCATED_NUMBER platform']);
    assert.equal(bench.state, 'over');
  });
});

describe('media that fails during set-up', () => {
  it('no common codec: 488', () => {
    const bench = new CallBench();
    bench.failures.push((c) =>
      c.op === 'answer' ? { ok: false, error: 'no-codec', message: '' } : undefined,
    );
    bench.feed({ type: 'start' });
    const ladder = bench.feed({ type: 'accepted', leg: 'b', sdp: 'theirs', headers: [] });
    assert.ok(ladder.includes('a 488'));
    assert.ok(ladder.includes('BYE b INCOMPATIBLE_DESTINATION'));
  });
  it('no port for the callee: 503', () => {
    const bench = new CallBench();
    bench.failures.push((c) => (c.op === 'offer' ? { ok: false, error: 'no-port', message: '' } : undefined));
    const ladder = bench.feed({ type: 'start' });
    assert.ok(ladder.includes('a 503'));
    assert.equal(bench.state, 'over');
  });
  it('early media that media refuses is no end', () => {
    const bench = new CallBench();
    bench.failures.push((c) =>
      c.op === 'accept' && c.sdp === 'bad' ? { ok: false, error: 'bad-sdp', message: '' } : undefined,
    );
    bench.feed({ type: 'start' });
    assert.deepEqual(bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'bad', headers: [] }), [
      'media accept b bad',
    ]);
    assert.equal(
      bench
        .feed({ type: 'accepted', leg: 'b', sdp: 'good', headers: [] })
        .find((line) => line.startsWith('a ')),
      'a 200 sdp(our-answer-a-2)',
    );
  });
  it('one failed fork leaves the other ringing', () => {
    const bench = new CallBench({ plan: userPlan() });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'bindings', target: 0, status: 200, contacts: [contact('b'), contact('c')] });
    assert.deepEqual(bench.feed({ type: 'mediaFailed', leg: 'b', why: 'ice' }), [
      'CANCEL b ICE_FAILED',
      'media close b',
    ]);
    assert.equal(bench.state, 'dialling');
  });
});

describe('wishes for Opus', () => {
  const opus = (fmtp: string): string =>
    [
      'v=0',
      'o=- 1 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 4000 RTP/AVP 111',
      'a=rtpmap:111 opus/48000/2',
      `a=fmtp:111 ${fmtp}`,
      '',
    ].join('\r\n');
  const asked = (bench: CallBench) =>
    bench.outs.flatMap((o) =>
      o.type === 'media' && (o.command.op === 'offer' || o.command.op === 'answer')
        ? [[o.command.op, o.command.leg, o.command.opus]]
        : [],
    );

  it('of each side are told to the other', () => {
    const bench = new CallBench({ offer: opus('stereo=1;maxaveragebitrate=20000') });
    bench.feed({ type: 'start' });
    bench.feed({ type: 'accepted', leg: 'b', sdp: opus('maxaveragebitrate=32000'), headers: [] });
    assert.deepEqual(asked(bench), [
      ['offer', 'b', { stereo: true, maxBitrate: 20_000 }],
      ['answer', 'a', { maxBitrate: 32_000 }],
    ]);
  });

  it('of the caller itself count for an echo', () => {
    const bench = new CallBench({ plan: built('echo'), offer: opus('stereo=1') });
    bench.feed({ type: 'start' });
    assert.deepEqual(asked(bench), [['answer', 'a', { stereo: true }]]);
  });
});

describe('silence before the answer', () => {
  it('is no failure of media: the ring limit counts', () => {
    const bench = new CallBench();
    bench.feed({ type: 'start' });
    bench.feed({ type: 'progress', leg: 'b', status: 183, sdp: 'early', headers: [] });
    assert.deepEqual(bench.feed({ type: 'mediaFailed', leg: 'b', why: 'rtp' }), []);
    assert.equal(bench.state, 'dialling');
  });
});
