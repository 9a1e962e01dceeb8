import type { Ms } from '@sidetone/core';
import { type Command, type CommandResult, isBase64, type LegCommand } from '@sidetone/wire';
import { isEnding, type Leg } from '../leg/leg.ts';
import { isDone, type OnAnswer } from '../leg/program.ts';
import { bridge, transfer } from './bridging.ts';
import { commanded, type Said } from './commanded.ts';
import { type Decision, type Desk, ended, findLeg, isRefusal, refused } from './desk.ts';
import { actOnAnswer, dial } from './dial-command.ts';
import { isLegCommand, onConference } from './on-conference.ts';
import * as onLeg from './on-leg.ts';
import { enqueue, leaveQueue, onQueue } from './on-queue.ts';
import * as recording from './recording.ts';
import { fork, startStream, stopFork, stopStream, stopTranscribe, transcribe } from './streaming.ts';
import { switchRole } from './supervising.ts';

/*
 * Commands of back ends. One is checked against what is there now; then it changes nothing and is refused, or it becomes messages to
 * machines, in the same input. Who comes second finds what the first has made of it.
 */

type World = Omit<Desk, 'now' | 'begun'>;

export class Commands {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  execute(command: Command, now: Ms): CommandResult {
    const desk: Desk = { ...this.#world, now, begun: {} };
    if (command.type === 'queue') return onQueue(desk, command);
    if (command.clientState !== undefined && !isBase64(command.clientState))
      return refused({
        why: 'badClientState',
        field: 'client_state',
        detail: 'client_state must be base64.',
      });
    if (command.type === 'dial') return dial(desk, command);
    return isLegCommand(command) ? toLeg(desk, command) : onConference(desk, command);
  }

  /** A leg that was called has answered. */
  onAnswer(id: string, actions: OnAnswer, now: Ms): void {
    actOnAnswer({ ...this.#world, now, begun: {} }, id, actions);
  }
}

function toLeg(desk: Desk, command: LegCommand): CommandResult {
  const { control, account, commandId } = command;
  const leg = findLeg(desk, control, account);
  if (isRefusal(leg)) {
    const wasDone = leg.why === 'ended' && desk.remembered.wasDone(control, commandId, desk.now);
    return wasDone ? { ok: true } : refused(leg);
  }
  if (isDone(leg.program?.done ?? [], commandId, desk.now))
    return { ok: true, ...recording.begunBefore(leg) };
  const isOver = isEnding(leg) && command.type !== 'setClientState';
  const decision = isOver ? ended() : decide(desk, command, leg);
  if (isRefusal(decision)) return refused(decision);
  commanded(desk, leg, saidOf(command));
  decision();
  return { ok: true, ...desk.begun };
}

/** What is left out says nothing. */
function saidOf({ account, clientState, commandId, hook, ...command }: LegCommand): Said {
  const isBridging = command.type === 'bridge' || command.type === 'transfer';
  return {
    account,
    ...(commandId === undefined ? {} : { commandId }),
    ...(clientState === undefined ? {} : { clientState }),
    ...(hook === undefined ? {} : { hook }),
    ...(isBridging ? { after: command.after ?? 'hangup' } : {}),
  };
}

function decide(desk: Desk, command: LegCommand, leg: Leg): Decision {
  switch (command.type) {
    case 'answer':
      return onLeg.answer(desk, command, leg);
    case 'reject':
      return onLeg.reject(desk, command, leg);
    case 'hangup':
      return onLeg.hangup(desk, command, leg);
    case 'setClientState':
      return onLeg.setClientState(command);
    case 'bridge':
      return bridge(desk, command, leg);
    case 'transfer':
      return transfer(desk, command, leg);
    case 'sendDigits':
      return onLeg.sendDigits(desk, command, leg);
    case 'sendInfo':
      return onLeg.sendInfo(desk, command, leg);
    case 'play':
      return onLeg.play(desk, command, leg);
    case 'stopPlay':
      return onLeg.stopPlay(desk, command, leg);
    case 'gather':
      return onLeg.gather(desk, command, leg);
    case 'stopGather':
      return onLeg.stopGather(desk, leg);
    case 'startStream':
      return startStream(desk, command, leg);
    case 'stopStream':
      return stopStream(desk, command, leg);
    case 'transcribe':
      return transcribe(desk, command, leg);
    case 'stopTranscribe':
      return stopTranscribe(desk, leg);
    case 'fork':
      return fork(desk, command, leg);
    case 'stopFork':
      return stopFork(desk, leg);
    case 'enqueue':
      return enqueue(desk, command, leg);
    case 'leaveQueue':
      return leaveQueue(desk, leg);
    case 'refer':
      return onLeg.refer(desk, command, leg);
    case 'record':
      return recording.start(desk, command, leg);
    case 'pauseRecord':
    case 'resumeRecord':
    case 'stopRecord':
      return recording.change(desk, command, leg);
    case 'switchRole':
      return switchRole(desk, command, leg);
  }
}
