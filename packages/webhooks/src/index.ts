export { eventOf } from './entry.ts';
export { createWebhooks, type Webhooks, type WebhooksOptions } from './outbox.ts';
export { dataOf, envelopeOf } from './payload.ts';
export { isoMicros } from './stamp.ts';
export type {
  DeliveryAttempt,
  Outcome,
  Post,
  StoreItem,
  WebhooksInput,
  WebhooksOutput,
} from './webhook-events.ts';
