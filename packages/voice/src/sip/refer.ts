import { err, ok, type Result } from '@sidetone/core';
import {
  bodyText,
  type DialogName,
  type ExtraHeaders,
  header,
  headersNamed,
  parseNameAddr,
  reasonPhrase,
  type SipRequest,
} from '@sidetone/sip';
import { REFER } from '@sidetone/wire';
import type { Wish } from '../message.ts';
import { dialledIn } from '../routing/addressee.ts';
import { reasonHeaders } from './reason.ts';

/** What Refer-To asks for (RFC 3515 §2.1). `dialled`: a number, a user name, or `user@host`. */
export type ReferTo =
  | { readonly kind: 'dial'; readonly dialled: string }
  /** Replaces (RFC 3891 §3), with the tags as we see that dialog: its to-tag is ours. */
  | { readonly kind: 'replaces'; readonly dialog: DialogName };

const MAX_DIALLED = 256;
/** How long the subscription that a REFER makes lasts; we end it before. */
const EXPIRES = 120;

/** Reads the Refer-To of a REFER; an error is the status that refuses it. Hosts of ours stand for the domain. */
export function parseReferTo(
  request: SipRequest,
  isOwnHost: (host: string) => boolean,
): Result<ReferTo, number> {
  const values = headersNamed(request, 'Refer-To');
  const parsed = values.length === 1 ? parseNameAddr(values[0]!) : null;
  if (parsed === null || !parsed.ok) return err(400);
  const { uri } = parsed.value;
  const method = uri.params['method'];
  if (method !== undefined && method.toUpperCase() !== 'INVITE') return err(400);
  const replaces = headerOf(uri.headers, 'replaces');
  if (replaces !== undefined) {
    const dialog = parseReplaces(replaces);
    return dialog === null ? err(400) : ok({ kind: 'replaces', dialog });
  }
  const dialled = dialledIn(uri, isOwnHost);
  return dialled === '' || dialled.length > MAX_DIALLED ? err(400) : ok({ kind: 'dial', dialled });
}

/** One of the headers a URI carries (RFC 3261 §19.1.1), unescaped. */
function headerOf(headers: string | undefined, wanted: string): string | undefined {
  for (const part of (headers ?? '').split('&')) {
    const at = part.indexOf('=');
    if (at < 0 || part.slice(0, at).toLowerCase() !== wanted) continue;
    try {
      return decodeURIComponent(part.slice(at + 1));
    } catch {
      return '';
    }
  }
  return undefined;
}

function parseReplaces(text: string): DialogName | null {
  const [callId, ...params] = text.split(';').map((part) => part.trim());
  const value = (name: string): string | undefined =>
    params.find((param) => param.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  const localTag = value('to-tag');
  const remoteTag = value('from-tag');
  if (!callId || !localTag || !remoteTag) return null;
  return { callId, localTag, remoteTag };
}

/** The NOTIFY that tells how a transfer gets on (RFC 3515 §2.4.4, §2.4.5), with the cause of its failure. */
export function notifyFor(wish: Extract<Wish, { type: 'notify' }>): {
  readonly method: 'NOTIFY';
  readonly contentType: string;
  readonly body: string;
  readonly headers: ExtraHeaders;
} {
  const { status, ending, event, final } = wish;
  const reason = ending === undefined ? [] : reasonHeaders(ending).filter(([name]) => name === 'Reason');
  const lines = [
    `SIP/2.0 ${status} ${reasonPhrase(status)}`,
    ...reason.map(([name, value]) => `${name}: ${value}`),
  ];
  return {
    method: 'NOTIFY',
    contentType: `${REFER.progress};version=2.0`,
    body: `${lines.join('\r\n')}\r\n`,
    headers: [
      ['Event', event === null ? REFER.event : `${REFER.event};id=${event}`],
      ['Subscription-State', final ? 'terminated;reason=noresource' : `active;expires=${EXPIRES}`],
    ],
  };
}

/** What a NOTIFY tells of a REFER of ours (RFC 3515 §2.4.4, RFC 3420); `null`: it is of something else, or says nothing. */
export function readReferNotify(
  request: SipRequest,
): { readonly status: number; readonly final: boolean } | null {
  const event = (header(request, 'Event') ?? '').split(';')[0]!.trim().toLowerCase();
  if (event !== REFER.event) return null;
  const state = (header(request, 'Subscription-State') ?? '').trim().toLowerCase();
  const final = state.startsWith('terminated');
  const status = /^\s*SIP\/2\.0 ([1-6]\d\d)\b/.exec(bodyText(request))?.[1];
  if (status === undefined) return final ? { status: 100, final } : null;
  return { status: Number(status), final };
}
