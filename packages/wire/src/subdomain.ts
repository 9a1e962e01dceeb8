import { sameHost } from '@sidetone/core';
import type { ApplicationEntry, Identity } from './identity.ts';

/**
 * The application whose subdomain a host is (`shop.voice.example.com`, where users are at `voice.example.com`): whatever is called there
 * is a call to it. `undefined`: none, or one that is not in service.
 */
export function applicationAt(identity: Identity, host: string): ApplicationEntry | undefined {
  const [label = '', ...rest] = host.split('.');
  if (label === '' || rest.length === 0 || !sameHost(rest.join('.'), identity.domain)) return undefined;
  return inService(identity, identity.applicationOfSubdomain(label.toLowerCase()));
}

/** An application of this id that takes calls. */
export const applicationInService = (identity: Identity, id: string): ApplicationEntry | undefined =>
  inService(identity, identity.application(id));

const inService = (
  identity: Identity,
  application: ApplicationEntry | undefined,
): ApplicationEntry | undefined =>
  application?.active === true && identity.account(application.accountId)?.active === true
    ? application
    : undefined;
