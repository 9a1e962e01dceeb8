/**
 * What the strictest published client parsers demand of a server frame, in one place. `strictProblems` lists every
 * demand that a frame breaks; the empty list means that each client can read it.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const STATES = new Set(['REGED', 'ATTACHED']);
const REQUESTS = new Set([
  'clientReady',
  'ping',
  'invite',
  'ringing',
  'media',
  'answer',
  'attach',
  'display',
  'candidate',
  'bye',
]);

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Expectation {
  /** Ids of requests the server has sent before on this socket. */
  readonly usedIds?: Set<number>;
  /** The request that a result or error answers was a login. */
  readonly answersLogin?: boolean;
}

export function strictProblems(text: string, expectation: Expectation = {}): string[] {
  if (text.startsWith('#SP')) return /^#SP[UD]\d+$/.test(text) ? [] : ['speed test frames hold one number'];
  const problems: string[] = [];
  const demand = (met: boolean, sentence: string): void => {
    if (!met) problems.push(sentence);
  };
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return ['not JSON'];
  }
  if (!isObject(frame)) return ['not an object'];
  walk(frame, '', (path, value) => demand(value !== null, `${path} is null`));
  demand(frame['jsonrpc'] === '2.0', 'jsonrpc is missing');
  demand(
    typeof frame['voice_sdk_id'] === 'string' && frame['voice_sdk_id'] !== '',
    'no top-level voice_sdk_id',
  );
  demand('id' in frame, 'no id');
  const { method, params, result, error, id } = frame;

  if (error !== undefined) {
    demand(method === undefined, 'an error frame must have no method');
    demand(isObject(error) && typeof error['message'] === 'string', 'an error needs a message');
    const code = isObject(error) ? error['code'] : undefined;
    if (code === undefined)
      demand(
        isObject(error) && error['message'] === 'CALL DOES NOT EXIST',
        'only a failed attach has no code',
      );
    else demand(Number.isInteger(code), 'an error code must be an integer');
    if (expectation.answersLogin === true) demand(code === -32001, 'a login is refused with -32001');
    return problems;
  }
  if (result !== undefined) {
    demand(isObject(result), 'a result must be an object');
    if (!isObject(result)) return problems;
    demand(typeof result['sessid'] === 'string', 'a result needs sessid');
    const resultParams = result['params'];
    if (isObject(resultParams))
      demand(STATES.has(resultParams['state'] as string), 'params.state is no good word');
    if (method !== undefined)
      demand(
        method === 'telnyx_rtc.disable_push_notification' && typeof result['message'] === 'string',
        'only the end of push has a method and a result',
      );
    return problems;
  }

  // A request of the server.
  demand(Number.isInteger(id) && (id as number) > 0, 'the id of a server request must be an integer');
  if (typeof id === 'number' && expectation.usedIds !== undefined) {
    demand(!expectation.usedIds.has(id), `id ${id} was used before`);
    expectation.usedIds.add(id);
  }
  const name = typeof method === 'string' ? method.replace(/^telnyx_rtc\./, '') : '';
  demand(typeof method === 'string' && method.startsWith('telnyx_rtc.'), 'no method');
  demand(REQUESTS.has(name), `clients do not know the request ${name}`);
  demand(isObject(params), 'no params');
  if (isObject(params)) problems.push(...requestProblems(name, params));
  return problems;
}

function requestProblems(name: string, params: Json): string[] {
  const problems: string[] = [];
  const demand = (met: boolean, sentence: string): void => {
    if (!met) problems.push(`${name}: ${sentence}`);
  };
  const text = (key: string): void => demand(typeof params[key] === 'string', `${key} must be text`);
  demand(!('state' in params), 'params.state would be read as a gateway state');
  if (name === 'clientReady') demand(Array.isArray(params['reattached_sessions']), 'no reattached_sessions');
  if (name === 'ping') demand(Number.isInteger(params['serno']), 'no serno');
  if (name === 'clientReady' || name === 'ping') return problems;

  text('callID');
  demand(params['callID'] !== '', 'callID is empty');
  if (name === 'invite' || name === 'ringing' || name === 'answer' || name === 'attach' || name === 'media') {
    demand(UUID.test(String(params['telnyx_session_id'])), 'telnyx_session_id must be a UUID');
    demand(UUID.test(String(params['telnyx_leg_id'])), 'telnyx_leg_id must be a UUID');
  }
  if (name === 'invite' || name === 'attach' || name === 'ringing')
    for (const key of ['caller_id_name', 'caller_id_number', 'callee_id_name', 'callee_id_number']) text(key);
  if (name === 'invite') demand(UUID.test(String(params['callID'])), 'callID must be a UUID');
  if (name === 'invite' || name === 'attach' || name === 'media') text('sdp');
  if ('sdp' in params) text('sdp');
  if (name === 'candidate') {
    text('candidate');
    text('sdpMid');
    demand(Number.isInteger(params['sdpMLineIndex']), 'sdpMLineIndex must be an integer');
  }
  if (name === 'bye') {
    demand(typeof params['cause'] === 'string' && params['cause'] !== '', 'cause must not be empty');
    demand(Number.isInteger(params['causeCode']), 'causeCode must be an integer');
    demand(Number.isInteger(params['sipCode']), 'sipCode must be an integer');
    text('sipReason');
    text('sip_call_id');
  }
  const { variables } = params;
  if (variables !== undefined)
    demand(
      isObject(variables) && Object.values(variables).every((v) => typeof v === 'string'),
      'variables are texts',
    );
  const dialog = params['dialogParams'];
  if (dialog === undefined) return problems;
  demand(isObject(dialog), 'dialogParams must be an object');
  if (!isObject(dialog)) return problems;
  demand(!('userVariables' in dialog), 'dialogParams.userVariables breaks a parser');
  for (const key of ['custom_headers', 'customHeaders']) {
    const list = dialog[key];
    if (list === undefined && key === 'customHeaders') continue;
    demand(
      Array.isArray(list) &&
        list.every((h) => isObject(h) && typeof h['name'] === 'string' && typeof h['value'] === 'string'),
      `dialogParams.${key} must be a list of {name, value}`,
    );
  }
  return problems;
}

function walk(value: unknown, path: string, visit: (path: string, value: unknown) => void): void {
  visit(path, value);
  if (Array.isArray(value)) for (const [i, item] of value.entries()) walk(item, `${path}[${i}]`, visit);
  else if (isObject(value))
    for (const [key, item] of Object.entries(value)) walk(item, `${path}.${key}`, visit);
}
