import assert from 'node:assert/strict';
import type { CallEvent, Command } from '@sidetone/wire';
import { dial } from './callers.ts';
import { connection, people, sdp, trunk, VoiceBench } from './voice-bench.ts';

export const WEBHOOK = {
  url: 'https://app.example/hook',
  failoverUrl: null,
  apiVersion: '2',
  timeoutSecs: null,
} as const;

export const APPLICATION = {
  id: '1900',
  accountId: 'default',
  name: 'app',
  active: true,
  webhook: WEBHOOK,
  firstCommandSecs: null,
  subdomain: null,
  profileId: null,
  inboundChannelLimit: null,
  outboundChannelLimit: null,
} as const;

export const identity = people({
  connections: [
    connection('line1', { parking: true, webhook: WEBHOOK, numbers: ['+13125550100'] }),
    connection('line2', { numbers: ['+13125550101'] }),
  ],
  trunks: [trunk()],
  applications: [APPLICATION],
});

export const bench = (options: ConstructorParameters<typeof VoiceBench>[0] = {}): VoiceBench =>
  new VoiceBench({ identity, ...options });
export const names = (told: readonly CallEvent[]): string[] =>
  told.map(({ leg, what }) => `${what.type} ${leg.party}`);

/** A parked call of line1: its control id, and the client's dialog. */
export function park(b: VoiceBench): [control: string, dialog: string] {
  const dialog = dial(b, '+15550100');
  return [b.news.at(-1)!.leg.control, dialog];
}

export const ok = (b: VoiceBench, command: Command) => {
  const result = b.command(command);
  assert.ok(result.ok, JSON.stringify(result));
  return result.ids;
};

export const dialIt = (link: string, more: Partial<Extract<Command, { type: 'dial' }>> = {}): Command => ({
  type: 'dial',
  account: 'default',
  connection: '1900',
  to: ['+15550100'],
  from: '+13125550100',
  link,
  ...more,
});

/** The carrier answers the INVITE that it has. */
export function carrierAnswers(b: VoiceBench): string {
  const { leg } = b.proxy.take('incoming');
  b.proxy.act(b.proxy.agent.respond(leg, 200, { sdp: sdp() }, b.now));
  return leg;
}
