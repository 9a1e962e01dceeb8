import type { Ms } from '@sidetone/core';
import type { Beep, BuiltIn, MemberRole, SupervisorRole } from '@sidetone/wire';

/**
 * Where a leg is. A place keeps no list of its legs, so no list can disagree with them. None: nobody is on the other side.
 *
 * In a bridge a leg is side `a` or `b`; `next`: it is to take the side of a leg that hands its other side over (`swap.ts`).
 */
export type Place =
  | {
      readonly in: 'bridge';
      readonly id: string;
      readonly side: Side;
      /** The other side does not hear its digits. */
      readonly mutes?: true;
      /** The routing plan has put it here, and no back end has commanded it since: nobody would look after it alone. */
      readonly routed?: true;
    }
  | {
      readonly in: 'conference';
      readonly id: string;
      /** UUID, of this stay. */
      readonly member: string;
      /** The order in which they came. */
      readonly ticket: number;
      readonly since: Ms;
      readonly updatedAt: Ms;
      /** `joined` is told; not before the leg is up. */
      readonly joined: boolean;
      readonly muted: boolean;
      readonly held: boolean;
      /** The sound of the conference that it hears while it is held. */
      readonly hold: string | null;
      readonly role: MemberRole;
      /** The legs that hear its whisper. */
      readonly to: readonly string[];
      /** null: as the conference does. */
      readonly beep: Beep | null;
      readonly endOnExit: boolean;
      readonly softEndOnExit: boolean;
      readonly startOnEnter: boolean;
    }
  /** Beside the two who talk in a bridge: `monitor` hears both, `whisper` is heard by `of`, `barge` by both. */
  | {
      readonly in: 'bridge';
      readonly id: string;
      readonly side: 'supervisor';
      readonly role: SupervisorRole;
      /** The leg that is supervised. */
      readonly of: string;
    }
  | {
      readonly in: 'queue';
      readonly id: string;
      readonly name: string;
      /** Its rank is the position. */
      readonly ticket: number;
      readonly since: Ms;
      /** Then it is parked again; null: never. */
      readonly until: Ms | null;
      /** It stays listed when it is over. */
      readonly keeps?: true;
      /** `enqueued` is told; not before the leg is up. */
      readonly told?: true;
    }
  /** An echo, a tone or music, which the record knows as a leg of its own. */
  | {
      readonly in: 'built-in';
      readonly service: BuiltIn;
      readonly id: string;
      readonly since: Ms;
      /** Whoever is here was brought by a transfer. */
      readonly transfer?: 'target';
    };

/** The place that others may be at, too. */
export const sharedPlace = (place: Place | null | undefined): string | undefined =>
  place == null || place.in === 'built-in' ? undefined : place.id;

export type Side = 'a' | 'b' | 'next';
