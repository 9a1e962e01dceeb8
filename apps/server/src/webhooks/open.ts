import { join } from 'node:path';
import type { Post, StoreItem, WebhooksInput } from '@sidetone/webhooks';
import type { Logger } from 'pino';
import type { ApiWorld } from '../api/operation.ts';
import { epoch, monotonic } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { type EventStore, openEventStore } from '../events/event-store.ts';
import type { Secrets } from '../identity/secrets.ts';
import type { Outgoing } from '../outgoing/outgoing.ts';
import { createPoster } from './poster.ts';
import { createSigner } from './signer.ts';

export interface WebhooksEdgeOptions {
  readonly config: Pick<Config, 'webhooks'>;
  /** The way out, which is shared; whoever made it closes it. */
  readonly outgoing: Outgoing;
  readonly dataDir: string;
  readonly secrets: Pick<Secrets, 'webhookKeys'>;
  readonly log: Logger;
  /** To the service; called on a turn of its own. */
  readonly tell: (input: WebhooksInput) => void;
}

/** The hands of the service `webhooks`: it posts, and it keeps what was posted. */
export interface WebhooksEdge {
  readonly post: (post: Post) => void;
  readonly store: (item: StoreItem) => void;
  readonly state: EventStore['state'];
  readonly api: ApiWorld['webhooks'];
  /** Waits until `size` says that nothing is left, or so long. */
  readonly rested: (left: () => number, mostMs: number) => Promise<void>;
  /** Breaks requests off and writes what waits. What was not delivered is in the journal. */
  readonly close: () => Promise<void>;
}

const LOOK_MS = 10;

export function openWebhooks(options: WebhooksEdgeOptions): WebhooksEdge {
  const { config, outgoing, tell } = options;
  const signer = createSigner(options.secrets.webhookKeys.signing);
  const send = createPoster({ outgoing, signer, epoch });
  const events = openEventStore({
    file: join(options.dataDir, 'events.db'),
    retention: {
      days: config.webhooks.keep_days,
      rows: config.webhooks.keep_events,
      bytes: config.webhooks.keep_megabytes * 1_000_000,
      digits: config.webhooks.keep_digits,
    },
    log: options.log,
    epoch,
    stored: (ids) => setImmediate(() => tell({ type: 'stored', ids })),
  });
  const end = new AbortController();
  return {
    post: (post) => {
      void send(post, end.signal).then((outcome) => {
        if (!end.signal.aborted) tell({ type: 'posted', id: post.id, attempt: post.attempt, outcome });
      });
    },
    store: (item) => events.save(item),
    get state() {
      return events.state;
    },
    api: {
      publicKey: signer.publicKey,
      events,
      redeliver: (event, attempts) => tell({ type: 'redeliver', event, attempts }),
    },
    rested: async (left, mostMs) => {
      for (const until = monotonic() + mostMs; left() > 0 && monotonic() < until; )
        await new Promise((done) => setTimeout(done, LOOK_MS));
    },
    close: async () => {
      end.abort();
      await events.close();
    },
  };
}
