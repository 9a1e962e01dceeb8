import { createSocket } from 'node:dgram';
import { WebSocket } from 'ws';
import { conditions, percentile } from './conditions.ts';
import { startSidetone } from './product.ts';

/**
 * What the product itself adds to signalling: from a client's invite frame to the INVITE at the carrier, and from the carrier's
 * 180 to the ringing frame at the client. A bare UDP socket plays the carrier, so that nothing but our own time is in the figures.
 */
const CALLS = 200;
const PER_SECOND = 20;
/** Calls before the measured ones, so that the figures are those of a server that has run for a while. */
const WARM_UP = 200;

export async function run(print: (line: string) => void): Promise<void> {
  const carrier = createSocket('udp4');
  await new Promise<void>((bound) => carrier.bind(0, '127.0.0.1', bound));
  const product = await startSidetone({
    trunks: [{ name: 'carrier', host: '127.0.0.1', port: carrier.address().port, prefixes: ['+'] }],
  });
  try {
    const sentInvite = new Map<string, number>();
    const sentRinging = new Map<string, number>();
    const inviteOut: number[] = [];
    const ringingOut: number[] = [];

    carrier.on('message', (bytes, source) => {
      const text = bytes.toString('latin1');
      const mark = /\r\nX-Mark: ([^\r\n]+)/i.exec(text)?.[1];
      const reply = (status: string, body = ''): void => {
        carrier.send(respond(text, status, body), source.port, source.address);
      };
      if (text.startsWith('INVITE ') && mark !== undefined && sentInvite.has(mark)) {
        inviteOut.push(performance.now() - sentInvite.get(mark)!);
        sentInvite.delete(mark);
        sentRinging.set(mark, performance.now());
        reply('180 Ringing');
      } else if (text.startsWith('CANCEL ')) {
        reply('200 OK');
        carrier.send(
          respond(text.replace(/(cseq\s*:\s*\d+) CANCEL/i, '$1 INVITE'), '487 Request Terminated', ''),
          source.port,
          source.address,
        );
      }
    });

    const socket = new WebSocket(product.url.replace('http', 'ws'));
    const waiting = new Map<string, (result: unknown) => void>();
    const marks = new Map<string, string>();
    let requests = 0;
    const request = (method: string, params: object): Promise<unknown> => {
      const id = `bench-${++requests}`;
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      return new Promise((resolve) => waiting.set(id, resolve));
    };
    let ready = (): void => {};
    const isReady = new Promise<void>((resolve) => (ready = resolve));
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as {
        id: string | number;
        method?: string;
        params?: { callID?: string };
        result?: unknown;
      };
      if (frame.method === undefined) {
        waiting.get(String(frame.id))?.(frame.result);
        waiting.delete(String(frame.id));
        return;
      }
      const mark = marks.get(frame.params?.callID ?? '');
      if (frame.method === 'telnyx_rtc.ringing' && mark !== undefined && sentRinging.has(mark)) {
        ringingOut.push(performance.now() - sentRinging.get(mark)!);
        sentRinging.delete(mark);
      }
      if (frame.method === 'telnyx_rtc.clientReady') void request('telnyx_rtc.gatewayState', {}).then(ready);
    });
    await new Promise((open) => socket.once('open', open));
    void request('login', { login: 'line1', passwd: 'bench-password-1' });
    await isReady;

    for (let i = -WARM_UP; i < CALLS; i++) {
      const callID = crypto.randomUUID();
      const mark = `m${i}`;
      marks.set(callID, mark);
      sentInvite.set(mark, performance.now());
      const dialogParams = {
        callID,
        destination_number: `+1800555${String(i + WARM_UP).padStart(4, '0')}`,
        custom_headers: [{ name: 'X-Mark', value: mark }],
      };
      void request('telnyx_rtc.invite', { sdp: offer(i + WARM_UP), dialogParams });
      setTimeout(
        () => void request('telnyx_rtc.bye', { cause: 'USER_BUSY', causeCode: 17, dialogParams: { callID } }),
        400,
      );
      await new Promise((next) => setTimeout(next, 1000 / PER_SECOND));
      if (i === -1) {
        inviteOut.length = 0;
        ringingOut.length = 0;
      }
    }
    await new Promise((rest) => setTimeout(rest, 1000));
    socket.terminate();
    const line = (name: string, samples: number[]): string =>
      `${name}: p50 ${percentile(samples, 0.5).toFixed(2)} ms, p95 ${percentile(samples, 0.95).toFixed(2)} ms, max ${Math.max(...samples).toFixed(2)} ms (${samples.length} of ${CALLS} calls)`;
    print(
      `${PER_SECOND} calls/s after ${WARM_UP} calls to warm up, loopback, media leg opened before the INVITE leaves; goal p95 ≤ 5 ms`,
    );
    print(line('invite frame → INVITE at the carrier', inviteOut));
    print(line('180 from the carrier → ringing frame', ringingOut));
  } finally {
    await product.stop();
    carrier.close();
  }
}

function respond(request: string, status: string, body: string): string {
  const keep = request
    .split('\r\n')
    .filter((line) => /^(via|from|call-id|cseq|record-route)\s*:/i.test(line));
  const to = /\r\n(to\s*:[^\r\n]+)/i.exec(request)?.[1] ?? '';
  return [
    `SIP/2.0 ${status}`,
    ...keep,
    /;tag=/i.test(to) ? to : `${to};tag=bench`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** What a browser offers, with a port where nobody listens: these calls ring and are cancelled. */
function offer(i: number): string {
  const rows = [
    'v=0',
    `o=- ${1000 + i} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    `a=ice-ufrag:u${String(i).padStart(4, '0')}`,
    'a=ice-pwd:0123456789abcdefghijklmn',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => '0A').join(':')}`,
    'a=setup:actpass',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:110 telephone-event/48000',
    'a=rtpmap:126 telephone-event/8000',
  ];
  return `${rows.join('\r\n')}\r\n`;
}

if (import.meta.main) {
  console.log(`conditions: ${conditions()}`);
  await run((line) => console.log(line));
}
