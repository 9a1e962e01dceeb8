import { type Leg, mainOf } from '../leg/leg.ts';
import { hookSettings, newProgram, withHook } from '../leg/program.ts';
import {
  askerOf,
  type Decision,
  type Desk,
  findLiveLeg,
  isRefusal,
  type Of,
  RING_MS,
  UNANSWERED,
} from './desk.ts';
import { actionsOf } from './dial-command.ts';
import { areTogether, join, moveLeg, openBridge } from './moving.ts';
import { headOf } from './on-queue.ts';
import { callOut } from './outgoing.ts';
import { beginRecording, recordRefusal } from './recording.ts';
import { connectionOf } from './view.ts';

/* Commands that bring two legs together. */

export function bridge(desk: Desk, command: Of<'bridge'>, leg: Leg): Decision {
  const field = 'call_control_id';
  const { account, with: named } = command;
  const other =
    typeof named === 'string' ? findLiveLeg(desk, named, account, field) : headOf(desk, account, named.queue);
  if (isRefusal(other)) return other;
  if (other.id === leg.id) return { why: 'badField', field, detail: 'A call cannot be bridged with itself.' };
  // Two that ring, and nobody who waits for either.
  if (isRinging(leg) && isRinging(other)) return UNANSWERED;
  if (areTogether(leg, other)) return () => {};
  if (command.preventDouble === true && (leg.place?.in === 'bridge' || other.place?.in === 'bridge'))
    return {
      why: 'badField',
      field: 'prevent_double_bridge',
      detail: 'One of the calls is bridged already.',
    };
  const { muteDigits, ringtone, record } = command;
  const refusal = recordRefusal(leg, record);
  if (refusal !== undefined) return refusal;
  return () => {
    join(desk, leg, other, {
      onFail: 'after',
      ring: ringtone === true ? 'ringback' : 'silence',
      mutes: [
        muteDigits === 'self' || muteDigits === 'both',
        muteDigits === 'opposite' || muteDigits === 'both',
      ],
    });
    beginRecording(desk, leg, record);
  };
}

export function transfer(desk: Desk, command: Of<'transfer'>, leg: Leg): Decision {
  if (leg.direction === 'ours' && leg.state.name !== 'up') return UNANSWERED;
  const asker = askerOf(desk, leg);
  if (asker === undefined)
    return {
      why: 'badAssociation',
      detail: 'The connection of this call is not there or not active any more.',
    };
  const {
    to,
    from,
    fromName,
    headers = [],
    ringMs = RING_MS,
    limitMs,
    earlyMedia,
    digits,
    play,
    detect,
  } = command;
  const onAnswer = actionsOf({ digits, play, detect });
  const side = openBridge(desk, leg.session, {
    onFail: 'park',
    ring: 'ringback',
    early: earlyMedia !== false,
  });
  const { hook } = leg.program ?? { hook: hookSettings(null) };
  const next = callOut(desk, {
    asker,
    to: [to],
    from: from ?? leg.to,
    chosen: from !== undefined,
    ...(fromName === undefined ? {} : { fromName }),
    session: leg.session,
    place: { in: 'bridge', id: side, side: 'b' },
    program: newProgram({
      account: command.account,
      connection: connectionOf(leg, desk.options.identity()),
      party: 'sip',
      clientState: command.targetClientState ?? null,
      hook: withHook(hook, command.hook),
      limitMs: limitMs ?? null,
      onAnswer,
    }),
    ringMs,
    headers,
    codecs: mainOf(leg)?.codecs ?? [],
  });
  if (isRefusal(next)) {
    desk.registry.bridges.delete(side);
    return next;
  }
  return () => {
    moveLeg(desk, leg, { in: 'bridge', id: side, side: 'a' }, 'bridging-in-process');
    beginRecording(desk, next, command.record);
  };
}

const isRinging = ({ direction, state }: Leg): boolean =>
  direction === 'ours' && (state.name === 'dialling' || state.name === 'accepting');
