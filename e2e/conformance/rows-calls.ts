import assert from 'node:assert/strict';
import type { Frame } from '../src/frame-proxy.ts';
import { until } from '../src/wait.ts';
import type { Cell, Row } from './row.ts';

/** Swallows the reply to the client's next request of a method and puts an error in its place. */
export function refuse(cell: Cell, method: string): void {
  cell.proxy.fromClient = (frame) => {
    if (frame['method'] !== method) return undefined;
    cell.proxy.toClient({ jsonrpc: '2.0', id: frame['id'], error: { code: -32002, message: 'CALL ERROR' } });
    return null;
  };
}

const statesOf = async (cell: Cell, id: string): Promise<readonly string[]> =>
  (await cell.page.call(id)).states;

/** Waits until the client acknowledged a request of the server. */
export async function acknowledged(cell: Cell, method: string): Promise<Frame> {
  const ack = await until(
    `the acknowledgement of ${method}`,
    () => cell.proxy.got(method).map(({ id }) => cell.proxy.acknowledged(id))[0],
    { detail: () => cell.proxy.transcript() },
  );
  assert.deepEqual(ack['result'], { method });
  return ack;
}

export const CALL_ROWS: readonly Row[] = [
  {
    name: 'outbound: invite → trying → ringing message → answer → active, sound both ways',
    covers: [
      'wire: outbound call',
      'member newCall',
      'notification callUpdate',
      'event telnyx.notification',
      'call option destinationNumber',
      'call option audio',
      'call member state',
      'call member direction',
      'call member streams',
      'device remote element',
    ],
    async run(cell) {
      await cell.ready();
      const id = await cell.page.newCall({
        destinationNumber: '9196',
        callerNumber: '+15550001111',
        callerName: 'Alice',
      });
      const { states } = await cell.page.reaches(id, 'active');
      assert.deepEqual(
        states.filter((state) => state !== 'early'),
        ['new', 'requesting', 'trying', 'active'],
      );
      const [invite] = cell.proxy.sent('telnyx_rtc.invite');
      assert.equal(invite?.['params'].dialogParams.callID, id);
      assert.equal(invite?.['params'].dialogParams.destination_number, '9196');
      assert.match(invite?.['params'].sdp, /^v=0[\s\S]*a=candidate:/);
      assert.match(invite?.['params'].sdp, /a=setup:actpass/);
      await acknowledged(cell, 'telnyx_rtc.answer');
      await cell.hearsItself();
      assert.deepEqual(
        await cell.run(`({
          direction: sut.last.direction, prev: sut.last.prevState,
          local: sut.last.localStream.getAudioTracks().length, remote: sut.last.remoteStream.getAudioTracks().length,
          peer: sut.last.peer.instance instanceof RTCPeerConnection,
          element: sut.client.remoteElement.srcObject === sut.last.remoteStream,
          listed: sut.client.calls[${JSON.stringify(id)}] === sut.last,
        })`),
        {
          direction: 'outbound',
          prev: states.at(-2),
          local: 1,
          remote: 1,
          peer: true,
          element: true,
          listed: true,
        },
      );
    },
  },
  {
    name: 'outbound to another user: ringing is acknowledged, no state of its own; answered, heard',
    covers: ['wire: ringing'],
    async run(cell) {
      await cell.ready();
      const id = await cell.page.newCall({ destinationNumber: 'friend', callerNumber: cell.user });
      const far = await cell.friend.rung(cell.user);
      await acknowledged(cell, 'telnyx_rtc.ringing');
      assert.ok(!(await statesOf(cell, id)).includes('ringing'));
      await cell.friend.answers(far);
      await cell.page.reaches(id, 'active');
      await cell.page.hears(440);
      await cell.friend.hears(far);
      await cell.friend.hangsUp(far);
      assert.equal((await cell.page.ended(id)).cause, 'NORMAL_CLEARING');
      await acknowledged(cell, 'telnyx_rtc.bye');
    },
  },
  {
    name: 'telnyxIDs from ringing and answer',
    covers: ['call member telnyxIDs'],
    needs: { published: /\.Ringing:[^}]{0,120}telnyx_call_control_id/ },
    async run(cell) {
      await cell.ready();
      await cell.page.newCall({ destinationNumber: 'friend', callerNumber: cell.user });
      await cell.friend.answers(await cell.friend.rung(cell.user));
      const ids = await cell.until<Record<string, string>>(
        'telnyxIDs',
        'sut.last.telnyxIDs.telnyxLegId && sut.last.telnyxIDs',
      );
      const { params } = cell.proxy.got('telnyx_rtc.ringing')[0] ?? {};
      assert.deepEqual(ids, {
        telnyxCallControlId: params.telnyx_call_control_id,
        telnyxSessionId: params.telnyx_session_id,
        telnyxLegId: params.telnyx_leg_id,
      });
    },
  },
  {
    name: 'hold, unhold, toggleHold',
    covers: ['wire: hold', 'call member hold', 'quality hold'],
    async run(cell) {
      const id = await cell.call();
      for (const [method, state] of [
        ['hold', 'held'],
        ['unhold', 'active'],
        ['toggleHold', 'held'],
        ['toggleHold', 'active'],
      ] as const) {
        const before = cell.proxy.sent('telnyx_rtc.modify').length;
        const result = await cell.run(`Promise.resolve(sut.last.${method}())`);
        if (cell.has('reattached_sessions')) assert.equal(result, true);
        await cell.page.becomes(id, state);
        const modify = cell.proxy.sent('telnyx_rtc.modify')[before];
        assert.equal(modify?.['params'].action, method);
        assert.equal(modify?.['params'].sdp, undefined);
        assert.equal(await cell.run('sut.last.localStream.getAudioTracks()[0].enabled'), true);
      }
      await cell.hearsItself();
    },
  },
  {
    name: 'hold refused: 44001, false, the state stays',
    covers: ['error 44001'],
    needs: { words: ['HOLD_FAILED'] },
    async run(cell) {
      await cell.call();
      refuse(cell, 'telnyx_rtc.modify');
      assert.equal(await cell.run('sut.last.hold()'), false);
      assert.equal((await cell.error(44001)).fatal, false);
      assert.equal(await cell.run('sut.last.state'), 'active');
    },
  },
  {
    name: 'hold unanswered: 44001, 36003, and a new connection',
    covers: ['wire: hold unanswered'],
    needs: { words: ['SIGNALING_RECOVERY_REQUIRED'] },
    async run(cell) {
      const id = await cell.call();
      let deaf = true;
      cell.proxy.fromServer = () => (deaf ? null : undefined);
      await cell.run(`(sut.last.hold().catch(() => false).then((done) => { window.held = done; }), true)`);
      await cell.proxy.sends('telnyx_rtc.modify');
      await cell.warning(36003, 30_000);
      deaf = false;
      assert.equal((await cell.error(44001)).fatal, false);
      await cell.until('ready again', `sut.payloads('telnyx.ready').length === 2`, 30_000);
      assert.equal(await cell.until('the promise', 'window.held !== undefined'), true);
      assert.equal(await cell.run('window.held'), false);
      assert.match((await cell.page.call(id)).state, /active|held|recovering/);
    },
  },
  {
    name: 'DTMF as info',
    covers: ['wire: DTMF', 'call member dtmf'],
    async run(cell) {
      await cell.call();
      await cell.run(`void sut.last.dtmf('12#')`);
      const info = await cell.proxy.sends('telnyx_rtc.info');
      assert.equal(info['params'].dtmf, '12#');
      assert.equal(info['params'].dialogParams.callID, await cell.run('sut.last.id'));
    },
  },
  {
    name: 'text message in a call',
    covers: ['call member message'],
    async run(cell) {
      await cell.call();
      await cell.run(`void sut.last.message('bob', 'hello')`);
      const info = await cell.proxy.sends('telnyx_rtc.info');
      assert.deepEqual([info['params'].msg.to, info['params'].msg.body], ['bob', 'hello']);
    },
  },
  {
    name: 'display → participantData',
    covers: ['wire: display', 'notification participantData'],
    async run(cell) {
      const id = await cell.call();
      cell.proxy.ask('telnyx_rtc.display', {
        callID: id,
        display_name: 'Bob',
        display_number: '1002',
        display_direction: 'inbound',
      });
      const data = await cell.until(
        'participantData',
        `sut.payloads('telnyx.notification').filter(({ type }) => type === 'participantData').map((one) => [
          one.displayName, one.displayNumber, one.displayDirection, one.call?.id])[0]`,
      );
      assert.deepEqual(data, ['Bob', '1002', 'outbound', id]);
      await acknowledged(cell, 'telnyx_rtc.display');
    },
  },
  {
    name: 'hang-up: BYE 16, hangup, destroy, gone from calls',
    covers: ['wire: hangup', 'call member hangup', 'call member cause', 'member calls'],
    async run(cell) {
      const id = await cell.call();
      await cell.page.act(id, 'hangup');
      const bye = await cell.proxy.sends('telnyx_rtc.bye');
      // 2.25.10 and older say USER_BUSY at every hang-up, whatever the application states.
      assert.deepEqual(
        [bye['params'].cause, bye['params'].causeCode],
        cell.structured ? ['NORMAL_CLEARING', 16] : ['USER_BUSY', 17],
      );
      await cell.page.becomes(id, 'destroy');
      const { states, cause, causeCode } = await cell.page.call(id);
      assert.deepEqual(states.slice(-2), ['hangup', 'destroy']);
      if (cell.structured) assert.deepEqual([cause, causeCode], ['NORMAL_CLEARING', 16]);
      assert.deepEqual(await cell.run('Object.keys(sut.client.calls)'), []);
    },
  },
  {
    name: 'hang-up with cause, codes and headers of the application',
    covers: ['call option hangup params'],
    needs: { published: /hasDialogCustomHeaders/ },
    async run(cell) {
      await cell.call();
      const params = {
        cause: 'CALL_REJECTED',
        causeCode: 21,
        sipCode: 603,
        ...(cell.structured ? { dialogParams: { customHeaders: [{ name: 'X-Bye', value: 'now' }] } } : {}),
      };
      await cell.run(`void sut.last.hangup(${JSON.stringify(params)})`);
      const { params: sent } = await cell.proxy.sends('telnyx_rtc.bye');
      assert.deepEqual([sent.cause, sent.causeCode], ['CALL_REJECTED', 21]);
      if (!cell.structured) return;
      assert.equal(sent.sipCode, 603);
      assert.ok(
        JSON.stringify(sent.dialogParams).includes('"name":"X-Bye","value":"now"'),
        JSON.stringify(sent.dialogParams),
      );
    },
  },
  {
    name: 'hang-up refused: 44003, over all the same',
    covers: ['error 44003'],
    needs: { words: ['BYE_SEND_FAILED'] },
    async run(cell) {
      const id = await cell.call();
      refuse(cell, 'telnyx_rtc.bye');
      await cell.page.act(id, 'hangup');
      assert.equal((await cell.error(44003)).fatal, false);
      await cell.page.becomes(id, 'destroy');
    },
  },
  {
    name: 'inbound: ringing → answering → active; headers, caller, state of the application',
    covers: ['wire: inbound call', 'call member answer', 'call member options', 'call option answer params'],
    async run(cell) {
      let invited: Frame = {};
      cell.proxy.fromServer = (frame) =>
        frame['method'] === 'telnyx_rtc.invite'
          ? (invited = { ...frame, params: { ...frame['params'], client_state: 'Y3M=' } })
          : undefined;
      const id = await cell.rung();
      const far = await cell.friend.callTo(cell.user);
      assert.equal(id, invited['params'].callID);
      await acknowledged(cell, 'telnyx_rtc.invite');
      const headers = JSON.stringify([{ name: 'X-Ans', value: 'a' }]);
      await cell.run(`void sut.last.answer({ customHeaders: ${headers} })`);
      const { states, direction } = await cell.page.reaches(id, 'active');
      assert.deepEqual(states, ['new', 'ringing', 'answering', 'active']);
      assert.equal(direction, 'inbound');
      const answer = cell.proxy.sent('telnyx_rtc.answer')[0]?.['params'];
      assert.match(answer.sdp, /a=setup:active/);
      assert.equal(answer.dialogParams.callID, id);
      const options = await cell.run<
        Record<string, unknown>
      >(`(({ remoteCallerNumber, remoteCallerName, clientState }) =>
        ({ remoteCallerNumber, remoteCallerName, clientState }))(sut.last.options)`);
      assert.equal(options['remoteCallerNumber'], invited['params'].caller_id_number);
      if (cell.has('custom_headers')) {
        assert.equal(options['remoteCallerName'], invited['params'].caller_id_name);
        assert.equal(options['clientState'], 'Y3M=');
        // The published ones put the answer's headers in their place.
        assert.match(JSON.stringify(answer.dialogParams.custom_headers), /"X-Ans"/);
      }
      await cell.page.hears(440);
      await cell.friend.hears(far);
    },
  },
  {
    name: 'inbound custom headers in call.options',
    covers: ['call option customHeaders in'],
    needs: { words: ['custom_headers'] },
    async run(cell) {
      const id = await cell.rung();
      const { headers } = await cell.page.call(id);
      assert.deepEqual(
        headers.find(({ name }) => name.toLowerCase() === 'x-in'),
        { name: 'X-In', value: 'yes' },
      );
    },
  },
  {
    name: 'BYE of the server with sipCode, sipReason and ids',
    covers: ['wire: server BYE', 'call member sipCode'],
    async run(cell) {
      cell.proxy.fromServer = (frame) =>
        frame['method'] === 'telnyx_rtc.bye'
          ? {
              ...frame,
              params: {
                ...frame['params'],
                cause: 'NORMAL_CLEARING',
                causeCode: 16,
                sipCode: 200,
                sipReason: 'OK',
                sip_call_id: 'abc@x',
              },
            }
          : undefined;
      const id = await cell.rung();
      await cell.page.act(id, 'answer');
      await cell.page.reaches(id, 'active');
      await cell.friend.hangsUp(await cell.friend.callTo(cell.user));
      await cell.page.becomes(id, 'destroy');
      assert.deepEqual((await statesOf(cell, id)).slice(-2), ['hangup', 'destroy']);
      const ending = await cell.run(
        '[sut.last.cause, sut.last.causeCode, sut.last.sipCode, sut.last.sipReason, sut.last.sipCallId]',
      );
      assert.deepEqual(ending, ['NORMAL_CLEARING', 16, 200, 'OK', 'abc@x']);
      assert.deepEqual(cell.proxy.sent('telnyx_rtc.bye'), []);
    },
  },
  {
    name: 'rejected with 486: USER_BUSY/17, sipCode 486',
    covers: ['wire: 486'],
    async run(cell) {
      await cell.ready();
      const id = await cell.page.newCall({ destinationNumber: 'friend', callerNumber: cell.user });
      const far = await cell.friend.rung(cell.user);
      await cell.friend.hangsUp(far, { cause: 'USER_BUSY', causeCode: 17, sipCode: 486 });
      await cell.page.becomes(id, 'destroy');
      const { cause, causeCode, sipCode, states } = await cell.page.call(id);
      assert.deepEqual([cause, causeCode], ['USER_BUSY', 17]);
      assert.deepEqual(states.slice(-2), ['hangup', 'destroy']);
      assert.equal(sipCode, 486);
    },
  },
  {
    name: 'invite refused: 40005, BYE, over',
    covers: ['wire: invite error', 'error 40005'],
    async run(cell) {
      await cell.ready();
      refuse(cell, 'telnyx_rtc.invite');
      const id = await cell.page.newCall({ destinationNumber: '9196' });
      await cell.page.becomes(id, 'destroy');
      await cell.proxy.sends('telnyx_rtc.bye');
      if (!cell.structured) return;
      const error = await cell.error(40005);
      assert.deepEqual([error.name, error.fatal, error.callId], ['SDP_SEND_FAILED', true, id]);
    },
  },
  {
    name: 'an answer that is no SDP: 40004, BYE',
    covers: ['error 40004'],
    async run(cell) {
      await cell.ready();
      cell.proxy.fromServer = (frame) =>
        frame['method'] === 'telnyx_rtc.answer' || frame['method'] === 'telnyx_rtc.media'
          ? { ...frame, params: { ...frame['params'], sdp: 'nonsense' } }
          : undefined;
      const id = await cell.page.newCall({ destinationNumber: '9196' });
      await cell.proxy.sends('telnyx_rtc.bye');
      await cell.page.ended(id);
      if (cell.structured) assert.equal((await cell.error(40004)).fatal, true);
    },
  },
];
