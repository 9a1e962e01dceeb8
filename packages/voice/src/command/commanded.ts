import type { AfterBridge, HookAsk } from '@sidetone/wire';
import { type Leg, mainOf } from '../leg/leg.ts';
import { newProgram, type Program } from '../leg/program.ts';
import type { Desk } from './desk.ts';
import { connectionOf } from './view.ts';

/** What a command says of the leg that it names, whatever else it asks for. */
export interface Said {
  readonly account: string;
  readonly commandId?: string;
  readonly clientState?: string;
  readonly hook?: HookAsk;
  readonly after?: AfterBridge;
}

/** The program of a leg that is commanded now: the one it has, or a new one. */
export const programFor = ({ options }: Desk, leg: Leg, account: string): Program =>
  leg.program ??
  newProgram({
    account,
    connection: connectionOf(leg, options.identity()),
    party: mainOf(leg)?.kind === 'trunk' ? 'pstn' : 'sip',
  });

export function commanded(desk: Desk, leg: Leg, { account, ...said }: Said): void {
  desk.legs.post(leg.id, {
    type: 'commanded',
    ...(leg.program === null ? { program: programFor(desk, leg, account) } : {}),
    ...said,
  });
}
