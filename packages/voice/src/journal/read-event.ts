import { isNumber, isString, isText, listOf, oneOf, orNull, recordOf } from '@sidetone/core';
import type { EventLeg, Hook } from '@sidetone/wire';

/* Parts of events that are told when their leg is no more. */

export const isHook = recordOf<Hook>({
  url: isString,
  failover: orNull(isString),
  method: oneOf('POST', 'GET'),
  timeoutMs: orNull(isNumber),
  retriesMs: orNull(listOf(isNumber)),
});

export const isEventLeg = recordOf<EventLeg>({
  control: isText,
  leg: isText,
  session: isText,
  connection: orNull(isString),
  from: isString,
  to: isString,
  direction: oneOf('incoming', 'outgoing'),
  party: oneOf('pstn', 'sip'),
  startedAt: isNumber,
});
