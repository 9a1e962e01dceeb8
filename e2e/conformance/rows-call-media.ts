import assert from 'node:assert/strict';
import type { Frame } from '../src/frame-proxy.ts';
import { pause, until } from '../src/wait.ts';
import type { Cell, Row } from './row.ts';
import { acknowledged, refuse } from './rows-calls.ts';

/** Keeps the server's answer back and gives it to `then`. */
function withhold(cell: Cell, then: (answer: Frame) => void): void {
  cell.proxy.fromServer = (frame) => {
    if (frame['method'] === 'telnyx_rtc.media') return null;
    if (frame['method'] !== 'telnyx_rtc.answer') return undefined;
    then(frame);
    return null;
  };
}

const withoutSdp = (frame: Frame): Frame => ({ ...frame, params: { ...frame['params'], sdp: undefined } });

export const CALL_MEDIA_ROWS: readonly Row[] = [
  {
    name: 'early media, then an answer without SDP',
    covers: ['wire: early media, answer without SDP'],
    async run(cell) {
      await cell.ready();
      let answer: Frame = {};
      withhold(cell, (frame) => {
        answer = frame;
        cell.proxy.ask('telnyx_rtc.media', { callID: frame['params'].callID, sdp: frame['params'].sdp });
      });
      const id = await cell.page.newCall({ destinationNumber: '9196' });
      await cell.page.reaches(id, 'early');
      await acknowledged(cell, 'telnyx_rtc.media');
      await cell.hearsItself();
      cell.proxy.toClient(withoutSdp(answer));
      const { states } = await cell.page.reaches(id, 'active');
      assert.deepEqual(states, ['new', 'requesting', 'trying', 'early', 'active']);
      await cell.hearsItself();
    },
  },
  {
    name: 'early media, then an answer that repeats the SDP',
    covers: ['wire: early media, SDP repeated'],
    async run(cell) {
      await cell.ready();
      withhold(cell, (frame) => {
        cell.proxy.ask('telnyx_rtc.media', { callID: frame['params'].callID, sdp: frame['params'].sdp });
        setTimeout(() => cell.proxy.toClient(frame), 300);
      });
      const id = await cell.page.newCall({ destinationNumber: '9196' });
      const { states } = await cell.page.reaches(id, 'active');
      assert.ok(states.includes('early'));
      await cell.hearsItself();
    },
  },
  {
    name: 'trickle, outbound: candidates both ways',
    covers: ['wire: trickle outbound', 'option trickleIce'],
    needs: { words: ['endOfCandidates'] },
    async run(cell) {
      let candidates: string[] = [];
      cell.proxy.fromServer = (frame) => {
        if (frame['method'] !== 'telnyx_rtc.answer') return undefined;
        const { callID, sdp } = frame['params'];
        candidates = String(sdp)
          .split('\r\n')
          .filter((line) => line.startsWith('a=candidate:'));
        for (const line of candidates)
          setTimeout(
            () =>
              cell.proxy.ask('telnyx_rtc.candidate', {
                callID,
                candidate: line.slice(2),
                sdpMid: '0',
                sdpMLineIndex: 0,
              }),
            200,
          );
        const bare = String(sdp)
          .replace(/a=candidate:.*\r\n/g, '')
          .replace(/a=end-of-candidates\r\n/g, '');
        return { ...frame, params: { ...frame['params'], sdp: bare } };
      };
      await cell.ready({ trickleIce: true });
      const id = await cell.page.newCall({ destinationNumber: '9196' });
      await cell.page.reaches(id, 'active');
      assert.ok(candidates.length > 0);
      const invite = cell.proxy.sent('telnyx_rtc.invite')[0]?.['params'];
      assert.equal(invite.trickle, true);
      assert.doesNotMatch(invite.sdp, /a=candidate:/);
      await cell.proxy.sends('telnyx_rtc.candidate');
      const sent = cell.proxy
        .sent('telnyx_rtc.candidate')
        .map(({ params }) => params)
        .find(({ candidate }) => candidate !== '');
      assert.match(sent.candidate, /^candidate:/);
      assert.equal(sent.dialogParams.callID, id);
      await cell.proxy.sends('telnyx_rtc.endOfCandidates');
      await acknowledged(cell, 'telnyx_rtc.candidate');
      await cell.hearsItself();
    },
  },
  {
    name: 'trickle, inbound, candidates of the server come late (ours: applied; published: never connects)',
    covers: ['wire: trickle inbound'],
    needs: { words: ['endOfCandidates'] },
    async run(cell) {
      let late: Frame[] = [];
      cell.proxy.fromServer = (frame) => {
        if (frame['method'] !== 'telnyx_rtc.invite') return undefined;
        const { callID, sdp } = frame['params'];
        late = String(sdp)
          .split('\r\n')
          .filter((line) => line.startsWith('a=candidate:'))
          .map((line) => ({ callID, candidate: line.slice(2), sdpMid: '0', sdpMLineIndex: 0 }));
        const bare = String(sdp)
          .replace(/a=candidate:.*\r\n/g, '')
          .replace(/a=end-of-candidates\r\n/g, '');
        return { ...frame, params: { ...frame['params'], sdp: bare } };
      };
      const id = await cell.rung({ trickleIce: true });
      await cell.page.act(id, 'answer');
      await cell.page.reaches(id, 'active');
      assert.ok(late.length > 0);
      for (const candidate of late) cell.proxy.ask('telnyx_rtc.candidate', candidate);
      if (cell.ours) return void (await cell.page.hears(440));
      await pause(3_000);
      assert.equal(await cell.run('sut.last.peer.instance.iceConnectionState'), 'new');
    },
  },
  {
    name: 'ICE restart by updateMedia: new credentials, sound goes on',
    covers: ['wire: ICE restart', 'warning 36004'],
    needs: { words: ['updateMedia', 'triggerIceRestart'] },
    async run(cell) {
      const id = await cell.call();
      await cell.hearsItself();
      const ufrag = async (): Promise<string> =>
        /a=ice-ufrag:(\S+)/.exec(await cell.page.localSdp())?.[1] ?? '';
      const before = await ufrag();
      await cell.run(`void sut.client.triggerIceRestart(${JSON.stringify(id)})`);
      const modify = (await cell.proxy.sends('telnyx_rtc.modify'))['params'];
      assert.deepEqual([modify.action, modify.callID], ['updateMedia', id]);
      await until(
        'new credentials',
        async () => (await ufrag()) !== before && modify.sdp.includes(await ufrag()),
      );
      await cell.until(
        'the answer',
        `sut.last.peer.instance.signalingState === 'stable' && sut.last.peer.instance.connectionState === 'connected'`,
      );
      await pause(500);
      await cell.hearsItself();
      assert.equal(await cell.run('sut.last.state'), 'active');
      if (cell.ours) await cell.warning(36004);
    },
  },
  {
    name: 'ICE restart refused: 47001',
    covers: ['error 47001'],
    needs: { words: ['updateMedia', 'ICE_RESTART_FAILED', 'triggerIceRestart'] },
    async run(cell) {
      const id = await cell.call();
      refuse(cell, 'telnyx_rtc.modify');
      await cell.run(`void sut.client.triggerIceRestart(${JSON.stringify(id)})`);
      assert.equal((await cell.error(47001)).fatal, false);
    },
  },
  {
    name: 'debug: true with replies: the call is made',
    covers: [
      'wire: debug with replies',
      'option debug',
      'quality frame',
      'event telnyx.stats.frame',
      'event telnyx.stats.report',
    ],
    needs: { words: ['debug'] },
    async run(cell) {
      const id = await cell.call({ debug: true }, { debug: true });
      if (cell.has('debug_report')) {
        const reports = (): Frame[] =>
          cell.proxy.frames
            .filter(({ up, frame }) => up && 'debug_report_id' in frame)
            .map(({ frame }) => frame);
        assert.equal(reports()[0]?.['type'], 'debug_report_start');
        await until('debug data', () => reports().some(({ type }) => type === 'debug_report_data'));
      }
      if (cell.has('telnyx.stats.frame')) {
        const frame = await cell.until<Record<string, unknown>>(
          'a frame',
          `JSON.parse(JSON.stringify(sut.payloads('telnyx.stats.frame').filter(({ quality }) => quality).at(-1) ?? null)) ?? false`,
        );
        for (const name of ['jitter', 'rtt', 'mos', 'quality', 'inboundAudio', 'outboundAudio'])
          assert.ok(name in frame, `${name} in ${Object.keys(frame)}`);
        assert.match(String(frame['quality']), /^(excellent|good|fair|poor|bad)$/);
      }
      await cell.page.act(id, 'hangup');
      await cell.page.becomes(id, 'destroy');
      if (cell.has('telnyx.stats.report'))
        await cell.until('the report', `sut.payloads('telnyx.stats.report').length`);
    },
  },
  {
    name: 'debug: true without replies (published: INVITE never sent; ours sends nothing and calls)',
    covers: ['wire: debug without replies'],
    needs: { words: ['debug'] },
    async run(cell) {
      cell.proxy.fromClient = (frame) => ('debug_report_id' in frame ? null : undefined);
      await cell.ready({ debug: true });
      const id = await cell.page.newCall({ destinationNumber: '9196', debug: true });
      // 2.22.0 sends its reports and waits for nothing.
      if (!cell.has('debug_report') || cell.sdk === '2.22.0')
        return void (await cell.page.reaches(id, 'active'));
      await until('debug_report_start', () =>
        cell.proxy.frames.some(({ frame }) => frame['type'] === 'debug_report_start'),
      );
      await pause(2_500);
      assert.deepEqual(cell.proxy.sent('telnyx_rtc.invite'), []);
      assert.equal((await cell.page.call(id)).state, 'new');
    },
  },
];
