import { type Ms, sameHost } from '@sidetone/core';
import {
  type CodecName,
  canonicalNumber,
  type DialCommand,
  type Refusal,
  type RefusalName,
  splitDestination,
} from '@sidetone/wire';
import { freshLeg } from '../ids.ts';
import { preferring } from '../leg/codecs.ts';
import { CAUSE, type Ending } from '../leg/ending.ts';
import type { Extra } from '../leg/headers.ts';
import type { Callee, Leg } from '../leg/leg.ts';
import type { Program } from '../leg/program.ts';
import type { Admission } from '../limits/admission.ts';
import type { Place } from '../place/place.ts';
import type { Asker } from '../routing/asker.ts';
import { callerNumbers, ownSpelling } from '../routing/outbound.ts';
import { planOf } from '../routing/plan.ts';
import type { VoiceOptions } from '../voice-options.ts';
import type { Beginnings } from './begin.ts';

/** Whom a command calls, and as whom. */
export interface Outgoing extends Pick<DialCommand, 'fromName'> {
  readonly asker: Asker;
  readonly to: string;
  readonly from: string;
  /** The back end has chosen the number: it must be one of the account's. */
  readonly chosen: boolean;
  readonly session: string;
  readonly place: Place | null;
  readonly program: Program;
  readonly ringMs: Ms;
  readonly headers: Extra;
  /** What the other side speaks, or what the command prefers. */
  readonly codecs: readonly CodecName[];
}

interface World {
  readonly options: VoiceOptions;
  readonly begin: Beginnings;
  readonly admission: Admission;
}

/**
 * Calls somebody for a back end. What the back end can mend (a limit, a number that is not its own, a country that is barred) is a
 * refusal; where nobody is to be reached the leg begins and ends.
 */
export function callOut(world: World, ask: Outgoing, now: Ms): Leg | Refusal {
  const { options, begin, admission } = world;
  const { asker, program, session, place } = ask;
  const identity = options.identity();
  const number = ownSpelling(identity, canonicalNumber(splitDestination(ask.from).user), asker.via);
  const numbers = callerNumbers(identity, asker, number);
  const { user, host } = splitDestination(ask.to);
  const isOwn = host === undefined || options.publicAddress.hosts.some((own) => sameHost(own, host));
  const dialled = isOwn ? user : `${user}@${host}`;
  const plan = planOf(
    identity,
    dialled,
    asker,
    numbers,
    undefined,
    () => freshLeg(options.random).leg,
    options.epoch(),
  );
  const isForeign = !numbers.includes(number) && identity.account(asker.accountId)?.profileRequired === true;
  if (ask.chosen && plan.to === 'trunk' && isForeign)
    return { why: 'forbidden', field: 'from', detail: 'from is no number of this account (D35).' };
  const admitted = admission.admit(identity, plan, asker, undefined, now);
  const to = admitted.plan;
  if (to.to === 'service')
    return { why: 'badField', field: 'to', detail: 'to is a number that the platform answers itself.' };
  const refusal = to.to === 'refuse' ? refusalOf(to.ending) : null;
  if (refusal !== null) return refusal;
  const callee: Callee = to.to === 'refuse' ? NOBODY : to;
  const party = to.to === 'user' ? 'sip' : 'pstn';
  const leg = begin.dialled(
    {
      callee: callee.to === 'user' ? { ...callee, codecs: preferring(callee.codecs, ask.codecs) } : callee,
      caller: {
        ...(ask.fromName === undefined ? {} : { name: ask.fromName }),
        number,
        ...(asker.user === undefined ? {} : { userName: asker.user.name }),
        domain: identity.domain,
        numbers,
        dialled: ownSpelling(identity, user, asker.via),
        headers: ask.headers,
      },
      codecs: ask.codecs,
      opus: {},
      ringMs: ask.ringMs,
    },
    place,
    { session, counts: admitted.counts, program: { ...program, party }, now, epoch: options.epoch() },
    to.to === 'refuse' ? to.ending : null,
  );
  return leg;
}

const NOBODY: Callee = { to: 'trunk', number: '', trunks: [] };

/** Refusals that are answered at once, by the code of the published API that their phrase ends with. */
const OF_CODE: Readonly<Record<string, RefusalName>> = {
  D1: 'accountFull',
  D2: 'profileFull',
  D3: 'connectionFull',
  D7: 'forbidden',
  D13: 'forbidden',
  D35: 'forbidden',
  D38: 'forbidden',
};

function refusalOf({ phrase = '', sip, cause }: Ending): Refusal | null {
  const code = /\b(D\d+)$/.exec(phrase)?.[1];
  const known = code === undefined ? undefined : OF_CODE[code];
  if (known !== undefined) return { why: known, detail: `${phrase.replace(/ D\d+$/, '')} (${code}).` };
  if (sip === 503 && cause !== CAUSE.noRoute.cause)
    return { why: 'busy', detail: 'No further call can begin here now; try again.' };
  return cause === CAUSE.revoked.cause
    ? { why: 'forbidden', detail: 'This account or connection is not active.' }
    : null;
}
