import { hexId, type Ms, type Random, uuid } from '@sidetone/core';
import { CAUSE, UNKNOWN_CLIENT } from '@sidetone/wire';
import type { Session, SessionSettings } from './session.ts';
import type { VspOptions } from './vsp-events.ts';

export const CALLS_PER_SESSION = 20;

/** Why calls end that nobody hung up. */
export const ENDING = {
  socketGone: CAUSE.networkLost,
  drain: CAUSE.temporaryFailure,
} as const;

/** The close code that asks to come back soon (1012, service restart). Every published SDK for browsers does, whatever the code. */
export const RESTARTING = { code: 1012, reason: 'server is restarting' } as const;

export const STOPPING = { code: 1001, reason: 'server is stopping' } as const;

export function settingsOf(options: VspOptions): SessionSettings {
  return {
    loginMs: options.loginTimeoutMs ?? 10_000,
    retryMs: 60_000,
    silenceMs: options.silenceMs ?? 60_000,
    keepMs: options.keepMs,
    failedLogins: options.limits?.failedLogins ?? 5,
    bytesBeforeLogin: options.limits?.bytesBeforeLogin ?? 4096,
    dc: options.dc,
    region: options.region,
  };
}

/** A socket that has just opened: every field it will ever have, so that nothing grows before the login. */
export function newSession(
  socket: string,
  address: string,
  token: string | undefined,
  random: Random,
  now: Ms,
  settings: SessionSettings,
): Session {
  return {
    socket,
    address,
    voiceSdkId: hexId(random, 16),
    reportId: hexId(random, 16),
    contact: hexId(random, 16),
    sessid: uuid(random),
    owner: null,
    token: token ?? null,
    homecoming: 'no',
    openedAt: now,
    agent: UNKNOWN_CLIENT,
    login: { name: 'connected', until: now + settings.loginMs },
    failures: 0,
    told: 0,
    heardAt: now,
    pingAt: null,
    serno: 0,
    pings: [],
    nextId: 1,
    sequence: 1,
    registers: 0,
    speedTestAt: null,
  };
}

/** A socket whose login names the session `before`: it goes on under the names that client, voice and registrar know. */
export const resumedSession = (fresh: Session, before: Session): Session => ({
  ...fresh,
  voiceSdkId: before.voiceSdkId,
  reportId: before.reportId,
  contact: before.contact,
  sessid: before.sessid,
  owner: before.owner,
  homecoming: 'due',
  registers: before.registers,
  nextId: Math.max(fresh.nextId, before.nextId),
  sequence: fresh.sequence + before.sequence,
});
