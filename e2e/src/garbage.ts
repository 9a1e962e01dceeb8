import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { seededRandom } from '@sidetone/core';
import { encodeG711 } from './g711.ts';
import { sine } from './tone.ts';

/** What nobody should send, made from a seed so that a failure can be had again. */

const HEAD = 'Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKbad\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:z@y>\r\n';

export const SIP_GARBAGE: readonly string[] = [
  '',
  '\r\n\r\n',
  'INVITE\r\n\r\n',
  'INVITE sip:a@b SIP/3.0\r\n\r\n',
  'INVITE sip:+13125550100@127.0.0.1 SIP/2.0\r\n\r\n',
  `INVITE sip:+13125550100@127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: bad1\r\nCSeq: 1 INVITE\r\nContent-Length: -5\r\n\r\n`,
  `INVITE sip:+13125550100@127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: bad2\r\nCSeq: 99999999999 INVITE\r\n\r\n`,
  `INVITE sip:+13125550100@127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: bad3\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\n\r\n`,
  `INVITE sip:+13125550100@127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: bad4\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv=0\r\nm=au`,
  `INVITE sip:${'a'.repeat(20_000)}@b SIP/2.0\r\n${HEAD}Call-ID: bad5\r\nCSeq: 1 INVITE\r\n\r\n`,
  `OPTIONS sip:x SIP/2.0\r\n${'X: y\r\n'.repeat(3_000)}\r\n`,
  `BYE sip:x@127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: none-such\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\n\r\n`,
  `CANCEL sip:x@127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: none-such\r\nCSeq: 1 CANCEL\r\nMax-Forwards: 70\r\n\r\n`,
  `ACK sip:x@127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: none-such\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\n\r\n`,
  `REGISTER sip:127.0.0.1 SIP/2.0\r\n${HEAD}Call-ID: reg\r\nCSeq: 1 REGISTER\r\nContact: *\r\nExpires: 0\r\nMax-Forwards: 70\r\n\r\n`,
  `SIP/2.0 200 OK\r\n${HEAD}Call-ID: stray\r\nCSeq: 1 INVITE\r\n\r\n`,
  `SIP/2.0 999 Strange\r\n${HEAD}Call-ID: stray\r\nCSeq: 1 INVITE\r\n\r\n`,
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
];

export const JSON_GARBAGE: readonly string[] = [
  '',
  'not json',
  '{',
  'null',
  '[]',
  '42',
  '"text"',
  '{}',
  '{"jsonrpc":"2.0"}',
  '{"jsonrpc":"2.0","id":{},"method":"login"}',
  '{"jsonrpc":"2.0","id":"g1","method":42}',
  '{"jsonrpc":"2.0","id":"g2","method":"login","params":null}',
  '{"jsonrpc":"2.0","id":"g3","method":"login","params":[]}',
  '{"jsonrpc":"2.0","id":"g4","method":"telnyx_rtc.invite","params":{"sdp":1}}',
  '{"jsonrpc":"2.0","id":"g5","method":"telnyx_rtc.bye","params":{"dialogParams":{"callID":"../../etc"}}}',
  '{"jsonrpc":"2.0","id":"g6","method":"telnyx_rtc.modify","params":{"__proto__":{"x":1},"action":"hold"}}',
  '{"jsonrpc":"2.0","id":"g7","method":"no.such.method","params":{}}',
  `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
  '#SPU 100',
  '#SPB ....',
  '#SPE',
];

/** Random bytes of several sizes, and the same with a first byte that looks like STUN, DTLS, RTP or RTCP. */
export function mediaGarbage(seed: number, count: number): readonly Uint8Array[] {
  const random = seededRandom(seed);
  const firsts = [0, 1, 20, 22, 23, 63, 64, 128, 129, 144, 191, 200, 255];
  return Array.from({ length: count }, (_, i) => {
    const packet = random.bytes(1 + random.int(i % 5 === 0 ? 1_400 : 120));
    packet[0] = firsts[i % firsts.length]!;
    return packet;
  });
}

/** STUN binding requests with right framing and a wrong integrity, for any user name (RFC 8489 §5). */
export function forgedBinding(seed: number, userName: string): Uint8Array {
  const random = seededRandom(seed);
  const name = Buffer.from(userName);
  const padded = (name.length + 3) & ~3;
  const packet = Buffer.alloc(20 + 4 + padded + 24);
  packet.writeUInt16BE(0x0001, 0);
  packet.writeUInt16BE(packet.length - 20, 2);
  packet.writeUInt32BE(0x2112a442, 4);
  packet.set(random.bytes(12), 8);
  packet.writeUInt16BE(0x0006, 20);
  packet.writeUInt16BE(name.length, 22);
  name.copy(packet, 24);
  packet.writeUInt16BE(0x0008, 24 + padded);
  packet.writeUInt16BE(20, 26 + padded);
  packet.set(random.bytes(20), 28 + padded);
  return packet;
}

/** A DTLS ClientHello that ends too early, with a length that says more (RFC 6347 §4.1). */
export function brokenHello(seed: number): Uint8Array {
  const body = seededRandom(seed).bytes(60);
  return Buffer.concat([Buffer.from([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 244]), body]);
}

/** Well-formed RTP with a loud tone of its own, as an intruder would send it. */
export function forgedRtp(payloadType: number, hz: number, count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = payloadType;
    head.writeUInt16BE((5_000 + i) & 0xffff, 2);
    head.writeUInt32BE(90_000 + i * 160, 4);
    head.writeUInt32BE(0xbad0beef, 8);
    return Buffer.concat([head, encodeG711('PCMU', sine(hz, 8_000, 160, 0.9, i * 160))]);
  });
}

/** Sends datagrams from one foreign socket, with a breath between batches so that none is lost in the kernel. */
export async function fling(
  packets: readonly (Uint8Array | string)[],
  port: number,
  host: string,
): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  let sent = 0;
  for (const packet of packets) {
    await new Promise<void>((resolve) => socket.send(packet, port, host, () => resolve()));
    if (++sent % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.close();
}

/** Writes text to a TCP port and waits until the other side hangs up, or a while. */
export async function pour(text: string, port: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    const timer = setTimeout(() => socket.destroy(), 2_000);
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
