import { parseSdp } from '@sidetone/sdp';
import type { CallNews, Identity, SipUser } from '@sidetone/wire';
import type { Extra } from '../leg/headers.ts';
import { branchOf, type Leg } from '../leg/leg.ts';
import { hookSettings, newProgram, type Program } from '../leg/program.ts';

type Initiated = Extract<CallNews, { type: 'initiated' }>;

/** The program of a user's leg, whose connection has its events told; null: it has not. */
export function programOfUser(identity: Identity, user: SipUser | undefined): Program | null {
  const connection = identity.connection(user?.connectionId ?? '');
  if (connection === undefined || !(connection.parking || connection.webhook !== null)) return null;
  const { id, accountId, webhook } = connection;
  return newProgram({ account: accountId, connection: id, party: 'sip', hook: hookSettings(webhook) });
}

/** What is told of a leg that begins. */
export function initiated(leg: Leg, state: Initiated['state'], domain: string, headers: Extra): Initiated {
  const main = branchOf(leg, leg.main);
  const uri = (user: string): string => (user.includes('@') ? user : `${user}@${domain}`);
  return {
    type: 'initiated',
    state,
    callerName: leg.party.name ?? leg.dial?.caller.name ?? null,
    fromUri: uri(leg.from),
    toUri: uri(leg.to),
    headers,
    offeredCodecs: offered(main?.exchange.offer ?? null),
    connectionCodecs: main?.codecs ?? codecsOf(leg),
  };
}

function codecsOf({ dial }: Leg): Initiated['connectionCodecs'] {
  const callee = dial?.targets[0].callee;
  return callee === undefined ? [] : callee.to === 'user' ? callee.codecs : (callee.trunks[0]?.codecs ?? []);
}

/** Formats of an audio section that are no codecs: digits (RFC 4733), comfort noise (RFC 3389), redundancy and repair. */
const NO_CODEC = new Set(['TELEPHONE-EVENT', 'CN', 'RED', 'RTX', 'ULPFEC', 'FLEXFEC']);

/** Names of the audio codecs of an offer, the first of each. */
function offered(sdp: string | null): readonly string[] {
  const read = sdp === null ? null : parseSdp(sdp);
  const audio = read?.ok === true ? read.value.media.find(({ kind }) => kind === 'audio') : undefined;
  const names = (audio?.payloads ?? []).map(({ name }) => name.toUpperCase());
  return [...new Set(names)].filter((name) => !NO_CODEC.has(name));
}
