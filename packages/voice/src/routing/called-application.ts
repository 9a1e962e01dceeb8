import { sameHost } from '@sidetone/core';
import type { Uri } from '@sidetone/sip';
import {
  type ApplicationEntry,
  applicationAt,
  applicationInService,
  type Identity,
  type NumberEntry,
} from '@sidetone/wire';
import { CAUSE, type Why } from '../leg/ending.ts';
import { namedIn } from './addressee.ts';
import type { Calling } from './calling.ts';

/** What a call is to, as far as applications are concerned. */
export interface Called {
  readonly uri: Uri;
  /** The number of ours that the user part is. */
  readonly number: NumberEntry | undefined;
  readonly isOwnHost: (host: string) => boolean;
}

/** `dialled`: as the back end reads it. */
export interface CalledApplication {
  readonly application: ApplicationEntry;
  readonly dialled: string;
}

/**
 * The application that a call is for, by its subdomain or by a number of it; or why it does not get this call. A number is called at our own
 * host; by carriers, whose calls are to numbers of ours, at whatever host they write; by strangers nowhere.
 */
export function calledApplication(
  identity: Identity,
  { uri, number, isOwnHost }: Called,
  calling: Calling,
): CalledApplication | Why | undefined {
  const isHere = uri.scheme === 'tel' || isOwnHost(uri.host) || sameHost(uri.host, identity.domain);
  const there = isHere ? undefined : applicationAt(identity, uri.host);
  if (there?.subdomain != null) {
    const isOurs = calling.by === 'user' && calling.user.accountId === there.accountId;
    if (!isOurs && there.subdomain.from !== 'anyone') return CAUSE.callingDisabled;
    const [user, host] = [namedIn(uri), uri.host.toLowerCase()];
    return { application: there, dialled: user === '' ? host : `${user}@${host}` };
  }
  if (number === undefined || calling.by === 'stranger' || (calling.by === 'user' && !isHere))
    return undefined;
  const application = applicationInService(identity, number.assignee ?? '');
  return application && { application, dialled: number.number };
}
