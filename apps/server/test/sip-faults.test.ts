import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  createFramer,
  createRequest,
  formatUri,
  headersNamed,
  type NameAddr,
  parseDigest,
  parseUri,
  type ResponseParts,
  type SipRequest,
  type SipResponse,
  type Uri,
  writeMessage,
} from '@sidetone/sip';
import { browserOffer, Client } from './drive/client.ts';
import { plainSdp } from './drive/phone.ts';
import { type Heard, RawPeer, reply } from './drive/raw-peer.ts';
import { freePorts, Product, run } from './drive/running.ts';

const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const skip = existsSync(DATA) ? false : '../shared/data (RFC 4475 and RFC 5118 messages) is not there';

const uri = (text: string): Uri => {
  const read = parseUri(text);
  assert.ok(read.ok);
  return read.value;
};
const address = (text: string, params: Record<string, string> = {}): NameAddr => ({ uri: uri(text), params });

const ACCOUNT = { user_name: 'trunkuser', password: 'trunk password' };
const asks = (realm: string, name: 'WWW' | 'Proxy' = 'Proxy'): ResponseParts => ({
  headers: [[`${name}-Authenticate`, `Digest realm="${realm}", nonce="0123456789"`]],
});
const credentials = ({ message }: Heard<SipRequest>): string[] =>
  ['Authorization', 'Proxy-Authorization'].flatMap((name) =>
    headersNamed(message, name).map((value) => `${name} ${parseDigest(value)?.['realm']}`),
  );

describe('what peers of SIP do to the product', { timeout: 240_000 }, () => {
  let product: Product;
  let carrier: RawPeer;
  let stream: RawPeer;
  let far: RawPeer;
  const open: Client[] = [];
  const peers: RawPeer[] = [];

  before(async () => {
    const ports = await freePorts(51_660);
    [carrier, stream, far] = [await RawPeer.udp(), await RawPeer.tcp(), await RawPeer.udp()];
    peers.push(carrier, stream, far);
    const trunk = { host: '127.0.0.1', codecs: ['PCMU'], ...ACCOUNT };
    product = await Product.start(
      {
        // A call ends with the connection of its client.
        limits: { reattach_seconds: 0 },
        connections: [{ user_name: 'line1', password: 'line1 password', numbers: ['+13125550100'] }],
        trunks: [
          { ...trunk, name: 'udp', port: carrier.port, prefixes: ['+1900'] },
          { ...trunk, name: 'tcp', port: stream.port, transport: 'tcp', prefixes: ['+1901'] },
          { ...trunk, name: 'edges', port: carrier.port, prefixes: ['+1902'] },
        ],
      },
      ports,
    );
  });

  after(async () => {
    for (const client of open) client.close();
    await Promise.all(peers.map((peer) => peer.close()));
    assert.equal(await product?.stop(), 0);
  });

  const client = async (): Promise<Client> => {
    const one = await Client.loggedIn(product.ports.http, 'line1');
    open.push(one);
    return one;
  };

  /** A call that the carrier has challenged and that the far end answers with this Contact. */
  async function answered(from: Client, to: string, at: RawPeer, contact: string, more: ResponseParts = {}) {
    const callId = await from.invite(to);
    const first = await at.gets('INVITE');
    assert.deepEqual(credentials(first), []);
    reply(first, 407, asks('carrier'));
    await at.gets('ACK');
    const second = await at.gets('INVITE');
    assert.deepEqual(credentials(second), ['Proxy-Authorization carrier']);
    const body = { contentType: 'application/sdp', body: plainSdp(40_000, '0 101') };
    reply(second, 200, { contact: [address(contact)], ...body, ...more });
    await from.says('telnyx_rtc.answer', callId);
    return { callId, invite: second };
  }

  for (const transport of ['udp', 'tcp'] as const)
    it(`carrier-password-answered-to-any-host: hold and hang-up by a Contact elsewhere, ${transport}`, async () => {
      const one = await client();
      const at = transport === 'udp' ? carrier : stream;
      const to = transport === 'udp' ? '+19005550000' : '+19015550000';
      const { callId } = await answered(one, to, at, `sip:x@127.0.0.1:${far.port}`);
      await far.gets('ACK');
      await one.inCall('modify', callId, { action: 'hold' });
      const hold = await far.gets('INVITE');
      assert.deepEqual(credentials(hold), []);
      reply(hold, 407, asks('carrier'));
      await far.gets('ACK');
      await one.inCall('bye', callId, { cause: 'NORMAL_CLEARING', causeCode: 16 });
      const bye = await far.gets('BYE');
      assert.deepEqual(credentials(bye), []);
      reply(bye, 407, asks('attacker'));
      // What comes behind them has none either: the next call is the next thing that is heard.
      const next = await one.invite(to);
      reply(await at.gets('INVITE'), 404);
      await one.says('telnyx_rtc.bye', next);
      assert.deepEqual(far.heard, []);
    });

  it('carrier-password-answered-to-any-host: the carrier is known after a handover, and nobody else', async () => {
    const one = await client();
    await answered(one, '+19005550000', carrier, `sip:gw@127.0.0.1:${carrier.port}`);
    await carrier.gets('ACK');
    const handed = await run('handover', '--data', product.dataDir);
    assert.equal(handed.code, 0, handed.stderr);
    // The client is gone with its socket, and its call with it.
    let bye = await carrier.gets('BYE');
    for (; credentials(bye).length === 0; bye = await carrier.gets('BYE')) reply(bye, 407, asks('carrier'));
    assert.deepEqual(credentials(bye), ['Proxy-Authorization carrier']);
    reply(bye, 200);
    const again = await client();
    for (const realm of ['attacker', 'carrier']) {
      const other = await again.invite('+19005550000');
      const invite = await carrier.gets('INVITE');
      reply(invite, 407, asks(realm));
      await carrier.gets('ACK');
      if (realm === 'carrier') reply(await carrier.gets('INVITE'), 404);
      await again.says('telnyx_rtc.bye', other);
    }
  });

  it('challenge-after-challenge: 401 of the edge, 407 of the core', async () => {
    const one = await client();
    const callId = await one.invite('+19025550000');
    reply(await carrier.gets('INVITE'), 401, asks('edge', 'WWW'));
    reply(await carrier.gets('INVITE'), 407, asks('core'));
    const last = await carrier.gets('INVITE');
    assert.deepEqual(credentials(last), ['Authorization edge', 'Proxy-Authorization core']);
    reply(last, 407, asks('core'));
    assert.equal((await one.says('telnyx_rtc.bye', callId))['sipCode'], 403);
  });

  it('strict-router: in the route set of the carrier, and before us', async () => {
    const one = await client();
    const strict = `sip:127.0.0.1:${carrier.port}`;
    const callId = await one.invite('+19005550000');
    reply(await carrier.gets('INVITE'), 407, asks('carrier'));
    const invite = await carrier.gets('INVITE');
    const ours = invite.message.headers.recordRoute[0]!;
    const routed = {
      ...invite,
      message: {
        ...invite.message,
        headers: { ...invite.message.headers, recordRoute: [address(strict), ours] },
      },
    };
    reply(routed, 200, {
      contact: [address('sip:gw@10.9.9.9')],
      contentType: 'application/sdp',
      body: plainSdp(40_000, '0 101'),
    });
    await one.says('telnyx_rtc.answer', callId);
    while (carrier.heard.some(({ message }) => message.kind === 'request' && message.method === 'ACK')) {
      const { message } = await carrier.gets('ACK');
      if (message.headers.route.length > 0) assert.equal(formatUri(message.uri), strict);
    }
    // The far end's strict router puts our Record-Route into the request URI, and loses what it does not know.
    const { lr: _, ...params } = ours.uri.params;
    const h = invite.message.headers;
    const voice = (h.contact as readonly NameAddr[])[0]!;
    const info = createRequest({
      method: 'INFO',
      uri: { ...ours.uri, params },
      from: { ...h.to, params: { tag: 'far' } },
      to: h.from,
      callId: h.callId,
      cseq: 1,
      route: [voice],
      via: [
        {
          transport: 'UDP',
          host: '127.0.0.1',
          port: far.port,
          params: { branch: 'z9hG4bK-info', rport: '' },
        },
      ],
    });
    far.say(writeMessage(info), product.ports.sip);
    assert.equal((await far.answer('z9hG4bK-info')).status, 200);
    await one.inCall('bye', callId, { cause: 'NORMAL_CLEARING', causeCode: 16 });
    const bye = await carrier.gets('BYE');
    assert.equal(formatUri(bye.message.uri), strict);
    assert.deepEqual(
      bye.message.headers.route.map((r) => formatUri(r.uri)),
      ['sip:gw@10.9.9.9'],
    );
    reply(bye, 200);
  });

  /** A call to the client from the carrier's port. */
  const called = (
    branch: string,
    parts: { body?: Uint8Array; contentType?: string; callId?: string } = {},
  ): SipRequest =>
    createRequest({
      method: 'INVITE',
      uri: uri(`sip:+13125550100@127.0.0.1:${product.ports.sip}`),
      from: address('sip:+13125559999@127.0.0.1', { tag: 'f' }),
      to: address(`sip:+13125550100@127.0.0.1:${product.ports.sip}`),
      callId: parts.callId ?? branch,
      cseq: 1,
      contact: [address(`sip:gw@127.0.0.1:${carrier.port}`)],
      contentType: parts.contentType ?? 'application/sdp',
      body: parts.body ?? plainSdp(40_000),
      via: [{ transport: 'UDP', host: '127.0.0.1', port: carrier.port, params: { branch, rport: '' } }],
    });

  it('one-call-by-two-roads-rings-twice: 482 for the second way, by UDP and by TCP', async () => {
    const one = await client();
    const callId = randomBytes(6).toString('hex');
    carrier.say(writeMessage(called('z9hG4bK-one', { callId })), product.ports.sip);
    const { callID } = await one.says('telnyx_rtc.invite');
    carrier.say(writeMessage(called('z9hG4bK-two', { callId })), product.ports.sip);
    assert.equal((await carrier.answer('z9hG4bK-two')).status, 482);
    const [over] = await overTcp(writeMessage(called('z9hG4bK-three', { callId })));
    assert.equal(over?.status, 482);
    await one.inCall('bye', callID, { cause: 'USER_BUSY', causeCode: 17, sipCode: 486 });
    assert.equal((await carrier.answer('z9hG4bK-one', 200)).status, 486);
    assert.equal(
      one.frames.some((frame) => frame.method === 'telnyx_rtc.invite'),
      false,
    );
  });

  it('multipart-bodies: a call with ISUP is set up by its SDP; what must be known gets 415', async () => {
    const one = await client();
    const body = (handling: string) =>
      Buffer.from(
        [
          '--uniq-delim',
          'Content-Type: application/isup;version=itu-t92+;base=itu-t92+',
          `Content-Disposition: signal;handling=${handling}`,
          '',
          '\x01\0\r\n\r\n\x80--',
          '--uniq-delim',
          'Content-Type: application/sdp',
          'Content-Disposition: session;handling=required',
          '',
          plainSdp(40_000),
          '--uniq-delim--',
          '',
        ].join('\r\n'),
        'latin1',
      );
    const contentType = 'multipart/mixed;boundary=uniq-delim';
    carrier.say(
      writeMessage(called('z9hG4bK-unknown', { body: body('required'), contentType })),
      product.ports.sip,
    );
    assert.equal((await carrier.answer('z9hG4bK-unknown')).status, 415);
    carrier.say(
      writeMessage(called('z9hG4bK-isup', { body: body('optional'), contentType })),
      product.ports.sip,
    );
    const { callID } = await one.says('telnyx_rtc.invite');
    await one.request('telnyx_rtc.answer', {
      sessid: one.sessid,
      sdp: browserOffer({ setup: 'active' }),
      dialogParams: { callID },
    });
    const ok = await carrier.answer('z9hG4bK-isup', 200);
    assert.equal(ok.status, 200);
    assert.match(Buffer.from(ok.body).toString(), /^m=audio \d+ RTP\/AVP/m);
    const { contact, from, to, callId, recordRoute } = ok.headers;
    const ack = createRequest({
      method: 'ACK',
      uri: (contact as readonly NameAddr[])[0]!.uri,
      from,
      to,
      callId,
      cseq: 1,
      route: [...recordRoute].reverse(),
      via: [
        {
          transport: 'UDP',
          host: '127.0.0.1',
          port: carrier.port,
          params: { branch: 'z9hG4bK-ack', rport: '' },
        },
      ],
    });
    carrier.say(writeMessage(ack), product.ports.sip);
    await one.inCall('bye', callID, { cause: 'NORMAL_CLEARING', causeCode: 16 });
    reply(await carrier.gets('BYE'), 200);
  });

  /** What comes back on a connection of its own until the server closes it: we say no more. */
  async function overTcp(bytes: Uint8Array): Promise<SipResponse[]> {
    const socket = connect({ host: '127.0.0.1', port: product.ports.sip, allowHalfOpen: true });
    const framer = createFramer();
    const seen: SipResponse[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      for (const event of framer.push(new Uint8Array(data)))
        if (event.type === 'message' && event.message.kind === 'response') seen.push(event.message);
    });
    socket.end(bytes);
    await once(socket, 'close');
    return seen.filter(({ status }) => status > 100);
  }

  const ping = (branch: string, more: string): Buffer =>
    Buffer.from(
      `OPTIONS sip:127.0.0.1:${product.ports.sip} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${far.port};branch=${branch};rport\r\n` +
        `From: <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: ${branch}\r\nCSeq: 1 OPTIONS\r\n${more}\r\n`,
    );

  it('options-with-max-forwards-0: a ping of ours, whoever asks', async () => {
    for (const peer of [carrier, far]) {
      const branch = `z9hG4bK-ping-${peer.port}`;
      peer.say(ping(branch, 'Max-Forwards: 0\r\nContent-Length: 0\r\n'), product.ports.sip);
      assert.equal((await peer.answer(branch)).status, 200);
    }
    const [answer] = await overTcp(ping('z9hG4bK-ping-tcp', 'Max-Forwards: 0\r\nContent-Length: 0\r\n'));
    assert.equal(answer?.status, 200);
  });

  /** What is well-formed gets an answer for what it asks. `null`: responses. */
  const OUTCOMES: Readonly<Record<string, number | null>> = {
    badinv01: 400,
    clerr: 400,
    ncl: 400,
    scalar02: 400,
    quotbal: 400,
    ltgtruri: 400,
    lwsruri: 400,
    lwsstart: 400,
    trws: 400,
    escruri: 400,
    regbadct: 400,
    badaspec: 400,
    baddn: 400,
    badvers: 505,
    mismatch01: 400,
    mismatch02: 400,
    insuf: 400,
    unkscm: 416,
    novelsc: 416,
    bext01: 420,
    multi01: 400,
    mcl01: 400,
    zeromf: 483,
    unreason: null,
    noreason: null,
    scalarlg: null,
    bigcode: null,
    bcast: null,
    'ipv6-bad': 400,
    'ipv6-bug-abnf-3-colons': 400,
  };
  const OTHERS = [
    ...[
      'wsinv',
      'intmeth',
      'esc01',
      'escnull',
      'esc02',
      'lwsdisp',
      'longreq',
      'dblreq',
      'semiuri',
      'transports',
    ],
    ...['mpart01', 'baddate', 'badbranch', 'unksm2', 'invut', 'regaut01', 'cparam01', 'cparam02', 'regescrt'],
    ...['sdp01', 'inv2543'],
    ...['ipv6-good', 'port-ambiguous', 'port-unambiguous', 'via-received-param-no-delim', 'ipv6-in-sdp'],
    ...['via-received-param-with-delim', 'mult-ip-in-header', 'mult-ip-in-sdp', 'ipv4-mapped-ipv6'],
    'ipv6-correct-abnf-2-colons',
  ];
  const NAMES = [...Object.keys(OUTCOMES), ...OTHERS];

  const bytesOf = (name: string): Buffer => {
    const old = `${DATA}rfc4475/${name}.dat`;
    return readFileSync(existsSync(old) ? old : `${DATA}rfc5118/${name}`);
  };
  const right = (name: string, status: number | null): void => {
    if (name in OUTCOMES) assert.equal(status, OUTCOMES[name], name);
    else assert.ok(status !== null && status !== 400, `${name}: ${status}`);
  };

  it('silence-for-broken-requests: the 61 torture messages by UDP', { skip }, async () => {
    assert.equal(NAMES.length, 61);
    for (const name of NAMES) {
      const peer = await RawPeer.udp();
      peers.push(peer);
      // The answer comes to this port, wherever the Via leads.
      const text = bytesOf(name).toString('latin1');
      const asking = text.replace(/^((?:Via|v)\s*:[^;\r]*(?:\r\n[ \t][^;\r]*)*)/im, '$1;rport');
      peer.say(Buffer.from(asking, 'latin1'), product.ports.sip);
      const branch = `z9hG4bK-behind-${name}`;
      peer.say(ping(branch, 'Max-Forwards: 0\r\nContent-Length: 0\r\n'), product.ports.sip);
      await peer.answer(branch);
      const [first] = peer.heard;
      right(name, first?.message.kind === 'response' ? first.message.status : null);
    }
  });

  it('silence-for-broken-requests: the 61 torture messages by TCP', { skip }, async () => {
    for (const name of NAMES) {
      // Another transaction than by UDP.
      const text = bytesOf(name)
        .toString('latin1')
        .replace(/z9hG4bK(?=[^\r])/g, 'z9hG4bKt');
      const [first] = await overTcp(Buffer.from(text, 'latin1'));
      // It has no Content-Length, which a stream cannot do without.
      if (name === 'inv2543') assert.equal(first?.status, 400);
      else right(name, first?.status ?? null);
    }
    const [whole] = await overTcp(Buffer.concat([bytesOf('baddn'), Buffer.from('\r\n')]));
    assert.equal(whole?.status, 400);
  });
});
