import { err, type Fields, isFields, isText, ok, type Result } from '@sidetone/core';
import type { Leg } from '../leg/leg.ts';
import { type ReadEntry, readByes, readLeg } from './read.ts';

/*
 * Entries `call <id>` of releases that knew calls of two parties: `legs[0]` is the caller, `state.peer` who answered, and the others
 * are forks that lost. They become a leg that called us, and one that we called with the forks as its branches, in one bridge;
 * a leg of kind `service` becomes the built-in place of the other. They are read so that a handover to this release keeps its calls.
 */

const PREFIX = 'call ';
export const callOfKey = (key: string): string | null =>
  key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;

type Part = Extract<ReadEntry, { kind: 'leg' }>;

const listed = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** A leg of then as a branch of now. */
function branchOf(leg: Fields, policy: unknown): Fields {
  return {
    id: leg['id'],
    kind: leg['kind'],
    webrtc: leg['webrtc'] ?? leg['kind'] === 'client',
    ...(leg['trunk'] === undefined ? {} : { trunk: leg['trunk'] }),
    codecs: leg['codecs'] ?? [],
    dtmf: leg['dtmf'] ?? 'rfc4733',
    policy,
    target: leg['target'] ?? null,
    phase: leg['phase'],
    giveUpAt: leg['giveUpAt'] ?? null,
    ending: leg['ending'] ?? null,
    media: {
      phase: leg['recorded'] === true && leg['media'] === undefined ? 'none' : (leg['media'] ?? 'none'),
      codec: leg['codec'] ?? null,
      source: leg['source'] ?? null,
      stats: leg['stats'] ?? null,
    },
    exchange: {
      connected: leg['connected'] ?? false,
      negotiation: leg['negotiation'] ?? { name: 'idle' },
      holding: leg['holding'] ?? false,
      moved: leg['moved'] ?? false,
      stated: leg['stated'] ?? 'sendrecv',
    },
    attachment: { at: leg['presence'] ?? 'here', lost: leg['mediaLost'] ?? null },
    digits: { waiting: leg['digits'] ?? '', out: leg['digitOut'] ?? false },
  };
}

/** Reads an entry of the release before. Legs without a dialog or a leg in media that were recorded already are left out. */
export function readCall(id: string, value: unknown): Result<readonly ReadEntry[], string> {
  if (!isFields(value)) return err('no record');
  if ('byes' in value) {
    const byes = readByes(value);
    return byes.ok ? ok([byes.value]) : byes;
  }
  const call = value['call'];
  if (!isFields(call) || !isFields(call['state']) || !isFields(call['caller'])) return err('call');
  const legs = listed(call['legs']);
  const first = legs[0];
  if (first === undefined || !isText(first['id'])) return err('legs');
  const dialogs = listed(value['dialogs']).map(({ leg, dialog }) => ({ branch: String(leg), dialog }));
  const early = listed(value['early']).map(({ leg, callId, fromTag }) => ({
    branch: String(leg),
    callId: String(callId),
    fromTag: String(fromTag),
  }));
  const read: Leg[] = [];
  for (const part of partsOf(id, call, first, legs.slice(1))) {
    const leg = readLeg(part);
    if (leg === null) return err('leg');
    read.push(leg);
  }
  return ok(
    read.map((leg): Part => {
      const own = (name: string): boolean => leg.branches.some((branch) => branch.id === name);
      return {
        kind: 'leg',
        leg,
        dialogs: dialogs.filter(({ branch }) => own(branch)),
        early: early.filter(({ branch }) => own(branch)),
        lost: 0,
      };
    }),
  );
}

function partsOf(id: string, call: Fields, first: Fields, rest: readonly Fields[]): readonly Fields[] {
  const state = call['state'] as Fields;
  const isUp = state['name'] === 'up';
  const peer = rest.find((leg) => leg['id'] === state['peer']);
  const services = rest.filter((leg) => leg['kind'] === 'service');
  const service = services[0];
  const bridge = { in: 'bridge', id };
  const place = (side: 'a' | 'b'): Fields =>
    service === undefined
      ? { ...bridge, side }
      : { in: 'built-in', service: service['service'], id: service['id'], since: service['startedAt'] };
  const parts: Fields[] = [];
  // The stand-in for the caller of a call that rang the target of a transfer is no party.
  if (first['kind'] !== 'service' && first['recorded'] !== true)
    parts.push(legOf(call, first, [first], first, isUp, place('a')));
  const called = rest.filter((leg) => leg['kind'] !== 'service' && leg['recorded'] !== true);
  const head = peer !== undefined && called.includes(peer) ? peer : called[0];
  if (head !== undefined)
    parts.push(legOf(call, head, called, peer === head ? head : undefined, isUp, place('b')));
  return parts;
}

function legOf(
  call: Fields,
  head: Fields,
  all: readonly Fields[],
  main: Fields | undefined,
  isUp: boolean,
  place: Fields,
): Fields {
  const caller = call['caller'] as Fields;
  const state = call['state'] as Fields;
  const from = isFields(head['from']) ? head['from'] : undefined;
  const theirs = head['role'] === 'caller';
  const ending = head['ending'] ?? state['ending'];
  const ended = state['name'] === 'ending' || head['phase'] === 'over' || head['phase'] === 'cancelling';
  const party = theirs
    ? { number: caller['number'], ...(caller['name'] === undefined ? {} : { name: caller['name'] }) }
    : { number: head['userName'] ?? caller['dialled'] };
  return {
    id: head['id'],
    control: head['control'],
    session: from?.['session'] ?? call['origin'] ?? call['id'],
    direction: theirs ? 'theirs' : 'ours',
    ...(head['userName'] === undefined ? {} : { userName: head['userName'] }),
    from: from?.['caller'] ?? caller['number'],
    to: from?.['dialled'] ?? caller['dialled'],
    party:
      from === undefined
        ? party
        : { number: from['number'], ...(from['name'] === undefined ? {} : { name: from['name'] }) },
    state:
      ended && ending !== undefined
        ? { name: 'ending', ending }
        : isUp && main !== undefined
          ? { name: 'up', until: state['until'] }
          : theirs
            ? { name: 'offered' }
            : { name: 'dialling', until: 0, looking: 0 },
    branches: all.map((leg) => branchOf(leg, theirs ? 'capacity' : 'quality')),
    main: main?.['id'] ?? null,
    place,
    digitCount: 0,
    refers: head['refers'] ?? 0,
    transfer: head['transfer'] ?? null,
    ...(from?.['joined'] === undefined ? {} : { joined: from['joined'] }),
    counts: call['charges'] ?? [],
    epochOffset: call['epochOffset'],
    startedAt: head['startedAt'],
    answeredAt: head['answeredAt'] ?? null,
    endedAt: head['endedAt'] ?? null,
  };
}
