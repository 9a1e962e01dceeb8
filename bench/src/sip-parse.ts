import { createRequire } from 'node:module';
import { arch, cpus } from 'node:os';
import { parseMessage, type SipMessage, writeMessage } from '@sidetone/sip';

/** The part of npm `sip` that is measured. */
interface Peer {
  parse(text: string): PeerMessage | undefined;
  stringify(message: PeerMessage): string;
  parseUri(text: string): unknown;
}
interface PeerMessage {
  uri: string;
  headers: Record<string, unknown> & {
    from: { uri: string };
    to: { uri: string };
    contact: { uri: string }[];
  };
}

const SDP = [
  'v=0',
  'o=- 3723432 3723433 IN IP4 203.0.113.7',
  's=sidetone',
  'c=IN IP4 203.0.113.7',
  't=0 0',
  'a=ice-lite',
  'm=audio 20404 UDP/TLS/RTP/SAVPF 111 0 8 110 126',
  'a=ice-ufrag:p9Qx',
  'a=ice-pwd:Y1rq0dWc3mXv7TtKz5LbNs2e',
  'a=fingerprint:sha-256 6B:8D:31:42:9E:7C:05:F1:A2:B3:C4:D5:E6:F7:08:19:2A:3B:4C:5D:6E:7F:80:91:A2:B3:C4:D5:E6:F7:08:19',
  'a=setup:passive',
  'a=candidate:1 1 udp 2130706431 203.0.113.7 20404 typ host',
  'a=end-of-candidates',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1;stereo=0;maxaveragebitrate=32000',
  'a=rtpmap:110 telephone-event/48000',
  'a=rtpmap:126 telephone-event/8000',
  'a=ptime:20',
  'a=sendrecv',
];

const HEAD = [
  'INVITE sip:+13125550100@203.0.113.40:5060;transport=udp SIP/2.0',
  'Via: SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bK5f1a9cbe2f0d7a31;rport',
  'Via: SIP/2.0/UDP 198.51.100.9:5062;branch=z9hG4bK77ab01c2d3e4f506;received=198.51.100.9;rport=5062',
  'Record-Route: <sip:203.0.113.20:5060;lr>',
  'Record-Route: <sip:198.51.100.9:5062;lr;transport=udp>',
  'Max-Forwards: 68',
  'From: "Alice Example" <sip:+13125550199@sip.example.com>;tag=9f3c1d7e5b2a4860',
  'To: <sip:+13125550100@sip.example.com>',
  'Call-ID: 6f1d2c3b-4a59-4867-9756-8e4d3c2b1a09',
  'CSeq: 1 INVITE',
  'Contact: <sip:v-1f2e3d4c5b6a7988@203.0.113.20:5060>',
  'Allow: INVITE, ACK, BYE, CANCEL, INFO, OPTIONS, UPDATE',
  'User-Agent: sidetone/0.1.0 (voice)',
  'P-Asserted-Identity: <sip:+13125550199@sip.example.com>',
  'X-Account: 2f6d1f0e-demo',
  'X-Campaign: autumn, returning customers; segment=b2b-voice-emea2; experiment=greeting-short; region=north-e',
  'Content-Type: application/sdp',
];

/** The INVITE of both sides: 2 Via, 2 Record-Route, 2 custom headers, a 20-line session description. */
function invite(): Buffer {
  const sdp = `${SDP.join('\r\n')}\r\n`;
  return Buffer.from(`${HEAD.join('\r\n')}\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`);
}

/** Calls per second of `work` in a window of about `ms`. */
function rate(work: () => void, ms: number): number {
  const start = process.hrtime.bigint();
  const end = start + BigInt(ms * 1_000_000);
  let count = 0;
  let now = start;
  while (now < end) {
    for (let i = 0; i < 500; i++) work();
    count += 500;
    now = process.hrtime.bigint();
  }
  return (count * 1e9) / Number(now - start);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const k = (n: number): string => `${Math.round(n / 1000)}k/s`;

/** Alternates windows of two pieces of work and prints rates and their ratio. */
function compare(name: string, ours: () => void, theirs: () => void, print: (line: string) => void): void {
  for (let i = 0; i < 2; i++) {
    rate(ours, 200);
    rate(theirs, 200);
  }
  const a: number[] = [];
  const b: number[] = [];
  for (let i = 0; i < 9; i++) {
    a.push(rate(ours, 150));
    b.push(rate(theirs, 150));
  }
  const ratios = a.map((value, i) => value / b[i]!);
  const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
  print(
    `${name}: ours ${k(median(a))}, npm sip ${k(median(b))}, ratio ${median(ratios).toFixed(2)} (${range})`,
  );
}

/** Measures reading and writing one INVITE against npm `sip` in one process, in alternating windows. */
export async function run(print: (line: string) => void): Promise<void> {
  const peer = createRequire(import.meta.url)('sip') as Peer;
  const bytes = invite();
  const text = bytes.toString('utf8');
  let sink = 0;

  const parsed = parseMessage(bytes);
  const theirs = peer.parse(text);
  if (!parsed.ok || theirs === undefined) throw new Error('the INVITE of the benchmark does not parse');
  const message: SipMessage = parsed.value;

  print(
    `SIP, one INVITE of ${bytes.length} bytes; ${process.version}, ${arch()}, ${cpus()[0]?.model ?? '?'}`,
  );
  print('9 alternating windows of 150 ms each, medians; bytes in, structured headers out');
  compare(
    'parse',
    () => {
      const result = parseMessage(bytes);
      if (result.ok) sink += result.value.headers.via.length;
    },
    () => {
      const m = peer.parse(bytes.toString('utf8'));
      if (m !== undefined) sink += m.uri.length;
    },
    print,
  );
  compare(
    'parse, with the URIs of request, From, To and Contact parsed by the peer too (ours always are)',
    () => {
      const result = parseMessage(bytes);
      if (result.ok) sink += result.value.headers.via.length;
    },
    () => {
      const m = peer.parse(bytes.toString('utf8'));
      if (m === undefined) return;
      for (const uri of [m.uri, m.headers.from.uri, m.headers.to.uri, m.headers.contact[0]!.uri])
        if (peer.parseUri(uri) !== undefined) sink += 1;
    },
    print,
  );
  compare(
    'write',
    () => {
      sink += writeMessage(message).length;
    },
    () => {
      sink += Buffer.from(peer.stringify(theirs)).length;
    },
    print,
  );
  if (sink === 0) throw new Error('nothing was measured');
}

if (import.meta.main) await run(console.log);
