import { type Check, isFields, isString, isText, listOf, maybe, oneOf, recordOf } from '@sidetone/core';
import type { Flow } from './flow.ts';
import type { NameAddr, Uri, Via } from './message.ts';

/*
 * Values of SIP that come back from a journal: whether they have the shape they were written with. What they say is not judged anew.
 */

type Of<T extends Flow['transport']> = T extends T ? Extract<Flow, { transport: T }> : never;

const isPort: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 65_536;
const isParams: Check = (value) => isFields(value) && Object.values(value).every(isString);

const isDatagram = recordOf<Of<'udp'>>({ transport: oneOf('udp'), host: isText, port: isPort });
const isStream = recordOf<Exclude<Flow, Of<'udp' | 'local'>>>({
  transport: oneOf('tcp', 'tls', 'ws', 'wss'),
  host: isText,
  port: isPort,
  connection: maybe(isText),
});
const isLocal = recordOf<Of<'local'>>({ transport: oneOf('local'), node: oneOf('vsp', 'voice', 'proxy') });

export const isFlow = (value: unknown): value is Flow =>
  isDatagram(value) || isStream(value) || isLocal(value);
/** A flow that leaves the process. */
export const isOutsideFlow = (value: unknown): value is Exclude<Flow, { transport: 'local' }> =>
  isDatagram(value) || isStream(value);

const URI = recordOf<Uri>({
  scheme: isString,
  user: maybe(isString),
  password: maybe(isString),
  host: isString,
  port: maybe(isPort),
  params: isParams,
  headers: maybe(isString),
});
export const isUri = (value: unknown): value is Uri => URI(value);

const NAME_ADDR = recordOf<NameAddr>({ displayName: maybe(isString), uri: isUri, params: isParams });
export const isNameAddr = (value: unknown): value is NameAddr => NAME_ADDR(value);

const VIAS = listOf(
  recordOf<Via>({ transport: isString, host: isString, port: maybe(isPort), params: isParams }),
);
export const areVias = (value: unknown): value is readonly Via[] => VIAS(value);
