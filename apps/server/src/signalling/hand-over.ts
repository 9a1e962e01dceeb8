import { setTimeout as rest } from 'node:timers/promises';
import type { WebSocketListener } from '../listen/websocket.ts';
import type { FromChild } from '../supervise/messages.ts';
import type { Exchange } from './exchange.ts';

/** How long calls that ring may still be answered. The next process ends those that were not, and says why. */
const EARLY_MS = 5000;
const LOOK_MS = 25;
/** How long clients have to answer the close of their WebSocket. */
const GOODBYE_MS = 300;

export interface HandOverParts {
  readonly exchange: Exchange;
  readonly sockets: WebSocketListener;
  /** Takes no more connections of clients, which would come back too early. */
  readonly stopListening: () => void;
  readonly tell: (message: Extract<FromChild, { type: 'handing-over' | 'leaving' }>) => void;
}

/**
 * Leaves the calls to the process that stands by:
 *
 *   no new calls ─▶ early ones are answered, or 5 s ─▶ browsers' sockets closed ─▶ native clients' ─▶ (all else is closed)
 *
 * Browsers first: they come back by themselves, and do so while the rest happens. Native clients notice late, so they go last.
 */
export async function handOver({ exchange, sockets, stopListening, tell }: HandOverParts): Promise<void> {
  exchange.post('voice', { type: 'refuse' });
  tell({ type: 'handing-over', early: exchange.earlyCalls() });
  for (let waited = 0; exchange.earlyCalls() > 0 && waited < EARLY_MS; waited += LOOK_MS) await rest(LOOK_MS);
  stopListening();
  // The next process tells what happens from now on.
  exchange.post('webhooks', { type: 'drain' });
  const ended = exchange.earlyCalls();
  tell({ type: 'leaving', calls: exchange.calls() - ended, ended });
  for (const group of ['browsers', 'all'] as const) {
    exchange.post('vsp', { type: 'handover', sockets: group });
    await sockets.settled(GOODBYE_MS);
  }
}
