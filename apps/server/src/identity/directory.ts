import { createHash, timingSafeEqual } from 'node:crypto';
import type { Connection, Directory, Identity, SipUser } from '@sidetone/wire';

/**
 * `Directory` made of `Identity`, for services that look users up in a list: every name that may be used now is a connection of
 * its own, a connection before its credentials. Made anew after a change.
 */
export function directoryOf(identity: Identity, now: () => number): () => Directory {
  let made: { readonly revision: number; readonly directory: Directory } | undefined;
  return () => {
    if (made?.revision !== identity.revision) {
      const connections = [...identity.users()]
        .filter((user) => identity.refusal(user, now()) === undefined)
        .map((user) => connectionOf(identity, user));
      made = {
        revision: identity.revision,
        directory: { domain: identity.domain, connections, trunks: identity.trunks },
      };
    }
    return made.directory;
  };
}

function connectionOf(identity: Identity, user: SipUser): Connection {
  const settings = identity.connection(user.connectionId)!;
  return {
    user_name: user.name,
    password: user.password,
    // A credential may show the numbers of its connection; dialled, they ring the connection.
    numbers: identity.numbersOf(user.connectionId).map((entry) => entry.number),
    sip_uri_calling_preference: settings.sipUriCalling,
    dnis_number_format: settings.dnisFormat,
    simultaneous_ringing: settings.simultaneousRinging ? 'enabled' : 'disabled',
    reject_code: settings.rejectCode,
    codecs: settings.codecs,
  };
}

/** Is this the password of this user? Takes the same time for an unknown user and for a wrong password. */
export function passwordMatches(user: SipUser | undefined, password: string): boolean {
  const expected = createHash('sha256')
    .update(user?.password ?? '')
    .digest();
  const given = createHash('sha256').update(password).digest();
  return timingSafeEqual(expected, given) && user !== undefined;
}
