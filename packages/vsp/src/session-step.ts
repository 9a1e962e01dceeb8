import type { LogLine, Ms, Step } from '@sidetone/core';
import { type FrameId, FrameWriter, type IceServer, RPC_ERROR, traitsOf } from '@sidetone/wire';
import type {
  Homecoming,
  Login,
  Session,
  SessionFrame,
  SessionInput,
  SessionOut,
  SessionSettings,
} from './session.ts';

/** Close codes (RFC 6455 §7.4.1): policy violation, going away. */
const POLICY = 1008;
const GOING_AWAY = 1001;
const MAX_WAITING = 8;
const MAX_PINGS = 8;
/** Before a registrar that failed us is asked again. */
const RETRY_REGISTER_MS = 30_000;
/** The registrar's answers that say that the user may not be registered; every other is its own trouble. */
const FORBIDDEN: readonly number[] = [401, 403, 404];
/** A client that is back and asks for no gateway state hears of its calls after this. */
const UNASKED_MS = 500;
/** A socket that a push has woken may wait this long for a person, as long as it rings, and is looked at so often. */
const WOKEN_MS = 60_000;
const WOKEN_LOOK_MS = 1000;

interface Draft {
  state: Session;
  readonly out: SessionOut[];
}

/** One input of a session. Total; see the diagram in `session.ts`. */
export function stepSession(
  session: Session,
  input: SessionInput,
  now: Ms,
  settings: SessionSettings,
): Step<Session, SessionOut> {
  const draft: Draft = { state: session, out: [] };
  if (session.login.name !== 'over') {
    if (input.type === 'tick') tick(draft, input.woken, now, settings);
    else if (input.type === 'told') told(draft, settings);
    else if (input.type === 'revoked') close(draft, POLICY, 'login is no longer valid', input.keeps);
    else if (input.type === 'frame') {
      draft.state = { ...session, heardAt: now };
      frame(draft, input.frame, now, settings);
    } else if (input.type === 'authenticated') authenticated(draft, input, now, settings);
    else if (input.sequence === session.registers) registered(draft, input, now, settings);
    if (draft.state.told > settings.bytesBeforeLogin) close(draft, POLICY, 'log in first');
  }
  return { state: draft.state, out: draft.out };
}

const enter = (draft: Draft, login: Login): void => {
  draft.state = { ...draft.state, login };
};

const writer = (draft: Draft) => new FrameWriter(draft.state);

function send(draft: Draft, text: string): void {
  const { login } = draft.state;
  if (login.name === 'connected' || login.name === 'authenticating')
    draft.state = { ...draft.state, told: draft.state.told + text.length };
  draft.out.push({ type: 'send', text });
}

/** Sends a request of ours under the next id. */
function request(draft: Draft, write: (id: number) => string): void {
  const id = draft.state.nextId;
  draft.state = { ...draft.state, nextId: id + 1 };
  send(draft, write(id));
}

function close(draft: Draft, code: number, reason: string, keep = false): void {
  if (draft.state.login.name === 'over') return;
  enter(draft, { name: 'over' });
  draft.out.push({ type: 'close', code, reason, keep });
}

function log(draft: Draft, level: LogLine['level'], event: string, fields: LogLine['fields']): void {
  draft.out.push({ type: 'log', level, event, fields: { address: draft.state.address, ...fields } });
}

function tick(draft: Draft, woken: boolean, now: Ms, settings: SessionSettings): void {
  const { state } = draft;
  const { login } = state;
  if (login.name === 'ready') {
    if (now >= state.heardAt + settings.silenceMs) return close(draft, GOING_AWAY, 'nothing heard', true);
    if (now >= login.refreshAt) register(draft, login.user, { ...login, refreshAt: now + RETRY_REGISTER_MS });
    if (state.pingAt !== null && now >= state.pingAt) ping(draft, now);
    if (login.dueAt !== null && now >= login.dueAt) resume(draft, 'early');
    return;
  }
  if (login.name === 'over' || now < login.until) return;
  const latest = state.openedAt + WOKEN_MS;
  if (login.name === 'connected' && woken && now < latest)
    enter(draft, { name: 'connected', until: Math.min(now + WOKEN_LOOK_MS, latest) });
  else if (login.name === 'connected') close(draft, POLICY, 'no login in time');
  else {
    // A binding that comes late would ring where nobody is.
    if (login.name === 'registering') {
      draft.state = { ...draft.state, registers: state.registers + 1 };
      draft.out.push({ type: 'unregister', user: login.user, sequence: draft.state.registers });
      return putOff(draft, login.frame, now, settings);
    }
    refuse(draft, login.frame, NOT_NOW, now, settings);
  }
}

function ping(draft: Draft, now: Ms): void {
  const { state } = draft;
  draft.state = {
    ...state,
    pingAt: now + traitsOf(state.agent).pingMs,
    serno: state.serno + 1,
    pings: [...state.pings, state.nextId].slice(-MAX_PINGS),
  };
  request(draft, (id) => writer(draft).ping(id, state.serno + 1));
}

function frame(draft: Draft, frame: SessionFrame, now: Ms, settings: SessionSettings): void {
  const { login, pings } = draft.state;
  switch (frame.kind) {
    case 'login':
      return logIn(draft, frame, now, settings);
    case 'anonymousLogin':
      return refuse(draft, frame.id, 'Anonymous login is not offered by this server', now, settings);
    case 'gatewayState':
      if (
        login.name === 'ready' &&
        draft.state.homecoming === 'telling' &&
        login.questions.length < MAX_WAITING
      )
        return enter(draft, { ...login, questions: [...login.questions, frame.id] });
      if (login.name === 'ready') return registeredReply(draft, frame.id, settings);
      if (login.name === 'registering' && login.waiting.length < MAX_WAITING)
        return enter(draft, { ...login, waiting: [...login.waiting, frame.id] });
      return unauthenticated(draft, frame.id);
    case 'ping':
      // A ping that comes back with our id is no question; answering it would never end.
      if (frame.echo || (typeof frame.id === 'number' && pings.includes(frame.id))) return;
      return send(draft, writer(draft).pong(frame.id));
    case 'speedTest':
      return speedTest(draft, frame.step, now);
    case 'channels':
      return send(draft, writer(draft).channels(frame.id, frame.action));
    case 'disablePush':
      return send(draft, writer(draft).pushDisabled(frame.id));
    case 'refused':
      log(draft, 'debug', 'request refused', { code: frame.code, why: frame.message });
      return send(draft, writer(draft).error(frame.id, frame.code, frame.message));
    case 'other':
      if (frame.id === undefined) return;
      if (login.name !== 'ready') return unauthenticated(draft, frame.id);
      return send(draft, writer(draft).empty(frame.id));
  }
}

function unauthenticated(draft: Draft, id: FrameId): void {
  send(draft, writer(draft).error(id, RPC_ERROR.authenticationRequired, 'Authentication Required'));
}

/** The way up is timed; the way down is not measured, so the same figure is told for both. */
function speedTest(draft: Draft, step: 'start' | 'bytes' | 'end', now: Ms): void {
  const { state } = draft;
  if (state.login.name !== 'ready' || step === 'bytes') return;
  if (step === 'start') {
    draft.state = { ...state, speedTestAt: now };
    return;
  }
  if (state.speedTestAt === null) return;
  const ms = Math.max(1, Math.round(now - state.speedTestAt));
  draft.state = { ...state, speedTestAt: null };
  draft.out.push({ type: 'send', text: `#SPU${ms}` }, { type: 'send', text: `#SPD${ms}` });
}

function logIn(
  draft: Draft,
  frame: Extract<SessionFrame, { kind: 'login' }>,
  now: Ms,
  settings: SessionSettings,
): void {
  const { state } = draft;
  const { login } = state;
  const busy =
    login.name === 'authenticating' ||
    login.name === 'registering' ||
    (login.name === 'ready' && login.relogin !== null);
  if (busy) return send(draft, writer(draft).loginRefused(frame.id, 'A login is already being checked'));
  if (frame.credentials === null) return refuse(draft, frame.id, 'Login Incorrect', now, settings);
  const request = `${state.contact}:${state.sequence}`;
  draft.state = { ...state, sequence: state.sequence + 1 };
  if (login.name === 'ready') enter(draft, { ...login, relogin: { request, frame: frame.id, says: frame } });
  else {
    draft.state = { ...draft.state, agent: frame.agent };
    enter(draft, {
      name: 'authenticating',
      request,
      frame: frame.id,
      sessid: frame.sessid ?? null,
      until: now + settings.loginMs,
    });
  }
  draft.out.push({ type: 'authenticate', request, credentials: frame.credentials });
}

/** What a proven client hears when it cannot be registered: nothing is wrong with its password. */
const NOT_NOW = 'Login is not possible right now, try again';

/** Answers a login that is not possible now; it is none of the failures that close the socket. */
function putOff(draft: Draft, id: FrameId, now: Ms, settings: SessionSettings): void {
  send(draft, writer(draft).loginRefused(id, NOT_NOW));
  enter(draft, { name: 'connected', until: now + settings.retryMs });
}

/** Answers a login that failed. Never -32000: a client would log in again at once, without end. */
function refuse(draft: Draft, id: FrameId, why: string, now: Ms, settings: SessionSettings): void {
  const failures = draft.state.failures + 1;
  draft.state = { ...draft.state, failures };
  const { login } = draft.state;
  send(draft, writer(draft).loginRefused(id, why));
  if (login.name === 'ready') enter(draft, { ...login, relogin: null });
  else enter(draft, { name: 'connected', until: now + settings.retryMs });
  if (failures >= settings.failedLogins) close(draft, POLICY, 'too many failed logins');
}

function authenticated(
  draft: Draft,
  input: Extract<SessionInput, { type: 'authenticated' }>,
  now: Ms,
  settings: SessionSettings,
): void {
  const { login } = draft.state;
  const { result } = input;
  if (login.name === 'ready') {
    if (login.relogin?.request !== input.request) return;
    const { frame } = login.relogin;
    if (!result.ok) return refuse(draft, frame, result.why, now, settings);
    if (result.user !== login.user)
      return refuse(draft, frame, 'This connection belongs to another user', now, settings);
    return again(draft, login, result.iceServers);
  }
  if (login.name !== 'authenticating' || login.request !== input.request) return;
  if (!result.ok) return refuse(draft, login.frame, result.why, now, settings);
  const { owner, sessid } = draft.state;
  if (owner !== null && owner !== result.user)
    return refuse(draft, login.frame, 'This connection belongs to another user', now, settings);
  // The client's own sessid is given back, since some clients insist; by itself it grants nothing.
  draft.state = { ...draft.state, owner: result.user, sessid: login.sessid ?? sessid };
  register(draft, result.user, {
    name: 'registering',
    user: result.user,
    frame: login.frame,
    waiting: [],
    iceServers: result.iceServers ?? [],
    until: now + settings.loginMs,
  });
}

/** A login on a socket that is logged in is read anew: a fresh token, other words about the client, or a person who declines. */
function again(
  draft: Draft,
  login: Extract<Login, { name: 'ready' }>,
  iceServers?: readonly IceServer[],
): void {
  const { frame, says } = login.relogin!;
  const { state } = draft;
  enter(draft, { ...login, relogin: null });
  draft.state = {
    ...draft.state,
    failures: 0,
    sessid: says.sessid ?? state.sessid,
    agent: says.agent.text === '' ? state.agent : says.agent,
  };
  loggedIn(draft, frame, iceServers);
  if (says.declines === true) draft.out.push({ type: 'declined' });
}

/** The parsers of native clients are strict, and their servers fixed: they get the bare answer. */
function loggedIn(draft: Draft, frame: FrameId, iceServers?: readonly IceServer[]): void {
  const { takesIceServers } = traitsOf(draft.state.agent);
  send(draft, writer(draft).loggedIn(frame, takesIceServers ? iceServers : undefined));
}

function register(draft: Draft, user: string, login: Login): void {
  const sequence = draft.state.registers + 1;
  draft.state = { ...draft.state, registers: sequence };
  enter(draft, login);
  draft.out.push({ type: 'register', user, sequence });
}

function registered(
  draft: Draft,
  input: Extract<SessionInput, { type: 'registered' }>,
  now: Ms,
  settings: SessionSettings,
): void {
  const { status, expiresMs, calls } = input;
  const { login } = draft.state;
  if (status < 200) return;
  const refreshAt = now + Math.max(1000, expiresMs * 0.8);
  if (login.name === 'ready') {
    if (status < 300) return enter(draft, { ...login, refreshAt });
    log(draft, 'warn', 'registration not refreshed', { user: login.user, status });
    // The user is gone: the socket goes, too. Anything else is tried again.
    if (FORBIDDEN.includes(status)) close(draft, POLICY, 'no longer registered');
    return;
  }
  if (login.name !== 'registering') return;
  if (status >= 300) {
    log(draft, 'warn', 'registration refused', { user: login.user, status });
    if (!FORBIDDEN.includes(status)) return putOff(draft, login.frame, now, settings);
    return refuse(draft, login.frame, `Registration failed (${status})`, now, settings);
  }
  const { hearsAt, pingMs } = traitsOf(draft.state.agent);
  const back = draft.state.homecoming === 'due';
  const atOnce = back && hearsAt === 'clientReady';
  const asks = login.waiting.length > 0;
  const dueAt = back && !atOnce && !asks ? now + UNASKED_MS : null;
  const questions = atOnce ? login.waiting : [];
  enter(draft, { name: 'ready', user: login.user, refreshAt, relogin: null, questions, dueAt });
  draft.state = { ...draft.state, failures: 0, told: 0, pingAt: now + pingMs };
  loggedIn(draft, login.frame, login.iceServers);
  request(draft, (id) => writer(draft).clientReady(id, calls));
  if (atOnce) resume(draft, 'telling');
  else for (const id of login.waiting) registeredReply(draft, id, settings);
  log(draft, 'info', 'client ready', { user: login.user, agent: draft.state.agent.text });
}

/** Time to tell the client that is back of its calls. */
function resume(draft: Draft, next: Homecoming): void {
  const { login } = draft.state;
  draft.state = { ...draft.state, homecoming: next };
  if (login.name === 'ready') enter(draft, { ...login, dueAt: null });
  draft.out.push({ type: 'resumed' });
}

function told(draft: Draft, settings: SessionSettings): void {
  const { login, homecoming } = draft.state;
  if (login.name !== 'ready' || homecoming !== 'telling') return;
  draft.state = { ...draft.state, homecoming: 'no' };
  enter(draft, { ...login, questions: [] });
  for (const id of login.questions) registeredReply(draft, id, settings);
}

function registeredReply(draft: Draft, id: FrameId, settings: SessionSettings): void {
  const { reportId, homecoming, agent } = draft.state;
  send(draft, writer(draft).registered(id, { reportId, dc: settings.dc, region: settings.region }));
  if (homecoming === 'due') resume(draft, 'no');
  if (homecoming !== 'early') return;
  draft.state = { ...draft.state, homecoming: 'no' };
  // It asks late over a slow line, and one client has dropped what it heard before this answer.
  if (traitsOf(agent).dropsEarlyAttach) draft.out.push({ type: 'listens' });
}
