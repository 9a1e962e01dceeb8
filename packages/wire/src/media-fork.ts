/* Copies of a leg's RTP, opened, to somebody else by UDP. */

/** An IP address and a port. */
export interface ForkTarget {
  readonly address: string;
  readonly port: number;
}

export interface ForkAsk {
  /** What the peer sends goes there, */
  readonly rx?: ForkTarget;
  /** and what it is sent. At least one of them. */
  readonly tx?: ForkTarget;
}

export type ForkCommand =
  /** Begins, or, of an `id` that is there, changes nothing. At most one a leg; it ends with its leg. */
  | (ForkAsk & { readonly op: 'fork'; readonly leg: string; readonly id: string })
  /** `ok` also when there is none of that id. */
  | { readonly op: 'forkStop'; readonly leg: string; readonly id: string };
