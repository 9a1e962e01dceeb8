import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createWeriftDtls } from '../apps/server/src/dtls/werift.ts';
import { machineAddresses } from '../apps/server/src/net/addresses.ts';
import { Phone } from '../apps/server/test/drive/phone.ts';
import { decodeG711, encodeG711 } from './src/g711.ts';
import { NodeClient } from './src/node-client.ts';
import { freePort } from './src/ports.ts';
import { RtpPeer } from './src/rtp-peer.ts';
import { NUMBER, PASSWORD, TestServer } from './src/server.ts';
import { isTone, measureTone, sine } from './src/tone.ts';
import { until } from './src/wait.ts';

/** On a machine without IPv6 the same call goes by IPv4. */
const HERE = machineAddresses().includes('::1') ? '::1' : '127.0.0.1';
const FAMILY = HERE === '::1' ? 6 : 4;
const FRAME = 160;

describe('ipv6: a call between a client and a carrier', { timeout: 120_000 }, () => {
  let server: TestServer;
  let carrier: Phone;
  let rtp: RtpPeer;
  let client: NodeClient;

  before(async () => {
    const port = await freePort();
    rtp = await RtpPeer.open({ codec: 'PCMU', payloadType: 0, eventPayloadType: 101 }, HERE);
    const sip = await freePort();
    server = await TestServer.start({
      config: {
        sip: { host: [HERE], udp: sip, tcp: sip },
        media: { address: [HERE], ports: [43_900, 43_959] },
        trunks: [{ name: 'carrier', host: HERE, port, prefixes: ['+1555'], codecs: ['PCMU'] }],
      },
    });
    carrier = await Phone.open(sip, port, HERE);
    client = await NodeClient.loggedIn({
      url: server.webSocketUrl,
      user: 'line1',
      password: PASSWORD.line1,
      dtls: await createWeriftDtls(),
      address: HERE,
    });
  });

  after(async () => {
    client?.close();
    rtp?.close();
    await carrier?.close();
    await server?.stop();
  });

  it('has sound both ways', async () => {
    const calling = client.call('+15550001111', NUMBER.line1);
    const { leg, sdp } = await carrier.gets('incoming');
    const place = `IN IP${FAMILY} ${HERE}`;
    assert.match(sdp!, new RegExp(`^c=${place}\\r$`, 'm'));
    const answer = `v=0\r\no=- 1 1 ${place}\r\ns=-\r\nc=${place}\r\nt=0 0\r\nm=audio ${rtp.port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n`;
    carrier.respond(leg, 200, { sdp: answer });
    const call = await calling;
    rtp.send({ host: HERE, port: Number(/m=audio (\d+)/.exec(sdp!)![1]) }, 440);

    const heard: Int16Array[] = [];
    call.media.onPayload = (payload) => heard.push(decodeG711('PCMU', payload));
    let sample = 0;
    const speaking = setInterval(() => {
      call.media.say(encodeG711('PCMU', sine(880, 8_000, FRAME, 0.5, sample)));
      sample += FRAME;
      call.media.frame();
    }, 20);
    try {
      await rtp.hears(880);
      await until('440 Hz at the client', () => {
        const last = heard.slice(-35);
        return (
          last.length === 35 && isTone(measureTone(Int16Array.from(last.flatMap((f) => [...f])), 8_000), 440)
        );
      });
    } finally {
      clearInterval(speaking);
    }
    await client.bye(call);
    await carrier.gets('bye');
  });
});
