import { chromium } from 'playwright-core';
import { conditions, percentile } from './conditions.ts';
import { startSidetone } from './product.ts';

/**
 * From a browser's offer to DTLS connected, through the whole product: the page speaks the dialect by hand, calls the echo
 * number, and reads its own clock. Host candidates only, so that nothing waits for a STUN server.
 */
const CALLS = 24;
/** Calls before the measured ones. */
const WARM_UP = 12;
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

interface Sample {
  readonly answer: number;
  readonly ice: number;
  readonly connected: number;
}

export async function run(print: (line: string) => void): Promise<void> {
  const product = await startSidetone({});
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--disable-background-networking',
    ],
  });
  try {
    const page = await (await browser.newContext({ permissions: ['microphone'] })).newPage();
    await page.goto(`${product.url}/healthz`);
    const all = (await page.evaluate(
      pageScript(product.url.replace('http', 'ws'), WARM_UP + CALLS),
    )) as Sample[];
    const samples = all.slice(WARM_UP);
    const line = (name: string, values: number[]): string =>
      `${name}: p50 ${percentile(values, 0.5).toFixed(1)} ms, p95 ${percentile(values, 0.95).toFixed(1)} ms (${values.length} calls)`;
    print(
      `from the gathered offer leaving the page, Chromium, loopback, one call after another, ${WARM_UP} before to warm up; goal connected ≤ 20 ms`,
    );
    print(
      line(
        'answer in the page',
        samples.map((s) => s.answer),
      ),
    );
    print(
      line(
        'ICE connected',
        samples.map((s) => s.ice),
      ),
    );
    print(
      line(
        'DTLS connected',
        samples.map((s) => s.connected),
      ),
    );
  } finally {
    await browser.close();
    await product.stop();
  }
}

/** Runs in the page: logs in, and for each call offers, waits for the answer and for `connected`. */
const pageScript = (url: string, calls: number): string => `(async () => {
  const socket = new WebSocket(${JSON.stringify(url)});
  await new Promise((open) => (socket.onopen = open));
  const waiting = new Map();
  const answers = new Map();
  let requests = 0;
  const send = (method, params) => new Promise((done) => {
    const id = 'setup-' + ++requests;
    waiting.set(id, done);
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  });
  let ready;
  const isReady = new Promise((r) => (ready = r));
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.method === undefined) { waiting.get(frame.id)?.(frame); waiting.delete(frame.id); return; }
    if (frame.method === 'telnyx_rtc.clientReady') send('telnyx_rtc.gatewayState', {}).then(ready);
    if (frame.params?.sdp) answers.get(frame.params.callID)?.(frame.params.sdp);
  };
  send('login', { login: 'line1', passwd: 'bench-password-1' });
  await isReady;
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const samples = [];
  for (let i = 0; i < ${calls}; i++) {
    const pc = new RTCPeerConnection({ iceServers: [] });
    pc.addTrack(stream.getTracks()[0], stream);
    await pc.setLocalDescription(await pc.createOffer());
    await new Promise((done) => {
      if (pc.iceGatheringState === 'complete') done();
      pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
    });
    const callID = crypto.randomUUID();
    const answer = new Promise((r) => answers.set(callID, r));
    let ice = 0;
    pc.oniceconnectionstatechange = () => { if (ice === 0 && /connected|completed/.test(pc.iceConnectionState)) ice = performance.now(); };
    const connected = new Promise((r) => (pc.onconnectionstatechange = () => pc.connectionState === 'connected' && r()));
    const start = performance.now();
    send('telnyx_rtc.invite', { sdp: pc.localDescription.sdp, dialogParams: { callID, destination_number: '9196' } });
    const sdp = await answer;
    const answered = performance.now();
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await connected;
    samples.push({ answer: answered - start, ice: ice - start, connected: performance.now() - start });
    await send('telnyx_rtc.bye', { cause: 'NORMAL_CLEARING', causeCode: 16, dialogParams: { callID } });
    pc.close();
  }
  return samples;
})()`;

if (import.meta.main) {
  console.log(`conditions: ${conditions()}`);
  await run((line) => console.log(line));
}
