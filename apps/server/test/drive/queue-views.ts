import type { QueuedView, QueueView } from '@sidetone/wire';

/** A queue of an account, as voice would show it. */
export const queueView = (facts: Partial<QueueView>): QueueView => ({
  id: 'a-queue',
  account: 'an-account',
  name: 'support',
  size: 0,
  maxSize: 100,
  averageWaitSecs: 0,
  createdAt: 1_700_000_000_000,
  updatedAt: 1_700_000_000_000,
  ...facts,
});

/** A call in a queue, as voice would show it. */
export const queuedView = (facts: Partial<QueuedView>): QueuedView => ({
  control: 'v3:AAAA_a-b=',
  leg: 'a-leg',
  session: 'a-session',
  connection: 'a-connection',
  from: '+13125550100',
  to: '+13125550101',
  queueId: 'a-queue',
  queue: 'support',
  position: 1,
  waitSecs: 0,
  enqueuedAt: 1_700_000_000_000,
  alive: true,
  keepAfterHangup: false,
  ...facts,
});
