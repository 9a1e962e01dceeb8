import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { after, before, describe, it } from 'node:test';
import { freePort, freeRange } from './src/ports.ts';
import { descendants, processLine } from './src/processes.ts';
import { type PeerFormat, RtpPeer } from './src/rtp-peer.ts';
import { NUMBER, PASSWORD, sidetone, TestServer } from './src/server.ts';
import { audioAt, plainSdp, SipPeer } from './src/sip-peer.ts';
import { until } from './src/wait.ts';

const PCMU: PeerFormat = { codec: 'PCMU', payloadType: 0, eventPayloadType: 101 };
/** The NAT's public side, and the address that the phone knows itself by. */
const NAT = '127.0.0.5';
const PRIVATE = '192.168.1.50';
const STRANGER = '127.0.0.66';
const DIALLED = '+15550001111';

/** The note's phone: known by a private address, reached and heard by that of its NAT. The carrier says 440 Hz, the phone 800 Hz. */
describe('phone-behind-nat-has-no-audio', { timeout: 240_000 }, () => {
  let server: TestServer;
  let phone: SipPeer;
  let carrier: SipPeer;
  const open: { close(): void }[] = [];

  before(async () => {
    const port = await freePort();
    server = await TestServer.start({
      trunks: [{ name: 'carrier', port, prefixes: ['+1555'], codecs: ['PCMU'] }],
      config: { media: { address: '127.0.0.1', ports: await freeRange(60) } },
    });
    const sip = server.sipPort;
    carrier = await SipPeer.open({ server: sip, host: '127.0.0.1', port });
    const user = { name: 'line1', password: PASSWORD.line1 };
    phone = await SipPeer.open({ server: sip, host: NAT, says: PRIVATE, user });
  });
  after(async () => {
    for (const one of [phone, carrier, ...open]) one?.close();
    // One process died: of our signal.
    const uncaught = server?.uncaught.filter((text) => !text.includes('SIGKILL'));
    await server?.kill();
    assert.deepEqual(uncaught, []);
  });

  async function rtp(host: string): Promise<RtpPeer> {
    const peer = await RtpPeer.open(PCMU, host);
    open.push(peer);
    return peer;
  }

  interface Call {
    readonly leg: string;
    readonly far: string;
    readonly sound: RtpPeer;
    readonly other: RtpPeer;
    /** Where the server's media for the phone is. */
    readonly at: { readonly host: string; readonly port: number };
  }

  /** The phone calls the carrier; neither has sent anything yet. `says`: the port that it describes. */
  async function calling(says?: number): Promise<Call> {
    const [sound, other] = [await rtp(NAT), await rtp('127.0.0.1')];
    const answer = carrier.answers(plainSdp('127.0.0.1', other.port));
    const { leg, sdp } = await phone.calls(DIALLED, plainSdp(PRIVATE, says ?? sound.port));
    const { leg: far, sdp: offer } = await answer;
    other.send(audioAt(offer), 440);
    return { leg, far, sound, other, at: audioAt(sdp) };
  }

  async function bothHear({ sound, other }: Pick<Call, 'sound' | 'other'>): Promise<void> {
    await sound.hears(440);
    await other.hears(800);
  }

  async function over({ leg }: Call): Promise<void> {
    phone.bye(leg);
    await carrier.hearsBye();
    await phone.gets('ended');
  }

  const explained = (step: () => Promise<void>) => async (): Promise<void> => {
    try {
      await step();
    } catch (error) {
      if (error instanceof Error) error.message = `${error.message}\n${server.log}`;
      throw error;
    }
  };

  it(
    'it calls: heard from the port it described and from another one, and no stranger is',
    explained(async () => {
      for (const says of [undefined, 41_414]) {
        const call = await calling(says);
        const stranger = await rtp(STRANGER);
        stranger.send(call.at, 1_300);
        await until('the stranger to have sent', () => stranger.sent > 30);
        assert.equal(call.other.tone().hz > 1_200 && call.other.tone().level > 0.02, false);
        call.sound.send(call.at, 800);
        await bothHear(call);
        assert.equal(stranger.packets, 0);
        await over(call);
      }
    }),
  );

  it(
    'it is called',
    explained(async () => {
      const [sound, other] = [await rtp(NAT), await rtp('127.0.0.1')];
      const answer = phone.answers(plainSdp(PRIVATE, 41_414));
      const { leg, sdp } = await carrier.calls(NUMBER.line1, plainSdp('127.0.0.1', other.port));
      sound.send(audioAt((await answer).sdp), 800);
      other.send(audioAt(sdp), 440);
      await bothHear({ sound, other });
      carrier.bye(leg);
      await phone.hearsBye();
      await carrier.gets('ended');
    }),
  );

  for (const method of ['INVITE', 'UPDATE'] as const)
    it(
      `after ${method === 'INVITE' ? 'a re-INVITE' : 'an UPDATE'} from another port, and when its NAT forgot the port`,
      explained(async () => {
        const call = await calling();
        call.sound.send(call.at, 800);
        await bothHear(call);
        call.sound.close();
        const moved = await rtp(NAT);
        const { status, sdp } = await phone.offers(call.leg, plainSdp(PRIVATE, 41_500), method);
        assert.equal(status, 200);
        moved.send(audioAt(sdp ?? ''), 800);
        call.other.forget();
        await bothHear({ sound: moved, other: call.other });
        moved.close();
        const forgotten = await rtp(NAT);
        forgotten.send(call.at, 800);
        call.other.forget();
        await bothHear({ sound: forgotten, other: call.other });
        await over(call);
      }),
    );

  for (const how of ['kill -9', 'handover'] as const)
    it(
      `goes on after a ${how} of signalling, and is found again at another port`,
      explained(async () => {
        const call = await calling();
        call.sound.send(call.at, 800);
        await bothHear(call);
        const restored = (): number => server.fullLog.split('calls restored').length;
        const before = restored();
        if (how === 'handover') {
          const { code, stderr } = await sidetone('handover', '--data', server.dataDir);
          assert.equal(code, 0, stderr);
        } else {
          const isSignalling = ({ pid }: { readonly pid: number }): boolean =>
            processLine(pid).includes('signalling-process');
          process.kill(descendants(server.pid).find(isSignalling)!.pid, 'SIGKILL');
        }
        await until('the calls to be restored', () => restored() > before);
        call.sound.close();
        const moved = await rtp(NAT);
        const { status, sdp } = await phone.offers(call.leg, plainSdp(PRIVATE, 41_600));
        assert.equal(status, 200);
        moved.send(audioAt(sdp ?? ''), 800);
        call.other.forget();
        await bothHear({ sound: moved, other: call.other });
        await over(call);
      }),
    );

  for (const mux of [false, true])
    it(
      `RTCP comes from and goes to its NAT, ${mux ? 'with' : 'without'} rtcp-mux`,
      explained(async () => {
        const sound = await rtp(NAT);
        const other = await rtp('127.0.0.1');
        const answer = carrier.answers(plainSdp('127.0.0.1', other.port));
        const { leg, sdp } = await phone.calls(DIALLED, plainSdp(PRIVATE, 41_414, mux ? ['a=rtcp-mux'] : []));
        const { sdp: offer } = await answer;
        other.send(audioAt(offer), 440);
        const at = audioAt(sdp);
        const control: Socket = createSocket('udp4');
        open.push(control);
        await new Promise<void>((bound) => control.bind(0, NAT, bound));
        let reports = 0;
        control.on('message', (packet) => (reports += packet[1]! >= 192 && packet[1]! <= 223 ? 1 : 0));
        // A receiver report of a phone that has not said a word.
        const report = Buffer.from([0x80, 201, 0, 1, 0x5e, 0x1f, 0x7f, 0xff]);
        const timer = setInterval(() => control.send(report, at.port + (mux ? 0 : 1), at.host), 200);
        await until('a report of the server', () => reports > 0);
        clearInterval(timer);
        sound.send(at, 800);
        await bothHear({ sound, other });
        phone.bye(leg);
        await carrier.hearsBye();
        await phone.gets('ended');
      }),
    );
});
