/**
 * A conference line: a page with one button; all who press it meet in one conference.
 *
 *   page ──call──▶ parked ──webhook──▶ this program: answer ─┬─ nobody is there ─▶ make the conference with this leg
 *                                                            └─ somebody is ────▶ join
 *   page ── Mute me, End for all ──▶ this program ──▶ mute, unmute, end
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
const NAME = 'example conference line';
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
        user_name: `conferenceline${randomBytes(4).toString('hex')}`,
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

// ---------------------------------------------------------------------------------------------------- the conference

/** Who calls, by leg: the page, what the others see of it, and whether it is in. */
const people = new Map();
/** The conference that is going on. */
let room;
let guests = 0;
/** One enters after the other: the first one makes the conference that the next ones join. */
let entering = Promise.resolve();

async function onEvent({ event_type, payload }) {
  const { call_control_id: leg } = payload;
  if (event_type === 'call.initiated' && payload.state === 'parked') {
    people.set(leg, {
      page: decoded(payload.client_state),
      name: `Guest ${++guests}`,
      isIn: false,
      muted: false,
    });
    return api.calls.actions.answer(leg, {});
  }
  if (event_type === 'conference.ended') {
    if (payload.conference_id === room) room = undefined;
    return;
  }
  const person = people.get(leg);
  if (!person) return;
  switch (event_type) {
    case 'call.answered':
      entering = entering.then(() => enter(leg)).catch((error) => failed(leg, error));
      return entering;
    case 'conference.participant.joined':
      person.isIn = true;
      showAll();
      return greet(leg, person);
    case 'conference.participant.left':
      person.isIn = false;
      return showAll();
    case 'conference.floor.changed':
      return showAll(leg);
    case 'call.hangup':
      people.delete(leg);
      return tell(person, { line: 'You have left the line.' });
  }
}

async function enter(leg) {
  if (room) {
    try {
      return await api.conferences.actions.join(room, { call_control_id: leg, beep_enabled: 'on_enter' });
    } catch (error) {
      // 90019, 90058: the last one left a moment ago.
      if (!/90019|90058/.test(error.message)) throw error;
    }
  }
  room = (await make(leg)) ?? (await join(leg));
}

/** Makes the conference; undefined when one of this name is there, as behind a restart of this program. */
async function make(leg) {
  try {
    return (await api.conferences.create({ call_control_id: leg, name: NAME, beep_enabled: 'on_enter' })).data
      .id;
  } catch (error) {
    if (!error.message.includes('90033')) throw error;
  }
}

async function join(leg) {
  const there = await find(
    api.conferences.list({ filter: { name: NAME, status: 'in_progress' } }),
    ({ name }) => name === NAME,
  );
  if (!there) throw new Error('the conference is not to be found');
  await api.conferences.actions.join(there.id, { call_control_id: leg });
  return there.id;
}

/** A word to who has come, which the others do not hear. */
function greet(leg, { name }) {
  const others = [...people.values()].filter(({ isIn }) => isIn).length - 1;
  const payload =
    others === 0 ? `Hello, ${name}. You are the first.` : `Hello, ${name}. Others here: ${others}.`;
  return api.conferences.actions.speak(room, {
    payload,
    voice: 'female',
    language: 'en-GB',
    call_control_ids: [leg],
  });
}

async function failed(leg, error) {
  // 90018: who called has hung up again.
  if (error.message.includes('90018')) return;
  console.error(`no way in: ${error.message}`);
  await api.calls.actions.hangup(leg, {});
}

/** What a page asks for: only the page that made a call knows its name. */
async function asked(page, what) {
  const [leg, person] = [...people].find(([, one]) => one.page === page) ?? [];
  if (!person?.isIn) return;
  if (what === 'end') return api.conferences.actions.endConference(room, {});
  const command = what === 'mute' ? 'mute' : 'unmute';
  await api.conferences.actions[command](room, { call_control_ids: [leg] });
  person.muted = what === 'mute';
  showAll();
}

/** Tells every page who is there; `floor`: the leg that is heard above the others. */
function showAll(floor) {
  const here = [...people].filter(([, { isIn }]) => isIn);
  for (const [, person] of here)
    tell(person, {
      muted: person.muted,
      people: here.map(([leg, { name, muted, page }]) => ({
        name: page === person.page ? `${name} (you)` : name,
        muted,
        speaks: leg === floor,
      })),
    });
}

const decoded = (state) => Buffer.from(state ?? '', 'base64').toString();

// ---------------------------------------------------------------------------------------------------- the server

/** The pages that listen, by the name each gave itself. */
const pages = new Map();

function tell({ page }, news) {
  pages.get(page)?.write(`data: ${JSON.stringify(news)}\n\n`);
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
  const { name = 'the line' } = people.get(event.payload.call_control_id) ?? {};
  console.log(`${name}  ${event.event_type}`);
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
  'POST /ask': async (request, response) => {
    const { page, what } = JSON.parse(await text(request));
    await asked(page, what);
    response.writeHead(204).end();
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
    console.log(`\n  Open ${URL_HERE}\n  in as many browsers as you like: all who join hear each other\n`),
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
<title>Conference line</title>
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
  #more { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin-top: 1rem }
  #more button { background: var(--key); color: inherit }
  #more button:hover:enabled { background: var(--line) }
  ul { list-style: none; margin: 1rem 0 0; padding: 0 }
  li { padding: .5rem 0; border-top: 1px solid var(--line) }
  li.speaks { font-weight: 600; color: var(--accent) }
  output { display: block; min-height: 1.5rem; margin-top: 1rem; text-align: center }
</style>
<main>
  <h1>The conference line</h1>
  <p>Everybody who joins hears everybody else. Your browser will ask for your microphone.</p>
  <button id="call" disabled>Join</button>
  <div id="more"><button id="mute" disabled>Mute me</button><button id="end" disabled>End for all</button></div>
  <ul id="people" aria-label="On the line"></ul>
  <output id="status" role="status"></output>
  <audio id="sound" autoplay></audio>
</main>
<script type="module">
  import { TelnyxRTC } from '/sdk.js';

  const of = (id) => document.getElementById(id);
  const [button, mute, end, status, list] = ['call', 'mute', 'end', 'status', 'people'].map(of);
  const say = (line) => (status.textContent = line);

  // The back end tells this page, under the name that its calls carry, who is on the line.
  const page = crypto.randomUUID();
  const ask = (what) => fetch('/ask', { method: 'POST', body: JSON.stringify({ page, what }) });
  let call = null;
  let muted = false;

  function showPeople(people) {
    list.replaceChildren(
      ...people.map((person) =>
        Object.assign(document.createElement('li'), {
          textContent: person.name + (person.muted ? ', muted' : ''),
          className: person.speaks ? 'speaks' : '',
        }),
      ),
    );
  }

  new EventSource('/events?page=' + page).onmessage = ({ data }) => {
    const news = JSON.parse(data);
    if (news.line) say(news.line);
    // What was told last may come behind the end of the call.
    if (!news.people || !call) return;
    muted = news.muted;
    say('You are on the line.');
    showPeople(news.people);
    show();
    mute.disabled = end.disabled = false;
  };
  mute.onclick = () => ask(muted ? 'unmute' : 'mute');
  end.onclick = () => ask('end');

  const show = () => {
    button.disabled = false;
    button.textContent = call ? 'Leave' : 'Join';
    button.classList.toggle('end', call !== null);
    mute.textContent = muted ? 'Unmute me' : 'Mute me';
    if (call) return;
    mute.disabled = end.disabled = true;
    showPeople([]);
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
        muted = false;
        if (status.textContent === 'Calling …') say('Nobody took the call.');
      }
      show();
    });
    button.onclick = () => {
      if (call) return call.hangup();
      say('Calling …');
      call = client.newCall({ destinationNumber: 'line', clientState: btoa(page) });
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
