/**
 * A voice menu (IVR): a page with a dial pad, and the back end that answers its calls.
 *
 *   page ──call──▶ parked ──webhook──▶ this program: answer, "Press 1 …" ─┬─1─▶ transfer to the agent, back to the menu if that fails
 *                                            ▲                            ├─2─▶ speak the time ─┐
 *                                            └────────────────────────────┼─────────────────────┘
 *                                                                         └─nothing, or thrice another key─▶ "Goodbye", hang up
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
const NAME = 'example voice menu';
const PORT = Number(process.env.PORT ?? 3000);
/** Where the server reaches this program. */
const URL_HERE = process.env.PUBLIC_URL ?? `http://127.0.0.1:${PORT}`;
const server = new URL(api.baseURL);
const AGENT = process.env.AGENT ?? `sip:line2@${server.hostname}`;

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
        user_name: `voicemenu${randomBytes(4).toString('hex')}`,
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

/** Calls under way by session: the caller's leg, whose page it is, and what follows when the present sentence is spoken. */
const calls = new Map();

const MENU = 'Press 1 for the agent, 2 for the time.';

async function onEvent({ event_type, payload }) {
  const { call_control_id: leg, call_session_id: session } = payload;
  if (event_type === 'call.initiated' && payload.state === 'parked') {
    calls.set(session, { caller: leg, page: decoded(payload.client_state) });
    return api.calls.actions.answer(leg, {});
  }
  const call = calls.get(session);
  if (!call) return;
  switch (`${leg === call.caller ? 'caller' : 'agent'} ${event_type}`) {
    case 'caller call.answered':
      return menu(call, `Welcome. ${MENU}`);
    case 'caller call.gather.ended':
      return chosen(call, payload);
    case 'caller call.speak.ended': {
      // A prompt of the menu has nothing that follows: its end is the end of the gather.
      const { next } = call;
      call.next = undefined;
      return next?.(call);
    }
    case 'agent call.bridged':
      return tell(call, 'You are talking to the agent.');
    case 'agent call.hangup':
      // After a conversation the platform hangs up the caller, too; before one the caller is back in the menu.
      if (payload.hangup_cause === 'normal_clearing') return;
      return menu(call, `${sorry(payload)} ${MENU}`);
    case 'caller call.hangup':
      calls.delete(session);
      return tell(call, 'The call is over.');
  }
}

function menu(call, payload) {
  tell(call, payload);
  return api.calls.actions.gatherUsingSpeak(call.caller, {
    payload,
    invalid_payload: 'There is nothing under this key.',
    voice: 'female',
    language: 'en-GB',
    valid_digits: '12',
    maximum_digits: 1,
    maximum_tries: 3,
    timeout_millis: 10_000,
  });
}

function chosen(call, { status, digits }) {
  if (status === 'valid' && digits === '1') return toAgent(call);
  if (status === 'valid') return say(call, `It is ${timeOfDay()}.`, (same) => menu(same, MENU));
  // Thrice a wrong key, or none; the caller may also have hung up.
  if (status === 'invalid' || status === 'timeout')
    return say(call, 'Goodbye.', ({ caller }) => api.calls.actions.hangup(caller, {}));
}

async function toAgent(call) {
  tell(call, 'Calling the agent …');
  try {
    await api.calls.actions.transfer(call.caller, {
      to: AGENT,
      from: `sip:${connection.user_name}@${server.hostname}`,
      from_display_name: 'Voice menu',
      timeout_secs: 30,
      target_leg_client_state: encoded('agent'),
    });
  } catch (error) {
    if (error.message.includes('90018')) throw error;
    console.error(`transfer: ${error.message}`);
    await menu(call, `${sorry({})} ${MENU}`);
  }
}

/** Speaks a sentence, then does `next`. */
function say(call, payload, next) {
  call.next = next;
  tell(call, payload);
  return api.calls.actions.speak(call.caller, { payload, voice: 'female', language: 'en-GB' });
}

const timeOfDay = () => new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

function sorry({ hangup_cause: cause, sip_hangup_cause: sip }) {
  // SIP's 480: nobody is logged in under that name.
  if (sip === '480') return 'The agent is not there.';
  if (cause === 'user_busy' || cause === 'call_rejected') return 'The agent is busy.';
  if (cause === 'timeout' || cause === 'no_answer') return 'The agent does not answer.';
  return 'The agent cannot be reached.';
}

const encoded = (state) => Buffer.from(state).toString('base64');
const decoded = (state) => Buffer.from(state ?? '', 'base64').toString();

// ---------------------------------------------------------------------------------------------------- the server

/** The pages that listen, by the name each gave itself. */
const pages = new Map();

function tell({ page }, line) {
  pages.get(page)?.write(`data: ${JSON.stringify(line)}\n\n`);
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
  const whose = decoded(event.payload.client_state) === 'agent' ? 'agent ' : 'caller';
  console.log(`${whose}  ${event.event_type}`);
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
  http.listen(PORT, process.env.HOST ?? '127.0.0.1', () =>
    console.log(
      `\n  Open ${URL_HERE}\n  Calls go to ${AGENT}: be the agent in the softphone whose link "npm start" has printed\n`,
    ),
  );
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Voice menu</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --accent: light-dark(#0b6b57, #4cc7a2); --on-accent: light-dark(#fff, #06231b);
    --end: light-dark(#b3382a, #e98678); --on-end: light-dark(#fff, #2b0b06); --soft: light-dark(#56635f, #a3b1ac);
    --paper: light-dark(#f4f2ec, #0e1413); --card: light-dark(#fffefb, #161e1c); --line: light-dark(#dcd9cf, #2a3532);
    --key: light-dark(#f0ede5, #1f2927) }
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
  #pad { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; margin-top: 1rem }
  #pad button { background: var(--key); color: inherit }
  #pad button:hover:enabled { background: var(--line) }
  output { display: block; min-height: 1.5rem; margin-top: 1rem; text-align: center }
</style>
<main>
  <h1>Ask the machine</h1>
  <p>Call, listen, and press keys: here or on your keyboard. Your browser will ask for your microphone.</p>
  <button id="call" disabled>Call</button>
  <div id="pad" role="group" aria-label="Dial pad"></div>
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
  const press = (digit) => call?.dtmf(digit);
  const keys = [...'123456789*0#'].map((digit) => {
    const key = Object.assign(document.createElement('button'), { textContent: digit, disabled: true });
    key.onclick = () => press(digit);
    return key;
  });
  document.getElementById('pad').append(...keys);
  addEventListener('keydown', ({ key, ctrlKey, altKey, metaKey }) => {
    if (!ctrlKey && !altKey && !metaKey && /^[0-9*#]$/.test(key)) press(key);
  });

  const show = () => {
    for (const key of keys) key.disabled = call === null;
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
      call = client.newCall({ destinationNumber: 'menu', clientState: btoa(page) });
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
const { connection, credential } = await provide().catch((error) => stop(`${api.baseURL}: ${error.message}`));
serve();
