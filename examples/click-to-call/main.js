/**
 * Click to call: a page with one button, and the back end that carries its calls to an agent.
 *
 *   page ──call──▶ parked ──webhook──▶ this program: answer, "Connecting you", dial the agent ──answers──▶ bridged
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
const NAME = 'example click to call';
const PORT = Number(process.env.PORT ?? 3000);
/** Where the server reaches this program. */
const URL_HERE = process.env.PUBLIC_URL ?? `http://127.0.0.1:${PORT}`;
const server = new URL(api.baseURL);
const AGENT = process.env.AGENT ?? `sip:line1@${server.hostname}`;

// ---------------------------------------------------------------------------------------------------- what it needs

/** The first of a list that `is` says yes to; further pages are asked for as needed. */
async function find(list, is) {
  for await (const item of list) if (is(item)) return item;
}

/**
 * Finds or makes: a connection whose calls are parked and told to us, a credential under it for the page, and an application to
 * dial with. Twice started, nothing is there twice.
 */
async function provide() {
  const hook = { webhook_event_url: `${URL_HERE}/webhooks`, webhook_api_version: '2' };
  const { connection, credential, application } = await made();
  const settings = { ...hook, outbound: { call_parking_enabled: true } };
  const { data: ours } = connection
    ? await api.credentialConnections.update(connection.id, settings)
    : await api.credentialConnections.create({
        ...settings,
        connection_name: NAME,
        user_name: `clicktocall${randomBytes(4).toString('hex')}`,
        password: randomBytes(16).toString('hex'),
      });
  const { data: app } = application
    ? await api.callControlApplications.update(application.id, { application_name: NAME, ...hook })
    : await api.callControlApplications.create({ application_name: NAME, ...hook });
  const login =
    credential ?? (await api.telephonyCredentials.create({ name: NAME, connection_id: ours.id })).data;
  return { connection: ours, application: app, credential: login };
}

/** What an earlier start has made. */
async function made() {
  const connection = await find(
    api.credentialConnections.list({ filter: { connection_name: { contains: NAME } } }),
    (one) => one.connection_name === NAME,
  );
  const application = await find(
    api.callControlApplications.list({ filter: { application_name: { contains: NAME } } }),
    (one) => one.application_name === NAME,
  );
  const credential =
    connection &&
    (await find(
      api.telephonyCredentials.list({ filter: { resource_id: `connection:${connection.id}` } }),
      (one) => one.name === NAME && !one.expired,
    ));
  return { connection, application, credential };
}

async function remove() {
  const { connection, application, credential } = await made();
  if (credential) await api.telephonyCredentials.delete(credential.id);
  if (connection) await api.credentialConnections.delete(connection.id);
  if (application) await api.callControlApplications.delete(application.id);
  console.log(
    connection || application ? 'removed what this example had made' : 'there was nothing to remove',
  );
}

// ---------------------------------------------------------------------------------------------------- the calls

/** Calls under way by session: the caller's leg, the agent's once it is dialled, whose page it is, and what is done next. */
const calls = new Map();

async function onEvent({ event_type, payload }) {
  const { call_control_id: leg, call_session_id: session } = payload;
  if (event_type === 'call.initiated' && payload.state === 'parked') {
    calls.set(session, { session, caller: leg, page: decoded(payload.client_state), next: 'dial' });
    return api.calls.actions.answer(leg, {});
  }
  const call = calls.get(session);
  if (!call) return;
  switch (`${leg === call.caller ? 'caller' : 'agent'} ${event_type}`) {
    case 'caller call.answered':
      tell(call, 'Connecting you …');
      return say(call, 'Connecting you.');
    case 'caller call.speak.ended':
      return call.next === 'dial' ? dial(call) : api.calls.actions.hangup(call.caller, {});
    case 'agent call.bridged':
      return tell(call, 'You are talking to the agent.');
    case 'agent call.hangup':
      // SIP's 480: nobody is logged in under that name.
      return agentLeft(call, payload.sip_hangup_cause === '480' ? 'away' : payload.hangup_cause);
    case 'caller call.hangup':
      calls.delete(session);
      tell(call, call.reason ?? 'The call is over.');
      // Whoever still rings is let go; one who talked has been hung up with the bridge.
      return call.agent && api.calls.actions.hangup(call.agent, {});
  }
}

async function dial(call) {
  call.next = 'wait';
  tell(call, 'Calling the agent …');
  try {
    const { data } = await api.calls.dial({
      connection_id: application.id,
      to: AGENT,
      from: `sip:${connection.user_name}@${server.hostname}`,
      from_display_name: 'Web page',
      link_to: call.caller,
      bridge_on_answer: true,
      timeout_secs: 30,
      command_id: call.session,
      client_state: encoded('agent'),
    });
    call.agent = data.call_control_id;
    if (!calls.has(call.session)) await api.calls.actions.hangup(call.agent, {});
  } catch (error) {
    console.error(`dial: ${error.message}`);
    await agentLeft(call, 'refused');
  }
}

const SORRY = {
  away: 'The agent is not there.',
  user_busy: 'The agent is busy.',
  call_rejected: 'The agent is busy.',
  timeout: 'The agent does not answer.',
  no_answer: 'The agent does not answer.',
};

/** After a conversation the platform hangs up the caller, too; before one the caller hears why there is none. */
async function agentLeft(call, cause) {
  if (cause === 'normal_clearing') return;
  call.agent = undefined;
  call.next = 'hang up';
  call.reason = SORRY[cause] ?? 'The agent cannot be reached.';
  tell(call, call.reason);
  await say(call, `${call.reason} Please try again later.`);
}

const say = (call, payload) =>
  api.calls.actions.speak(call.caller, { payload, voice: 'female', language: 'en-GB' });

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
<title>Call us</title>
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
  <h1>Talk to us</h1>
  <p>No telephone needed: your browser calls, and somebody answers. It will ask for your microphone.</p>
  <button id="call" disabled>Call us</button>
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
  const show = () => {
    button.disabled = false;
    button.textContent = call ? 'Hang up' : 'Call us';
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
      call = client.newCall({ destinationNumber: 'agent', clientState: btoa(page) });
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
const { connection, application, credential } = await provide().catch((error) =>
  stop(`${api.baseURL}: ${error.message}`),
);
serve();
