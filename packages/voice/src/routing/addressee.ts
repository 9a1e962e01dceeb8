import { type Uri, userOf } from '@sidetone/sip';
import { namedBy } from '@sidetone/wire';

/** A number in its one spelling, or a user name; `''` for none. */
export const namedIn = (uri: Uri): string => namedBy(uri.scheme, userOf(uri));

/** What a peer of ours dials by a URI, for the routing plan. Our own host stands for the domain; a tel URI is of no host. */
export function dialledIn(uri: Uri, isOwnHost: (host: string) => boolean): string {
  const named = namedIn(uri);
  const here = uri.scheme === 'tel' || isOwnHost(uri.host);
  return named === '' || here ? named : `${named}@${uri.host}`;
}
