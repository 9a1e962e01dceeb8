import { uuid } from '@sidetone/core';
import { formatUri, parseUri } from '@sidetone/sip';
import { CAUSE as KNOWN } from '@sidetone/wire';
import { newPlay } from '../activity/activity.ts';
import { CAUSE, type Ending, why } from '../leg/ending.ts';
import { isEnding, type Leg, mainOf } from '../leg/leg.ts';
import { otherOf } from '../place/bridge-draft.ts';
import { type Decision, type Desk, isUp, type Of, UNANSWERED } from './desk.ts';
import { beginRecording, recordRefusal } from './recording.ts';
import { noEngine, streamInput, transcribeInput } from './streaming.ts';

/* Commands that concern one leg, wherever it is. */

const PLATFORM = { by: 'platform' } as const;

export function answer(
  desk: Desk,
  { codecs, headers = [], stream, record, transcribe }: Of<'answer'>,
  leg: Leg,
): Decision {
  if (leg.direction === 'ours')
    return {
      why: 'outgoing',
      detail: 'A call that was dialled by the platform is answered by its other end.',
    };
  const missing = transcribe === undefined ? null : noEngine(desk, 'transcription');
  if (missing !== null) return missing;
  const own = mainOf(leg)?.codecs ?? [];
  const wanted = codecs?.filter((name) => own.includes(name)) ?? [];
  const about = { codecs: wanted.length > 0 ? wanted : own, opus: {}, headers };
  return (
    recordRefusal(leg, record) ??
    (() => {
      if (stream !== undefined && leg.activities.stream === null)
        desk.legs.post(leg.id, streamInput(desk, stream));
      if (transcribe !== undefined) desk.legs.post(leg.id, transcribeInput(desk, transcribe));
      // One that is answered already stays so.
      desk.legs.post(leg.id, { type: 'answer', ...about });
      beginRecording(desk, leg, record);
    })
  );
}

export function reject(desk: Desk, { cause }: Of<'reject'>, leg: Leg): Decision {
  if (leg.state.name !== 'offered')
    return { why: 'badField', detail: 'Only a call that comes in and is not answered can be rejected.' };
  const busy = cause === 'USER_BUSY';
  const ending: Ending = { ...why(busy ? KNOWN.userBusy : KNOWN.callRejected), ...PLATFORM };
  return () => desk.legs.post(leg.id, { type: 'end', ending });
}

/** Of a call that comes in and is not answered, hanging up is rejecting. */
export function hangup(desk: Desk, { headers = [] }: Of<'hangup'>, leg: Leg): Decision {
  const early = leg.direction === 'theirs' && leg.state.name === 'offered';
  const ending: Ending = { ...(early ? why(KNOWN.callRejected) : CAUSE.normal), ...PLATFORM, headers };
  return () => desk.legs.post(leg.id, { type: 'end', ending });
}

export function setClientState({ clientState }: Of<'setClientState'>): Decision {
  if (clientState === undefined)
    return { why: 'missing', field: 'client_state', detail: 'The parameter client_state is required.' };
  return () => {};
}

export function sendDigits({ legs }: Desk, { digits, durationMs }: Of<'sendDigits'>, leg: Leg): Decision {
  if (!isUp(leg)) return UNANSWERED;
  return () =>
    legs.post(leg.id, { type: 'send', digits, ...(durationMs === undefined ? {} : { durationMs }) });
}

export function sendInfo({ legs }: Desk, { contentType, body }: Of<'sendInfo'>, leg: Leg): Decision {
  return isUp(leg) ? () => legs.post(leg.id, { type: 'sendInfo', contentType, body }) : UNANSWERED;
}

export function refer(desk: Desk, { address, headers = [] }: Of<'refer'>, leg: Leg): Decision {
  if (!isUp(leg)) return UNANSWERED;
  const uri = parseUri(address);
  if (!uri.ok || (uri.value.scheme !== 'sip' && uri.value.scheme !== 'sips'))
    return { why: 'badField', field: 'sip_address', detail: 'sip_address must be a SIP URI.' };
  if (leg.program?.referring === true)
    return { why: 'badField', detail: 'This call is being referred already.' };
  return () => desk.legs.post(leg.id, { type: 'sendRefer', address: formatUri(uri.value), headers });
}

export function play(desk: Desk, command: Of<'play'>, leg: Leg): Decision {
  return isUp(leg) ? () => startPlay(desk, command, leg) : UNANSWERED;
}

function startPlay(
  desk: Desk,
  { sound, loop = 1, overlay = false, stop, target = 'self' }: Of<'play'>,
  leg: Leg,
): void {
  const { registry, legs, options } = desk;
  const other = leg.place?.in === 'bridge' ? otherOf(registry.members(leg.place.id), leg.id) : undefined;
  const heard = target === 'self' ? [leg] : target === 'opposite' ? [other] : [leg, other];
  for (const one of heard) {
    if (one === undefined || isEnding(one)) continue;
    const play = newPlay(uuid(options.random), sound, loop, overlay);
    legs.post(one.id, { type: 'play', play, ...(stop === undefined ? {} : { stop }) });
  }
}

export function stopPlay({ legs }: Desk, { stop, overlay = true }: Of<'stopPlay'>, leg: Leg): Decision {
  return isUp(leg) ? () => legs.post(leg.id, { type: 'stopPlay', stop, overlay }) : UNANSWERED;
}

export function gather({ legs, options }: Desk, command: Of<'gather'>, leg: Leg): Decision {
  const { account: _a, control: _c, clientState: _s, commandId: _i, hook: _h, type: _t, ...ask } = command;
  const id = uuid(options.random);
  return isUp(leg) ? () => legs.post(leg.id, { type: 'gather', id, ask }) : UNANSWERED;
}

export function stopGather({ legs }: Desk, leg: Leg): Decision {
  return isUp(leg) ? () => legs.post(leg.id, { type: 'stopGather' }) : UNANSWERED;
}
