export { eventOf } from './entry.ts';
export { createWebhooks, type Webhooks, type WebhooksOptions } from './outbox.ts';
export { dataOf, envelopeOf, isoMicros } from './payload.ts';
export type {
  DeliveryAttempt,
  Outcome,
  Post,
  StoreItem,
  WebhooksInput,
  WebhooksOutput,
} from './webhook-events.ts';
