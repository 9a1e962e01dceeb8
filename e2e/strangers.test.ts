import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BackEnd } from './src/back-end.ts';
import { Baresip } from './src/baresip.ts';
import { needs } from './src/peer-availability.ts';
import { freePort } from './src/ports.ts';
import { sidetone, TestServer } from './src/server.ts';
import { sine } from './src/tone.ts';
import { until } from './src/wait.ts';
import { wavOf } from './src/wav.ts';

/** A phone without a login calls the subdomain of an application. */
describe('a stranger who calls an application', { ...needs('baresip'), timeout: 120_000 }, () => {
  let server: TestServer;
  let backEnd: BackEnd;
  let phone: Baresip;

  before(async () => {
    server = await TestServer.start({ config: { webhooks: { allow: ['127.0.0.1'] } } });
    const made = await sidetone('key', 'create', '--config', server.configFile, '--data', server.dataDir);
    backEnd = await BackEnd.open(server.url, /KEY\S+/.exec(made.stdout)![0]);
    phone = await Baresip.start(await freePort(), [{ user: 'guest', answer: 'manual', by: server.sipPort }]);
  });
  after(async () => {
    await phone?.stop();
    backEnd?.close();
    await server?.stop();
  });

  it('is told by UDP to come again, which baresip does; is answered, hears a tone, and hangs up', async () => {
    await backEnd.must('POST', '/call_control_applications', {
      application_name: 'shop',
      webhook_event_url: `${backEnd.url}/hook`,
      inbound: { sip_subdomain: 'shop' },
    });
    await phone.command('dial', 'sip:orders@shop.sip.localhost');
    const { control, payload } = await until(
      'call.initiated',
      () => backEnd.events.find(({ name }) => name === 'call.initiated'),
      { detail: () => `${phone.report()}\n${server.log}` },
    );
    assert.deepEqual(
      [payload.direction, payload.state, payload.calling_party_type, payload.to],
      ['incoming', 'parked', 'sip', 'orders@shop.sip.localhost'],
    );
    assert.match(payload.from, /^guest@/);
    await backEnd.commands(control, 'answer');
    await phone.sees('CALL_ESTABLISHED');
    const audio_url = backEnd.serve('tone.wav', wavOf(sine(1_500, 16_000, 16_000 * 2, 0.5), 16_000));
    await backEnd.commands(control, 'playback_start', { audio_url, loop: 'infinity' });
    await phone.hears(1_500);
    await phone.command('hangup');
    const { payload: end } = await backEnd.hears(control, 'call.hangup');
    assert.deepEqual([end.hangup_cause, end.hangup_source], ['normal_clearing', 'caller']);
  });
});
