import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createResponse, type ExtraHeaders } from '@sidetone/sip';
import { sdp, VoiceBench } from './voice-bench.ts';

const NAT = '198.51.100.5';
const MOVED = '198.51.100.77';
const source = (host: string): ExtraHeaders => [['X-Sidetone-Source', host]];
const uri = (user: string, host = 'sip.localhost') => ({ scheme: 'sip', user, host, params: {} }) as const;

/** What media was told of it, command by command. */
const told = (bench: VoiceBench): (string | undefined)[] =>
  bench.media.flatMap((c) => (c.op === 'answer' || c.op === 'accept' ? [c.signalledFrom] : []));

function calls(bench: VoiceBench, headers: ExtraHeaders, offer = sdp(), dialled = '+15550100'): string {
  const { leg, out } = bench.proxy.agent.invite(
    {
      requestUri: uri(dialled),
      from: { uri: uri('line1'), params: {} },
      to: { uri: uri(dialled), params: {} },
      sdp: offer,
      headers,
    },
    bench.now,
  );
  bench.proxy.act(out);
  return leg;
}

const PROVEN: ExtraHeaders = [['P-Asserted-Identity', '<sip:line1@sip.localhost>'], ...source(NAT)];

describe('phone-behind-nat-has-no-audio: media hears where a phone signals from', () => {
  it('of a phone that calls: in the answer, and in every offer after it, also in the next process', () => {
    const bench = new VoiceBench();
    const phone = calls(bench, PROVEN);
    const carrier = bench.proxy.take('incoming').leg;
    bench.proxy.act(bench.proxy.agent.respond(carrier, 200, { sdp: sdp() }, bench.now));
    assert.deepEqual(told(bench), [undefined, NAT], 'the carrier, then the phone');
    bench.proxy.take('accepted');
    bench.restart();
    bench.media.length = 0;
    const { agent } = bench.proxy;
    bench.proxy.act(agent.reinvite(phone, sdp('sendrecv', 4_100), 'moved', bench.now, source(MOVED)));
    assert.equal(bench.proxy.take('reinviteResult').status, 200);
    assert.deepEqual(told(bench), [MOVED]);
  });

  it('of a phone that is called: from the response that describes its media', () => {
    const bench = new VoiceBench();
    const { out } = bench.vsp.agent.invite(
      {
        requestUri: uri('line2'),
        from: { uri: uri('line1'), params: {} },
        to: { uri: uri('line2'), params: {} },
        sdp: sdp(),
        headers: [['P-Asserted-Identity', '<sip:line1@sip.localhost>']],
      },
      bench.now,
    );
    bench.vsp.act(out);
    const asked = bench.proxy.take('request');
    const contact = [{ uri: uri('line2', '192.168.1.50'), params: {} }];
    const message = createResponse(asked.request, 200, { contact });
    bench.tell({ type: 'sip', message, flow: { transport: 'local', node: 'proxy' } });
    const { leg } = bench.proxy.take('incoming');
    const early = { sdp: sdp(), headers: source(NAT) };
    bench.proxy.act(bench.proxy.agent.respond(leg, 183, early, bench.now));
    const late = { sdp: sdp('sendrecv', 4_002), headers: source(MOVED) };
    bench.proxy.act(bench.proxy.agent.respond(leg, 200, late, bench.now));
    assert.deepEqual(
      told(bench).filter((from) => from !== undefined),
      [NAT, MOVED],
    );
  });

  it('of a carrier never, whatever it says', () => {
    const bench = new VoiceBench();
    calls(bench, [['X-Sidetone-Trunk', 'carrier'], ...source(NAT)], sdp(), '9196');
    assert.deepEqual(
      told(bench).filter((from) => from !== undefined),
      [],
    );
  });
});

describe('formats-of-disabled-media: an offer that can only be refused', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['no description', 'nonsense'],
    ['no audio that is on', sdp('sendrecv', 0)],
    ['no codec of the trunk', sdp().replaceAll('RTP/AVP 0', 'RTP/AVP 3')],
    ['keys in the description', sdp().replace('RTP/AVP', 'RTP/SAVP')],
    ['a payload type that is none', sdp().replaceAll('RTP/AVP 0', 'RTP/AVP 255')],
    ['no address', sdp().replaceAll(/c=.*\r\n/g, '')],
  ];
  for (const [what, offer] of rows)
    it(`${what}: 488, and nobody rings`, () => {
      const bench = new VoiceBench();
      calls(bench, [['X-Sidetone-Trunk', 'carrier']], offer, '+13125550100');
      assert.equal(bench.proxy.take('failed').status, 488);
      assert.deepEqual(bench.media, []);
      assert.equal(bench.proxy.has('request') || bench.proxy.has('incoming'), false);
    });

  it('one with disabled sections of any kind is carried on', () => {
    const bench = new VoiceBench();
    calls(bench, PROVEN, `m=video 0 RTP/AVP 255`.replace(/^/, sdp()));
    assert.equal(bench.proxy.has('incoming'), true);
  });
});
