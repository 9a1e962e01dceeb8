/**
 * A voice bot: a page with one button, and a program that hears what the caller says and says it back, half a second later.
 *
 *   page ──call──▶ parked ──webhook──▶ this program: answer, with the URL of its own WebSocket
 *                                            ▲
 *   caller ═══ sound ═══ server ═══ WebSocket ┴─▶ `connected`, `start`, `media` …   and back: a beep, a mark, `media` …
 *
 * It needs no key of anybody: put a recogniser, a model and a voice between what comes and what goes.
 * Written for the official `telnyx` package. TELNYX_BASE_URL, TELNYX_API_KEY and TELNYX_PUBLIC_KEY say whom it talks to.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import Telnyx from 'telnyx';
import { WebSocketServer } from 'ws';

const missing = ['TELNYX_BASE_URL', 'TELNYX_API_KEY', 'TELNYX_PUBLIC_KEY'].filter(
  (name) => !process.env[name],
);
if (missing.length > 0)
  stop(
    `${missing.join(', ')} missing. "npx sidetone key create --env > .env" writes them; start with --env-file=.env`,
  );

const api = new Telnyx();
const NAME = 'example voice bot';
const PORT = Number(process.env.PORT ?? 3000);
/** Where the server reaches this program. */
const URL_HERE = process.env.PUBLIC_URL ?? `http://127.0.0.1:${PORT}`;
const server = new URL(api.baseURL);

// ---------------------------------------------------------------------------------------------------- what it needs

/** The first of a list that `is` says yes to; further pages are asked for as needed. */
async function find(list, is) {
  for await (const item of list) if (is(item)) return item;
}

/** Finds or makes a connection whose calls are parked and told to us, and a credential under it for the page. */
async function provide() {
  const { connection, credential } = await made();
  const settings = {
    webhook_event_url: `${URL_HERE}/webhooks`,
    webhook_api_version: '2',
    outbound: { call_parking_enabled: true },
  };
  const { data: ours } = connection
    ? await api.credentialConnections.update(connection.id, settings)
    : await api.credentialConnections.create({
        ...settings,
        connection_name: NAME,
        user_name: `voicebot${randomBytes(4).toString('hex')}`,
        password: randomBytes(16).toString('hex'),
      });
  const login =
    credential ?? (await api.telephonyCredentials.create({ name: NAME, connection_id: ours.id })).data;
  return { connection: ours, credential: login };
}

/** What an earlier start has made. */
async function made() {
  const connection = await find(
    api.credentialConnections.list({ filter: { connection_name: { contains: NAME } } }),
    (one) => one.connection_name === NAME,
  );
  if (!connection) return {};
  const credential = await find(
    api.telephonyCredentials.list({ filter: { resource_id: `connection:${connection.id}` } }),
    (one) => one.name === NAME && !one.expired,
  );
  return { connection, credential };
}

async function remove() {
  const { connection, credential } = await made();
  if (credential) await api.telephonyCredentials.delete(credential.id);
  if (connection) await api.credentialConnections.delete(connection.id);
  console.log(connection ? 'removed what this example had made' : 'there was nothing to remove');
}

// ---------------------------------------------------------------------------------------------------- the calls

/** The page of each call under way, by the caller's leg. */
const calls = new Map();
/** Who may open a stream: whoever got this from us. */
const TOKEN = randomBytes(16).toString('hex');

async function onEvent({ event_type, payload }) {
  const { call_control_id: leg } = payload;
  switch (event_type) {
    case 'call.initiated':
      if (payload.state !== 'parked') return;
      calls.set(leg, decoded(payload.client_state));
      return api.calls.actions.answer(leg, {
        stream_url: `${URL_HERE.replace(/^http/, 'ws')}/stream`,
        stream_auth_token: TOKEN,
        stream_codec: 'PCMU',
        stream_bidirectional_mode: 'rtp',
        stream_bidirectional_codec: 'PCMU',
      });
    case 'streaming.failed':
      tell(leg, `The bot cannot be reached: ${payload.failure_reason}`);
      return api.calls.actions.hangup(leg, {});
    case 'call.hangup':
      tell(leg, 'The call is over.');
      calls.delete(leg);
  }
}

// ---------------------------------------------------------------------------------------------------- the bot

/** µ-law has 8000 octets a second, and 0xff is silence. */
const octets = (ms) => 8 * ms;
const silence = (ms) => Buffer.alloc(octets(ms), 0xff);

/** 1 kHz: eight samples that repeat, in µ-law (ITU-T G.711). */
const beep = (ms) => Buffer.alloc(octets(ms), Buffer.from([0xff, 0x1e, 0x16, 0x1e, 0xff, 0x9e, 0x96, 0x9e]));

/** One call, from `connected` to the end of the socket. */
function onStream(socket) {
  let leg;
  const say = (frame) => socket.send(JSON.stringify(frame));
  const play = (sound) => say({ event: 'media', media: { payload: sound.toString('base64') } });
  socket.on('message', (text) => {
    const frame = JSON.parse(text);
    switch (frame.event) {
      case 'start':
        leg = frame.start.call_control_id;
        play(beep(300));
        // It comes back when the beep has been heard.
        return say({ event: 'mark', mark: { name: 'beep' } });
      case 'mark':
        tell(leg, 'Say something: you hear it half a second later. # ends the call.');
        return play(silence(500));
      case 'media':
        return play(Buffer.from(frame.media.payload, 'base64'));
      case 'dtmf':
        if (frame.dtmf.digit !== '#') return;
        // Nothing that is still on its way is heard.
        say({ event: 'clear' });
        return void api.calls.actions.hangup(leg, {}).catch((error) => console.error(error.message));
      case 'error':
        return console.error(`the stream: ${frame.payload.detail}`);
    }
  });
  socket.on('error', (error) => console.error(`the stream: ${error.message}`));
}

const decoded = (state) => Buffer.from(state ?? '', 'base64').toString();

// ---------------------------------------------------------------------------------------------------- the server

/** The pages that listen, by the name each gave itself. */
const pages = new Map();

function tell(leg, line) {
  pages.get(calls.get(leg))?.write(`data: ${JSON.stringify(line)}\n\n`);
}

const seen = new Set();

async function onWebhook(request, response) {
  let event;
  try {
    event = (await api.webhooks.unwrap(await text(request), { headers: request.headers })).data;
  } catch (error) {
    console.error(`a webhook is refused: ${error.message}`);
    return response.writeHead(400).end();
  }
  response.writeHead(200).end();
  // The same event may come twice.
  if (seen.has(event.id)) return;
  if (seen.add(event.id).size > 10_000) seen.delete(seen.values().next().value);
  console.log(`caller  ${event.event_type}`);
  // 90018: a command met a leg that has just ended. Its call.hangup says all there is to do.
  await Promise.resolve(onEvent(event)).catch((error) => {
    if (!error.message.includes('90018')) console.error(`${event.event_type}: ${error.message}`);
  });
}

const routes = {
  'GET /': (_request, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(PAGE),
  'GET /sdk.js': (_request, response) => response.setHeader('content-type', 'text/javascript').end(SDK),
  'POST /login': async (_request, response) => {
    const login_token = await api.telephonyCredentials.createToken(credential.id);
    const host = server.origin.replace(/^http/, 'ws');
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ login_token, host }));
  },
  'GET /events': (request, response) => {
    const page = new URL(request.url, URL_HERE).searchParams.get('page');
    response
      .writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      .flushHeaders();
    pages.set(page, response);
    request.on('close', () => pages.get(page) === response && pages.delete(page));
  },
  'POST /webhooks': onWebhook,
};

function serve() {
  const http = createServer((request, response) => {
    const route = routes[`${request.method} ${request.url.split('?')[0]}`];
    if (!route) return response.writeHead(404).end();
    Promise.resolve(route(request, response)).catch((error) => {
      console.error(error.message);
      response.writeHead(500).end();
    });
  });
  const sockets = new WebSocketServer({
    server: http,
    path: '/stream',
    maxPayload: 1_000_000,
    verifyClient: ({ req }) => req.headers.authorization === `Bearer ${TOKEN}`,
  });
  sockets.on('connection', onStream);
  sockets.on('error', () => {});
  http.on('error', (error) => stop(`port ${PORT}: ${error.message}; PORT=3001 takes another one`));
  http.listen(PORT, process.env.HOST ?? '127.0.0.1', () => console.log(`\n  Open ${URL_HERE}\n`));
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Voice bot</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --accent: light-dark(#0b6b57, #4cc7a2); --on-accent: light-dark(#fff, #06231b);
    --end: light-dark(#b3382a, #e98678); --on-end: light-dark(#fff, #2b0b06); --soft: light-dark(#56635f, #a3b1ac);
    --paper: light-dark(#f4f2ec, #0e1413); --card: light-dark(#fffefb, #161e1c); --line: light-dark(#dcd9cf, #2a3532) }
  * { box-sizing: border-box }
  body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 1rem;
    background: var(--paper); font: 1rem/1.5 system-ui, sans-serif }
  main { width: min(26rem, 100%); padding: 2rem; border: 1px solid var(--line); border-radius: 16px; background: var(--card) }
  h1 { margin: 0; font-size: 1.5rem; line-height: 1.25 }
  p { margin: .5rem 0 1.5rem; color: var(--soft) }
  button { width: 100%; min-height: 3rem; border: 0; border-radius: 12px; font: inherit; font-weight: 600; cursor: pointer;
    background: var(--accent); color: var(--on-accent) }
  button.end { background: var(--end); color: var(--on-end) }
  button:disabled { opacity: .5; cursor: default }
  button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px }
  output { display: block; min-height: 1.5rem; margin-top: 1rem; text-align: center }
</style>
<main>
  <h1>Talk to the machine</h1>
  <p>It says what you say. Your browser will ask for your microphone.</p>
  <button id="call" disabled>Call</button>
  <output id="status" role="status"></output>
  <audio id="sound" autoplay></audio>
</main>
<script type="module">
  import { TelnyxRTC } from '/sdk.js';

  const button = document.getElementById('call');
  const status = document.getElementById('status');
  const say = (line) => (status.textContent = line);

  // The back end tells this page, under the name that its calls carry, how they get on.
  const page = crypto.randomUUID();
  new EventSource('/events?page=' + page).onmessage = ({ data }) => say(JSON.parse(data));

  let call = null;
  addEventListener('keydown', ({ key }) => key === '#' && call?.dtmf('#'));

  const show = () => {
    button.disabled = false;
    button.textContent = call ? 'Hang up' : 'Call';
    button.classList.toggle('end', call !== null);
  };

  try {
    const login = await fetch('/login', { method: 'POST' });
    if (!login.ok) throw new Error('the back end gave no login');
    const client = new TelnyxRTC(await login.json());
    client.remoteElement = 'sound';
    client.on('telnyx.error', ({ error }) => say(error.description ?? error.message));
    client.on('telnyx.notification', (notification) => {
      if (notification.type === 'userMediaError') say('The microphone cannot be used: ' + notification.error?.message);
      if (notification.type !== 'callUpdate') return;
      const over = ['hangup', 'destroy'].includes(notification.call.state);
      if (over && call && notification.call.id === call.id) {
        call = null;
        if (status.textContent === 'Calling …') say('Nobody took the call.');
      }
      show();
    });
    button.onclick = () => {
      if (call) return call.hangup();
      say('Calling …');
      call = client.newCall({ destinationNumber: 'bot', clientState: btoa(page) });
      show();
    };
    await client.connect();
    await client.ready();
    show();
  } catch (error) {
    say('No calls at the moment: ' + error.message);
  }
</script>
`;

// ---------------------------------------------------------------------------------------------------- start

if (process.argv.includes('--remove')) {
  await remove().catch((error) => stop(`${api.baseURL}: ${error.message}`));
  process.exit();
}
let SDK;
try {
  SDK = readFileSync(fileURLToPath(import.meta.resolve('@sidetone/webrtc/min')));
} catch {
  stop('the SDK is not built: "npm start" in the repository builds it');
}
const { credential } = await provide().catch((error) => stop(`${api.baseURL}: ${error.message}`));
serve();
