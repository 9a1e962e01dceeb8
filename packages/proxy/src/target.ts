import type { Ms } from '@sidetone/core';
import type { Flow, NameAddr, SipRequest, Uri } from '@sidetone/sip';
import type { PhonePeer } from './dialog-token.ts';
import type { Way } from './phone-way.ts';

/** One place a request may be sent to. */
export interface Target {
  readonly uri: Uri;
  readonly flow: Flow;
  readonly route: readonly NameAddr[];
  /** The carrier's name. */
  readonly trunk?: string;
  /** A phone: later requests of the dialog find it again by this. */
  readonly phone?: Pick<PhonePeer, 'user' | 'binding'> & Pick<Way, 'byContact'>;
  /** The Contact of a request to `voice`, when it says more than it came with (`dialog-path.ts`). */
  readonly contact?: SipRequest['headers']['contact'];
  /** A phone that has said nothing at all for this long is given up. */
  readonly patience?: Ms;
  /** Our domain, for the identity that is asserted to `voice`. */
  readonly domain?: string;
}
