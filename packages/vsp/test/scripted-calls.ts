import assert from 'node:assert/strict';
import { Bench, sdpOf } from './bench.ts';

export const dialled = {
  destination_number: '+1 (555) 123',
  caller_id_name: 'Ann',
  caller_id_number: '+1555000',
};

/** A logged-in client whose INVITE has reached voice. */
export const calling = (dialog: object = {}, params: object = {}): Bench => {
  const bench = new Bench();
  bench.login('s1');
  bench.trace.length = 0;
  bench.call(
    's1',
    'i',
    'invite',
    { sdp: sdpOf('client'), 'User-Agent': 'Web-2.27.10', ...params },
    { ...dialled, ...dialog },
  );
  return bench;
};

/** The same, answered. The trace is empty. */
export const active = (dialog: object = {}): Bench => {
  const bench = calling(dialog);
  bench.respond(180);
  bench.respond(200, { sdp: sdpOf('platform', 'sendrecv', 'passive') });
  bench.trace.length = 0;
  return bench;
};

export const voiceSdkId = (bench: Bench, socket = 's1'): string =>
  bench.frames.findLast((f) => f.socket === socket)!.json['voice_sdk_id'];

/** Opens `socket` and logs in with what the client kept. Gives the list of its calls. */
export function comesBack(
  bench: Bench,
  socket: string,
  kept: { token?: string; sessid?: string },
  user = 'line1',
): readonly string[] {
  bench.open(socket, kept.token === undefined ? {} : { voice_sdk_id: kept.token });
  const sessid = kept.sessid === undefined ? {} : { sessid: kept.sessid };
  const login = { login: user, passwd: bench.passwords[user], reconnection: true, ...sessid };
  bench.request(socket, `login-${socket}`, 'login', login);
  return bench.told(socket, 'clientReady')!['reattached_sessions'];
}

export const becomesReady = (bench: Bench, socket: string): void => {
  assert.equal(
    bench.request(socket, `g-${socket}`, 'telnyx_rtc.gatewayState')['result'].params.state,
    'REGED',
  );
};

/** Content types of the INFOs that voice got. */
export const infos = (bench: Bench): readonly (string | undefined)[] =>
  bench.heard.filter((out) => out.type === 'info').map((out) => out.request.headers.contentType);
