import type { Ms } from '@sidetone/core';
import type { Flow, NameAddr, Uri } from '@sidetone/sip';

/** One place a request may be sent to. */
export interface Target {
  readonly uri: Uri;
  readonly flow: Flow;
  readonly route: readonly NameAddr[];
  /** The carrier's name. */
  readonly trunk?: string;
  /** A phone: later requests of the dialog come back by this very flow. */
  readonly phone?: true;
  /** A phone that has said nothing at all for this long is given up. */
  readonly patience?: Ms;
  /** Our domain, for the identity that is asserted to `voice`. */
  readonly domain?: string;
}
