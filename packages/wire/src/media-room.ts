/*
 * Rooms: where more than two are heard together. A leg is in a room by what it hears (`Source` of kind `room`), and that says, too, whom
 * its voice reaches; so the first leg makes the room and the last takes it away, unless it is recorded: then it stays for as long, while there is
 * any leg. What is said again changes nothing. No room has the name of a leg. At most 800 legs.
 */

/** Whom a voice reaches among the legs that hear the room: all others, nobody, or these. */
export type Reach = 'all' | 'none' | readonly string[];

export type RoomCommand =
  /**
   * Plays a file to all in the room, mixed with the voices. One at a time: a second one replaces the first. The same `id` again changes
   * nothing. The end is told by `played` of the room, exactly once, also when the room goes before. Without the room: `no-room`.
   */
  | {
      readonly op: 'roomPlay';
      readonly room: string;
      readonly id: string;
      /** A WAV, 16-bit PCM, one channel. */
      readonly file: string;
      /** How often; null: until it is stopped. */
      readonly loop: number | null;
    }
  /** Stops it, or whatever plays; `ok` also when nothing does. */
  | { readonly op: 'roomStop'; readonly room: string; readonly id?: string }
  /** A short tone to all in the room but one: somebody comes or goes. Four may wait for one another, more are left out. `ok` also without the room. */
  | {
      readonly op: 'roomBeep';
      readonly room: string;
      readonly kind: 'enter' | 'leave';
      readonly except?: string;
    };

/** Reports of a room, numbered as those of a leg are, by the room's name. */
export type RoomEvent =
  | {
      readonly event: 'roomPlayed';
      readonly room: string;
      readonly n?: number;
      readonly id: string;
      readonly status: 'completed' | 'stopped' | 'failed';
      readonly atMs: number;
    }
  /** Who of those that all hear is loudest has changed, for 400 ms; null: nobody speaks. Of these only the last is told again. */
  | { readonly event: 'floor'; readonly room: string; readonly n?: number; readonly leg: string | null };
