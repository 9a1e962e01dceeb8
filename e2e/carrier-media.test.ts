import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { after, before, describe, it } from 'node:test';
import { freePort, freeRange } from './src/ports.ts';
import { type PeerFormat, RtpPeer } from './src/rtp-peer.ts';
import { PASSWORD, TestServer } from './src/server.ts';
import { audioAt, plainSdp, SipPeer } from './src/sip-peer.ts';
import { until } from './src/wait.ts';

const PCMU: PeerFormat = { codec: 'PCMU', payloadType: 0, eventPayloadType: 101 };
const PHONE_HOST = '127.0.0.5';
const CARRIER_HOST = '127.0.0.1';
const DIALLED = '+15550001111';
const TIMEOUT_S = 5;

/** A phone that calls a carrier, both on loopback addresses, with their sound. */
class Pair {
  readonly server: TestServer;
  readonly phone: SipPeer;
  readonly carrier: SipPeer;
  readonly #open: { close(): void }[] = [];

  private constructor(server: TestServer, phone: SipPeer, carrier: SipPeer) {
    this.server = server;
    this.phone = phone;
    this.carrier = carrier;
  }

  static async start(ports: number): Promise<Pair> {
    const port = await freePort();
    const server = await TestServer.start({
      trunks: [{ name: 'carrier', port, prefixes: ['+1555'], codecs: ['PCMU'] }],
      config: {
        media: { address: '127.0.0.1', ports: await freeRange(ports), rtp_timeout_seconds: TIMEOUT_S },
      },
    });
    const user = { name: 'line1', password: PASSWORD.line1 };
    const phone = await SipPeer.open({ server: server.sipPort, host: PHONE_HOST, user });
    const carrier = await SipPeer.open({ server: server.sipPort, host: CARRIER_HOST, port });
    return new Pair(server, phone, carrier);
  }

  async rtp(host: string): Promise<RtpPeer> {
    const peer = await RtpPeer.open(PCMU, host);
    this.#open.push(peer);
    return peer;
  }

  async socket(host: string): Promise<Socket> {
    const socket = createSocket('udp4');
    this.#open.push(socket);
    await new Promise<void>((bound) => socket.bind(0, host, bound));
    return socket;
  }

  /** The phone calls, the carrier answers; nobody has sent anything yet. `at`, `farAt`: our media for each of them. */
  async call(more: { readonly sdp?: (port: number) => string } = {}) {
    const [sound, far] = [await this.rtp(PHONE_HOST), await this.rtp(CARRIER_HOST)];
    const answer = this.carrier.answers(more.sdp?.(far.port) ?? plainSdp(CARRIER_HOST, far.port));
    const { leg, sdp } = await this.phone.calls(DIALLED, plainSdp(PHONE_HOST, sound.port));
    const { leg: farLeg, sdp: offer } = await answer;
    return { leg, farLeg, sound, far, at: audioAt(sdp), farAt: audioAt(offer) };
  }

  async hangUp(leg: string): Promise<void> {
    this.phone.bye(leg);
    await this.carrier.hearsBye();
    await this.phone.gets('ended');
  }

  async explained(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof Error) error.message = `${error.message}\n${this.server.log}`;
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const one of this.#open)
      try {
        one.close();
      } catch {
        // It was closed in the test.
      }
    this.phone.close();
    this.carrier.close();
    await this.server.stop();
  }
}

const isHeard = (peer: RtpPeer, hz: number): boolean => {
  const tone = peer.tone();
  return tone.level > 0.01 && Math.abs(tone.hz - hz) < hz * 0.05;
};

describe('reused-media-port-hears-the-call-before', { timeout: 120_000 }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.start(6);
  });
  after(async () => {
    await pair?.stop();
  });

  it('six ports, and two peers that never stop sending: calls after theirs hear nothing of them, nor they of those', async () => {
    await pair.explained(async () => {
      const first = await pair.call();
      first.far.send(first.farAt, 800);
      first.sound.send(first.at, 1_300);
      await first.sound.hears(800);
      await first.far.hears(1_300);
      await pair.hangUp(first.leg);
      first.far.forget();
      first.sound.forget();
      const old = [first.at.port, first.farAt.port];
      const reused = new Set<number>();
      for (let n = 0; n < 4; n++) {
        const call = await pair.call();
        for (const { port } of [call.at, call.farAt]) if (old.includes(port)) reused.add(port);
        await until('a second of sound at both', () => call.sound.packets > 50 && call.far.packets > 50);
        for (const peer of [call.sound, call.far])
          for (const hz of [800, 1_300])
            assert.equal(isHeard(peer, hz), false, `${hz} Hz of the call before`);
        assert.deepEqual([first.far.packets, first.sound.packets], [0, 0]);
        call.far.send(call.farAt, 440);
        // From another port than it described, as behind a NAT that changes them.
        const elsewhere = await pair.rtp(PHONE_HOST);
        elsewhere.send(call.at, 620);
        await elsewhere.hears(440);
        await call.far.hears(620);
        for (const peer of [call.sound, call.far, elsewhere]) peer.close();
        await pair.hangUp(call.leg);
      }
      assert.deepEqual([...reused].toSorted(), old.toSorted(), 'a small range does not run dry');
    });
  });
});

describe('media-timeout-of-a-living-peer', { timeout: 120_000 }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.start(60);
  });
  after(async () => {
    await pair?.stop();
  });

  it('a sender report, comfort noise or an empty packet every second keeps a call; silence in all ends it', async () => {
    await pair.explained(async () => {
      const control = await pair.socket(CARRIER_HOST);
      const reported = await pair.call({
        sdp: (port) => plainSdp(CARRIER_HOST, port, [`a=rtcp:${control.address().port}`]),
      });
      const raw = await pair.socket(CARRIER_HOST);
      const noisy = await pair.call({ sdp: () => plainSdp(CARRIER_HOST, raw.address().port) });
      const kept = await pair.socket(CARRIER_HOST);
      const empty = await pair.call({ sdp: () => plainSdp(CARRIER_HOST, kept.address().port) });
      const silent = await pair.call();
      for (const { sound, at } of [reported, noisy, empty, silent]) sound.send(at, 440);
      for (const call of [reported, silent]) {
        call.far.send(call.farAt, 800);
        await call.sound.hears(800);
        call.far.close();
      }
      const sr = Buffer.alloc(28);
      sr.writeUInt32BE(0x80c80006);
      sr.writeUInt32BE(0x5e1f0000 + reported.far.port, 4);
      const comfort = Buffer.from([0x80, 13, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 60]);
      let beats = 0;
      const timer = setInterval(() => {
        comfort[3]! += ++beats;
        control.send(sr, reported.farAt.port + 1, reported.farAt.host);
        raw.send(comfort, noisy.farAt.port, noisy.farAt.host);
        kept.send(Buffer.alloc(0), empty.farAt.port, empty.farAt.host);
      }, 1_000);
      const { leg } = await pair.phone.gets('bye');
      assert.equal(leg, silent.leg);
      await until('twice the time-out to pass', () => beats > 2 * TIMEOUT_S);
      assert.deepEqual(
        pair.phone.events.filter((event) => event.type === 'bye'),
        [],
      );
      for (const call of [reported, noisy, empty]) {
        const { status } = await pair.phone.offers(call.leg, plainSdp(PHONE_HOST, call.sound.port));
        assert.equal(status, 200);
      }
      clearInterval(timer);
      assert.match(pair.server.fullLog, /MEDIA_TIMEOUT/);
    });
  });
});

describe('formats-of-disabled-media', { timeout: 120_000 }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.start(60);
  });
  after(async () => {
    await pair?.stop();
  });

  const OFF = ['m=video 0 RTP/AVP 255'];
  const WORSE = [
    'm=application 0 x/y-z',
    'no attribute',
    'a=rtpmap:nonsense',
    'm=video 0 RTP/AVP 4294967296 x',
  ];

  for (const off of [OFF, WORSE])
    it(`a trunk's offer, re-INVITE and UPDATE, and a phone's answer: ${off[0]}`, async () => {
      await pair.explained(async () => {
        const { phone, carrier } = pair;
        const [sound, far] = [await pair.rtp(PHONE_HOST), await pair.rtp(CARRIER_HOST)];
        const answer = phone.answers(plainSdp(PHONE_HOST, sound.port, off));
        const { leg, sdp } = await carrier.calls('+13125550100', plainSdp(CARRIER_HOST, far.port, off));
        const { sdp: offer } = await answer;
        const places = (text: string): string[] => [...text.matchAll(/^m=(\S+ \d+)/gm)].map((m) => m[1]!);
        const wanted = off.filter((line) => line.startsWith('m=')).map((line) => /m=(\S+ 0)/.exec(line)![1]);
        assert.deepEqual(places(sdp).slice(1), wanted);
        sound.send(audioAt(offer), 440);
        far.send(audioAt(sdp), 800);
        await sound.hears(800);
        await far.hears(440);
        for (const method of ['INVITE', 'UPDATE'] as const) {
          const { status, sdp: again } = await carrier.offers(
            leg,
            plainSdp(CARRIER_HOST, far.port, off),
            method,
          );
          assert.equal(status, 200);
          assert.deepEqual(places(again ?? '').slice(1), wanted);
        }
        carrier.bye(leg);
        await phone.hearsBye();
        await carrier.gets('ended');
      });
    });

  it('what can only be refused is, before anybody rings', async () => {
    await pair.explained(async () => {
      const { phone, carrier } = pair;
      const offers = [
        plainSdp(CARRIER_HOST, 40_000).replace('RTP/AVP 0 101', 'RTP/AVP 255'),
        plainSdp(CARRIER_HOST, 40_000).replace('RTP/AVP 0 101', 'RTP/AVP 3'),
        plainSdp(CARRIER_HOST, 0),
        plainSdp(CARRIER_HOST, 40_000).replace('RTP/AVP', 'RTP/SAVP'),
        'v=0\r\nnonsense\r\n',
      ];
      for (const offer of offers) {
        carrier.invite('+13125550100', offer);
        const { status } = await carrier.gets('failed');
        assert.equal(status, 488, offer);
      }
      assert.deepEqual(
        phone.events.filter((event) => event.type === 'incoming'),
        [],
      );
    });
  });
});
