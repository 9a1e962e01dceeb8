import assert from 'node:assert/strict';
import type { ApiBench } from './api.ts';
import { madeEvent } from './events.ts';
import { CALL_ROWS } from './official-calls.ts';
import { CONFERENCE_ROWS } from './official-conferences.ts';
import { QUEUE_ROWS } from './official-queues.ts';
import {
  type Client,
  clientOf,
  Missing,
  type Outcome,
  type Row,
  Run,
  VERSIONS,
  type Version,
} from './official-run.ts';
import { until } from './running.ts';

const ROWS: readonly Row[] = [
  {
    method: 'outboundVoiceProfiles.create',
    run: async (on) => {
      const { data } = await on.call(['outboundVoiceProfiles.create'], { name: on.name });
      on.ids['profile'] = data.id;
      assert.equal(data.record_type, 'outbound_voice_profile');
    },
  },
  {
    method: 'outboundVoiceProfiles.list',
    run: async (on) => {
      const all = await on.all('outboundVoiceProfiles');
      if (on.ids['profile'] !== undefined) assert.ok(all.some((p) => p.id === on.ids['profile']));
    },
  },
  {
    method: 'credentialConnections.create',
    run: async (on) => {
      const profile = on.ids['profile'];
      const { data } = await on.call(['credentialConnections.create'], {
        connection_name: on.name,
        user_name: on.name,
        password: 'password of it',
        sip_uri_calling_preference: 'internal',
        inbound: { dnis_number_format: 'sip_username', simultaneous_ringing: 'enabled' },
        outbound: {
          call_parking_enabled: true,
          ...(profile === undefined ? {} : { outbound_voice_profile_id: profile }),
        },
      });
      on.ids['connection'] = data.id;
      assert.equal(data.user_name, on.name);
      assert.equal(data.outbound.call_parking_enabled, true);
      assert.equal(typeof data.id, 'string');
    },
  },
  {
    method: 'credentialConnections.retrieve',
    run: async (on) => {
      const { data } = await on.call(['credentialConnections.retrieve'], on.ids['connection']);
      assert.equal(data.connection_name, on.name);
    },
  },
  {
    method: 'credentialConnections.update',
    run: async (on) => {
      const { data } = await on.call(['credentialConnections.update'], on.ids['connection'], {
        active: true,
        tags: ['x'],
      });
      assert.deepEqual(data.tags, ['x']);
    },
  },
  {
    method: 'credentialConnections.list',
    run: async (on) => {
      const all = await on.all('credentialConnections');
      assert.ok(all.some((c) => c.id === on.ids['connection']));
    },
  },
  {
    method: 'credentialConnections.actions.checkRegistrationStatus',
    run: async (on) => {
      const { data } = await on.call(
        ['credentialConnections.actions.checkRegistrationStatus'],
        on.ids['connection'],
      );
      assert.equal(data.status, 'Not Registered');
    },
  },
  {
    method: 'telephonyCredentials.create',
    run: async (on) => {
      for (const name of ['a', 'b', 'c']) {
        const { data } = await on.call(['telephonyCredentials.create'], {
          connection_id: on.ids['connection'],
          name,
          tag: on.name,
        });
        assert.match(data.sip_username, /^gencred/);
        on.ids['credential'] = data.id;
        on.made['credential'] = data;
      }
    },
  },
  {
    method: 'telephonyCredentials.retrieve',
    run: async (on) => {
      const methods = on.old
        ? ['telephonyCredentials.retrieveCredential']
        : ['telephonyCredentials.retrieve'];
      const { data } = await on.call(methods, on.ids['credential']);
      assert.equal(data.resource_id, `connection:${on.ids['connection']}`);
    },
  },
  {
    method: 'telephonyCredentials.list',
    run: async (on) => {
      const resource_id = `connection:${on.ids['connection']}`;
      const filter = { resource_id, status: 'active' };
      const all = await on.all('telephonyCredentials', on.old ? { filter } : { filter });
      assert.deepEqual(
        all.map((c) => c.name),
        on.version === '4.6.0' ? ['a'] : ['a', 'b', 'c'],
      );
    },
  },
  {
    method: 'telephonyCredentials.update',
    run: async (on) => {
      const { data } = await on.call(['telephonyCredentials.update'], on.ids['credential'], {
        name: 'renamed',
      });
      assert.equal(data.name, 'renamed');
    },
  },
  {
    method: 'telephonyCredentials.createToken',
    run: async (on) => {
      const methods = [
        'telephonyCredentials.createToken',
        'telephonyCredentials.generateAccessTokenFromCredential',
      ];
      const answer = await on.call(methods, on.ids['credential']);
      const token = typeof answer === 'string' ? answer : answer.data;
      const verified = await on.bench.service.tokens.verify(token, on.bench.people.now);
      assert.equal(verified.ok && verified.value.userId, on.ids['credential']);
    },
  },
  {
    method: 'callControlApplications.create',
    run: async (on) => {
      const { data } = await on.call(['callControlApplications.create'], {
        application_name: on.name,
        webhook_event_url: 'https://app.example/hook',
      });
      on.ids['application'] = data.id;
      on.made['application'] = data;
      assert.equal(data.webhook_event_url, 'https://app.example/hook');
    },
  },
  {
    method: 'callControlApplications.retrieve',
    run: async (on) => {
      const { data } = await on.call(['callControlApplications.retrieve'], on.ids['application']);
      assert.equal(data.application_name, on.name);
    },
  },
  {
    method: 'callControlApplications.update',
    run: async (on) => {
      const body = { application_name: on.name, webhook_event_url: 'https://app.example/other' };
      const { data } = on.old
        ? await on.made['application'].update(body)
        : await on.call(['callControlApplications.update'], on.ids['application'], body);
      assert.equal(data.webhook_event_url, 'https://app.example/other');
    },
  },
  {
    method: 'callControlApplications.list',
    run: async (on) => {
      const filter = { application_name: { contains: on.name } };
      if (on.old) {
        // Version 1 turns this list into an object of its own before its paging looks at it.
        const { data, meta } = await on.call(['callControlApplications.list'], { filter });
        assert.equal(data[0].application_name, on.name);
        return assert.equal(meta.total_results, 1);
      }
      const all = await on.all('callControlApplications', { filter });
      assert.equal(all.length, 1);
    },
  },
  {
    method: 'callEvents.list',
    run: async (on) => {
      const event = madeEvent({ account: on.account, leg: `leg of ${on.name}` });
      on.ids['event'] = event.id;
      on.bench.events.save({ kind: 'event', event });
      await until('it is written', () => on.bench.events.state.waiting === 0);
      const all = await on.all('callEvents', { filter: { leg_id: event.lane } });
      assert.ok(all.some(({ metadata }) => metadata.id === event.id));
    },
  },
  {
    method: 'webhookDeliveries.list',
    run: async (on) => {
      const all = await on.all('webhookDeliveries', { filter: { status: { eq: 'pending' } } });
      assert.ok(all.some(({ id }) => id === on.ids['event']));
    },
  },
  {
    method: 'webhookDeliveries.retrieve',
    run: async (on) => {
      const { data } = await on.call(['webhookDeliveries.retrieve'], on.ids['event']);
      assert.equal(data.webhook.event_type, 'call.bridged');
    },
  },
  {
    method: 'connections.list',
    run: async (on) => {
      const all = await on.all('connections');
      if (on.version !== '4.6.0') assert.ok(all.some((c) => c.id === on.ids['application']));
    },
  },
  {
    method: 'connections.retrieve',
    run: async (on) => {
      const { data } = await on.call(['connections.retrieve'], on.ids['connection']);
      assert.equal(data.record_type, 'credential_connection');
    },
  },
  {
    method: 'phoneNumbers.list',
    run: async (on) => {
      const all = await on.all('phoneNumbers', { filter: { phone_number: on.number } });
      assert.equal(all.length, 1);
      on.ids['number'] = all[0].id;
    },
  },
  {
    method: 'phoneNumbers.retrieve',
    run: async (on) => {
      const { data } = await on.call(['phoneNumbers.retrieve'], on.ids['number']);
      assert.equal(data.phone_number, on.number);
    },
  },
  {
    method: 'phoneNumbers.update',
    run: async (on) => {
      const { data } = await on.call(['phoneNumbers.update'], on.ids['number'], {
        connection_id: on.ids['connection'],
      });
      assert.equal(data.connection_name, on.name);
    },
  },
  {
    method: 'phoneNumbers.voice.retrieve',
    run: async (on) => {
      const { data } = await on.call(
        ['phoneNumbers.voice.retrieve', 'phoneNumbers.retrieveVoiceSettings'],
        on.ids['number'],
      );
      assert.equal(data.record_type, 'voice_settings');
    },
  },
  {
    method: 'phoneNumbers.voice.update',
    run: async (on) => {
      const methods = ['phoneNumbers.voice.update', 'phoneNumbers.updateVoiceSettings'];
      const { data } = await on.call(methods, on.ids['number'], { caller_id_name_enabled: true });
      assert.equal(data.caller_id_name_enabled, true);
    },
  },
  {
    method: 'phoneNumbers.voice.list',
    run: async (on) => {
      if (typeof on.client.phoneNumbers?.voice?.list !== 'function') throw new Missing();
      assert.ok((await on.all('phoneNumbers.voice')).length > 0);
    },
  },
  {
    method: 'outboundVoiceProfiles.retrieve',
    run: async (on) => {
      if (on.ids['profile'] === undefined) throw new Missing();
      const { data } = await on.call(['outboundVoiceProfiles.retrieve'], on.ids['profile']);
      assert.equal(data.connections_count, 1);
    },
  },
  {
    method: 'outboundVoiceProfiles.update',
    run: async (on) => {
      const { data } = await on.call(['outboundVoiceProfiles.update'], on.ids['profile'], {
        name: on.name,
        enabled: false,
      });
      assert.equal(data.enabled, false);
    },
  },
  ...CALL_ROWS,
  ...QUEUE_ROWS,
  ...CONFERENCE_ROWS,
  {
    method: 'auditEvents.list',
    run: async (on) => {
      if (typeof on.client.auditEvents?.list !== 'function') throw new Missing();
      const all = await on.all('auditEvents', { sort: 'asc' });
      assert.equal(all[0].change_type, 'create');
    },
  },
  {
    method: 'errors: unknown id, bad body',
    run: async (on) => {
      const unknown = await refusalOf(on.call(['credentialConnections.retrieve'], '1'));
      assert.equal(unknown.status, 404);
      assert.equal(unknown.code, '10005');
      const bad = await refusalOf(on.call(['credentialConnections.create'], { connection_name: 'x' }));
      assert.equal(bad.status, 422);
      assert.equal(bad.code, '10004');
    },
  },
  {
    method: 'telephonyCredentials.delete',
    run: async (on) => {
      if (on.old) await on.made['credential'].del();
      else await on.call(['telephonyCredentials.delete'], on.ids['credential']);
      assert.equal(on.bench.service.registry.get(on.ids['credential']!), undefined);
    },
  },
  {
    method: 'credentialConnections.delete',
    run: async (on) => {
      await on.call(['credentialConnections.delete', 'credentialConnections.del'], on.ids['connection']);
      assert.equal(on.bench.service.registry.get(on.ids['connection']!), undefined);
    },
  },
  {
    method: 'callControlApplications.delete',
    run: async (on) => {
      if (on.old) await on.made['application'].del();
      else await on.call(['callControlApplications.delete'], on.ids['application']);
      assert.equal(on.bench.service.registry.get(on.ids['application']!), undefined);
    },
  },
  {
    method: 'outboundVoiceProfiles.delete',
    run: async (on) => {
      if (on.ids['profile'] === undefined) throw new Missing();
      await on.call(['outboundVoiceProfiles.delete'], on.ids['profile']);
      assert.equal(on.bench.service.registry.get(on.ids['profile']!), undefined);
    },
  },
];

/** The refusal as each generation of the package shows it. */
async function refusalOf(call: Promise<unknown>): Promise<{ status: number; code: string }> {
  try {
    await call;
  } catch (error) {
    const { status, statusCode, error: body, raw } = error as Client;
    const errors = body?.errors ?? raw?.errors ?? (error as Client).errors ?? [];
    return { status: status ?? statusCode ?? raw?.statusCode, code: errors[0]?.code ?? raw?.code };
  }
  throw new Error('it was not refused');
}

/** Runs every method of one version against a server. */
export async function runVersion(
  version: Version,
  bench: ApiBench,
  address: string,
  account: { readonly id: string; readonly key: string },
): Promise<Map<string, Outcome>> {
  const number = `+1312555${String(1000 + VERSIONS.indexOf(version))}`;
  await bench.number(account.id, number);
  const on = new Run(version, clientOf(version, address, account.key), bench, account.id, number);
  const outcomes = new Map<string, Outcome>();
  for (const row of ROWS) {
    try {
      await row.run(on);
      outcomes.set(row.method, 'ok');
    } catch (error) {
      outcomes.set(
        row.method,
        error instanceof Missing ? '-' : String((error as Error).message ?? error).split('\n')[0]!,
      );
    }
  }
  return outcomes;
}
