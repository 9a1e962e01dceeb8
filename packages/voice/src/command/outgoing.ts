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
import type { Callee, Leg, Target } from '../leg/leg.ts';
import type { Program } from '../leg/program.ts';
import type { Place } from '../place/place.ts';
import type { Asker } from '../routing/asker.ts';
import { callerNumbers, ownSpelling } from '../routing/outbound.ts';
import { planOf, type Routed } from '../routing/plan.ts';
import type { Desk } from './desk.ts';

/** Whom a command calls, and as whom. */
export interface Outgoing extends Pick<DialCommand, 'fromName'> {
  readonly asker: Asker;
  /** At least one; all ring, the first answer wins. */
  readonly to: readonly string[];
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

/**
 * Calls somebody for a back end. What the back end can mend (a limit, a number that is not its own, a country that is barred) is a
 * refusal; where nobody is to be reached the leg begins and ends.
 */
export function callOut(desk: Desk, ask: Outgoing): Leg | Refusal {
  const { options, begin, admission, now } = desk;
  const { asker, session, place } = ask;
  const identity = options.identity();
  const number = ownSpelling(identity, canonicalNumber(splitDestination(ask.from).user), asker.via);
  const numbers = callerNumbers(identity, asker, number);
  const found = ask.to.map((to) => routed(desk, asker, numbers, to));
  const isForeign = !numbers.includes(number) && identity.account(asker.accountId)?.profileRequired === true;
  if (ask.chosen && isForeign && found.some(({ plan }) => plan.to === 'trunk'))
    return { why: 'forbidden', field: 'from', detail: 'from is no number of this account (D35).' };
  if (found.some(({ plan }) => plan.to === 'service'))
    return { why: 'badField', field: 'to', detail: 'to is a number that the platform answers itself.' };
  const callees = found.filter((one): one is typeof one & { plan: Callee } => isCallee(one.plan));
  // A call to the telephone network counts against more than one to a user.
  const first = callees.find(({ plan }) => plan.to === 'trunk') ?? callees[0] ?? found[0]!;
  const { plan, counts } = admission.admit(identity, first.plan, { caller: asker, session }, now);
  const ending = plan.to === 'refuse' ? plan.ending : null;
  const refusal = ending === null ? null : refusalOf(ending);
  if (refusal !== null) return refusal;
  const tooFast = ending === null ? null : admission.beginsNothing(identity, asker.accountId, now);
  if (tooFast !== null) return refusalOf(tooFast)!;
  const fresh = freshLeg(options.random);
  const targets = (ending === null ? callees : [{ plan: NOBODY, dialled: found[0]!.dialled }]).map(
    ({ plan: callee, dialled }, i): Target => ({
      callee: callee.to === 'user' ? { ...callee, codecs: preferring(callee.codecs, ask.codecs) } : callee,
      dialled,
      branch: i === 0 ? fresh.leg : freshLeg(options.random).leg,
    }),
  );
  const [target, ...others] = targets;
  const program = { ...ask.program, party: first.plan.to === 'user' ? 'sip' : 'pstn' } as const;
  return begin.dialled(
    {
      targets: [target!, ...others],
      caller: {
        ...(ask.fromName === undefined ? {} : { name: ask.fromName }),
        number,
        ...(asker.user === undefined ? {} : { userName: asker.user.name }),
        domain: identity.domain,
        numbers,
        dialled: target!.dialled,
        headers: ask.headers,
      },
      codecs: ask.codecs,
      opus: {},
      ringMs: ask.ringMs,
    },
    place,
    { session, counts, program, now, epoch: options.epoch() },
    fresh,
    ending,
  );
}

const isCallee = (plan: Routed): plan is Callee => plan.to === 'user' || plan.to === 'trunk';

/** Where one of those who are to be called is reached. */
function routed({ options }: Desk, asker: Asker, numbers: readonly string[], to: string) {
  const identity = options.identity();
  const { user, host } = splitDestination(to);
  const isOwn = host === undefined || options.publicAddress.hosts.some((own) => sameHost(own, host));
  const fresh = (): string => freshLeg(options.random).leg;
  const wanted = isOwn ? user : `${user}@${host}`;
  const plan = planOf(identity, wanted, asker, numbers, undefined, fresh, options.epoch());
  return { plan, dialled: ownSpelling(identity, user, asker.via) };
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
