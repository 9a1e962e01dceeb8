/**
 * A voicemail: a page with one button, and the back end that takes its messages.
 *
 *   page ──call──▶ parked ──webhook──▶ this program: answer, a greeting, a beep, recording ─┬─ a pause of four seconds, or two minutes ─▶ "Thank you", hang up
 *                                                                                           └─ the caller hangs up
 *                                      call.recording.saved ─▶ the message, by a link that expires, is on the page and in this terminal
 *
 * Written for the official `telnyx` package. TELNYX_BASE_URL, TELNYX_API_KEY and TELNYX_PUBLIC_KEY say whom it talks to.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import Telnyx from 'telnyx';

const missing = ['TELNYX_BASE_URL', 'TELNYX_API_KEY', 'TELNYX_PUBLIC_KEY'].filter(
  (name) => !process.env[name],
);
if (missing.length > 0)
  stop(
    `${missing.join(', ')} missing. "npx sidetone key create --env > .env" writes them; start with --env-file=.env`,
  );

const api = new Telnyx();
const NAME = 'example voicemail';
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
        user_name: `voicemail${randomBytes(4).toString('hex')}`,
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

/** By the caller's leg: whose page it is, and what is said to it now. */
const calls = new Map();

const GREETING = 'Nobody is here at the moment. Please leave a message after the tone.';

async function onEvent({ event_type, payload }) {
  const { call_control_id: leg } = payload;
  if (event_type === 'call.initiated' && payload.state === 'parked') {
    calls.set(leg, { page: decoded(payload.client_state), said: '' });
    return api.calls.actions.answer(leg, {});
  }
  const call = calls.get(leg);
  if (!call) return;
  switch (event_type) {
    case 'call.answered':
      return say(leg, call, GREETING);
    case 'call.speak.ended':
      // Who has hung up meanwhile leaves no message.
      if (payload.status !== 'completed') return;
      return call.said === GREETING ? record(leg, call) : api.calls.actions.hangup(leg, {});
    case 'call.recording.saved':
      return saved(leg, call, payload);
    case 'call.recording.error':
      calls.delete(leg);
      return tell(call, 'Your message could not be kept.');
    case 'call.hangup':
      // A message that the hang-up has ended is told later.
      if (call.said === GREETING && !call.recording) calls.delete(leg);
      return tell(call, 'The call is over.');
  }
}

/** What the caller says, in one channel: until a pause of four seconds, two minutes, or the end of the call. */
async function record(leg, call) {
  call.recording = true;
  tell(call, 'Speak now, and hang up when you are done.');
  await api.calls.actions.startRecording(leg, {
    format: 'mp3',
    channels: 'single',
    recording_track: 'inbound',
    play_beep: true,
    timeout_secs: 4,
    max_length: 120,
    trim: 'trim-silence',
  });
}

async function saved(
  leg,
  call,
  { recording_urls: urls, recording_started_at: from, recording_ended_at: to },
) {
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
  // Good for ten minutes; `api.recordings.retrieve(recording_id)` has a fresh one.
  console.log(`message of ${seconds} s: ${urls.mp3}`);
  tell(call, `Your message of ${seconds} seconds is kept.`, urls.mp3);
  // It ended by itself: the caller is still there.
  const { data } = await api.calls.retrieveStatus(leg);
  if (data.is_alive) return say(leg, call, 'Thank you. Goodbye.');
  calls.delete(leg);
}

function say(leg, call, payload) {
  call.said = payload;
  tell(call, payload);
  return api.calls.actions.speak(leg, { payload, voice: 'female', language: 'en-GB' });
}

const decoded = (state) => Buffer.from(state ?? '', 'base64').toString();

// ---------------------------------------------------------------------------------------------------- the server

/** The pages that listen, by the name each gave itself. */
const pages = new Map();

function tell({ page }, line, link) {
  pages.get(page)?.write(`data: ${JSON.stringify({ line, link })}\n\n`);
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
<title>Voicemail</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --accent: light-dark(#0b6b57, #4cc7a2); --on-accent: light-dark(#fff, #06231b);
    --end: light-dark(#b3382a, #e98678); --on-end: light-dark(#fff, #2b0b06); --soft: light-dark(#56635f, #a3b1ac);
    --paper: light-dark(#f4f2ec, #0e1413); --card: light-dark(#fffefb, #161e1c); --line: light-dark(#dcd9cf, #2a3532);
    }
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
  <h1>Leave a message</h1>
  <p>Call, wait for the tone, and speak. Your browser will ask for your microphone.</p>
  <button id="call" disabled>Call</button>
  <output id="status" role="status"></output>
  <audio id="sound" autoplay></audio>
  <audio id="message" controls hidden aria-label="Your message"></audio>
</main>
<script type="module">
  import { TelnyxRTC } from '/sdk.js';

  const button = document.getElementById('call');
  const status = document.getElementById('status');
  const say = (line) => (status.textContent = line);

  // The back end tells this page, under the name that its calls carry, how they get on.
  const page = crypto.randomUUID();
  new EventSource('/events?page=' + page).onmessage = ({ data }) => {
    const { line, link } = JSON.parse(data);
    say(line);
    if (link) Object.assign(document.getElementById('message'), { src: link, hidden: false });
  };

  let call = null;
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
      call = client.newCall({ destinationNumber: 'voicemail', clientState: btoa(page) });
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
