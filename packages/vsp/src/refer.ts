import {
  type DialogName,
  type ExtraHeaders,
  escapeUser,
  formatNameAddr,
  header,
  partText,
  readBody,
  reasonPhrase,
  type SipRequest,
  type Uri,
} from '@sidetone/sip';
import { causeFromReason, type DialledDestination, REFER } from '@sidetone/wire';

/** How a transfer gets on, as voice's NOTIFY tells it (RFC 3515 §2.4.4). */
export interface TransferProgress {
  readonly status: number;
  /** The cause by name, or the words of the status. */
  readonly why: string;
  readonly final: boolean;
}

/** Refer-To of a blind transfer. */
export const referToDestination = (to: DialledDestination, domain: string): ExtraHeaders =>
  referTo({ scheme: 'sip', user: escapeUser(to.user), host: to.host ?? domain, params: {} });

/** Refer-To of an attended one: Replaces (RFC 3891 §3) names the dialog as voice sees it, so our tag is its from-tag. */
export const referToCall = (dialog: DialogName, domain: string): ExtraHeaders => {
  const replaces = `${dialog.callId};to-tag=${dialog.remoteTag};from-tag=${dialog.localTag}`;
  return referTo({
    scheme: 'sip',
    host: domain,
    params: {},
    headers: `Replaces=${encodeURIComponent(replaces)}`,
  });
};

const referTo = (uri: Uri): ExtraHeaders => [['Refer-To', formatNameAddr({ uri, params: {} })]];

const STATUS = /^SIP\/2\.0 ([1-6][0-9]{2})\b/;

/** Reads a NOTIFY about a REFER; `null`: it is about something else. */
export function readNotify(request: SipRequest): TransferProgress | null {
  const event = (header(request, 'Event') ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const part = readBody(request, [REFER.progress]).parts[0];
  if (event !== REFER.event || part === undefined) return null;
  const [first = '', ...rest] = partText(part).split('\r\n', 16);
  const match = STATUS.exec(first);
  if (match === null) return null;
  const status = Number(match[1]);
  const reasons = rest.filter((line) => /^reason:/i.test(line)).map((line) => line.slice(7).trim());
  const state = (header(request, 'Subscription-State') ?? '').trim().toLowerCase();
  return {
    status,
    why: causeFromReason(reasons, undefined)?.name ?? reasonPhrase(status),
    final: status >= 200 || state.startsWith('terminated'),
  };
}
