import { canonicalHost, type Family, familyOf } from '@sidetone/core';
import { header, parseNameAddr, type SipRequest, userOf } from '@sidetone/sip';
import {
  ASSERTED_IDENTITY,
  type CodecName,
  type ConnectionEntry,
  callerNumber,
  HEADER,
  type Identity,
  type SipUser,
  type Trunk,
} from '@sidetone/wire';
import type { Branch } from '../leg/branch.ts';
import { namedIn } from './addressee.ts';
import { type Asker, userAsks } from './asker.ts';
import { ownSpelling } from './outbound.ts';

/** Who calls: a carrier, a user of ours, or neither: a stranger. */
export type Calling =
  | { readonly by: 'trunk'; readonly trunk: Trunk }
  | {
      readonly by: 'user';
      readonly user: SipUser;
      readonly connection: ConnectionEntry;
      readonly asker: Asker;
    }
  | { readonly by: 'stranger' };

/** What a stranger, of whom nothing is known, is offered. */
const STRANGERS: readonly CodecName[] = ['OPUS', 'PCMU', 'PCMA'];

/** Who sent a request, as the room says that authenticated them. */
export function provenUser(request: SipRequest): string | undefined {
  const value = header(request, ASSERTED_IDENTITY);
  if (value === undefined) return undefined;
  const parsed = parseNameAddr(value);
  return parsed.ok ? userOf(parsed.value.uri) : undefined;
}

export function whoCalls(request: SipRequest, via: 'vsp' | 'proxy', identity: Identity): Calling {
  const name = via === 'proxy' ? header(request, HEADER.trunk) : undefined;
  const trunk = name === undefined ? undefined : identity.trunks.find((one) => one.name === name);
  if (trunk !== undefined) return { by: 'trunk', trunk };
  const user = identity.userByName(provenUser(request) ?? '');
  const connection = user && identity.connection(user.connectionId);
  if (user === undefined || connection === undefined) return { by: 'stranger' };
  return { by: 'user', user, connection, asker: userAsks(identity, user) };
}

/** The number or name that is shown of a caller. A stranger's is one of another domain, whatever it says. */
export function shownNumber(
  request: SipRequest,
  calling: Calling,
  called: Parameters<typeof callerNumber>[2],
  habit: Parameters<typeof callerNumber>[1],
  identity: Identity,
): string {
  const { uri } = request.headers.from;
  const named = namedIn(uri);
  switch (calling.by) {
    case 'trunk':
      return callerNumber(named || 'anonymous', habit, called);
    case 'user':
      return ownSpelling(identity, named || calling.user.name, calling.asker.via);
    case 'stranger':
      return `${named || 'anonymous'}@${uri.host}`;
  }
}

/** Facts of the caller's leg. */
export type CallingLeg = Pick<Branch, 'kind' | 'codecs' | 'dtmf' | 'trunk'> & {
  readonly userName?: string;
  readonly family?: Family | null;
  /** Where the INVITE of a phone came from. */
  readonly signalledFrom?: string | null;
};

export function callingLeg(request: SipRequest, via: 'vsp' | 'proxy', calling: Calling): CallingLeg {
  const isClient = via === 'vsp';
  const family = isClient ? null : signalledFamily(request);
  if (calling.by === 'trunk') {
    const { name, codecs, dtmf } = calling.trunk;
    return { kind: 'trunk', codecs, dtmf, trunk: name, family };
  }
  const kind = isClient ? 'client' : 'phone';
  const signalledFrom = isClient ? null : (header(request, HEADER.source) ?? null);
  if (calling.by === 'stranger') return { kind, codecs: STRANGERS, dtmf: 'rfc4733', family, signalledFrom };
  const { user, connection } = calling;
  const dtmf = isClient ? 'rfc4733' : digitsMode(connection);
  return { kind, codecs: connection.codecs, dtmf, userName: user.name, family, signalledFrom };
}

/** By which IP version a caller from outside signals: where its last hop was seen, or says that it is. */
function signalledFamily({ headers: { via, contact } }: SipRequest): Family | null {
  const hop = via.find(({ transport }) => transport !== 'LOCAL');
  const seen = familyOf(canonicalHost(hop?.params['received'] ?? '')) ?? familyOf(hop?.host ?? '');
  return seen ?? (contact === '*' ? null : familyOf(contact[0]?.uri.host ?? ''));
}

/** Digits as audio are not made here: phones that want them so get RFC 4733. */
export const digitsMode = ({ dtmf }: ConnectionEntry): Branch['dtmf'] =>
  dtmf === 'info' ? 'info' : 'rfc4733';
