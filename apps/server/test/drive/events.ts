import { randomUUID } from 'node:crypto';
import type { CallEvent, CallNews, Hook } from '@sidetone/wire';

export const hookOf = (url: string): Hook => ({
  url,
  failover: null,
  method: 'POST',
  timeoutMs: null,
  retriesMs: null,
});

/** An event as voice would tell it. */
export function madeEvent(of: {
  readonly account?: string;
  readonly leg?: string;
  readonly session?: string;
  readonly n?: number;
  readonly at?: number;
  readonly hook?: Hook | null;
  readonly what?: CallNews;
}): CallEvent {
  const leg = of.leg ?? randomUUID();
  const at = of.at ?? Date.now() + 0.25;
  return {
    id: randomUUID(),
    lane: leg,
    n: of.n ?? 0,
    at,
    account: of.account ?? 'a1',
    leg: {
      control: `v3:${leg}`,
      leg,
      session: of.session ?? `session of ${leg}`,
      connection: '1234567890123456789',
      from: '+13125550100',
      to: '+13125550101',
      direction: 'incoming',
      party: 'pstn',
      startedAt: at - 1000,
    },
    clientState: null,
    hook: of.hook === undefined ? hookOf('https://app.example/hook') : of.hook,
    what: of.what ?? { type: 'bridged' },
  };
}
