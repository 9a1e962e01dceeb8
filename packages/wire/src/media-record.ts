/*
 * Recordings, as media makes them: a WAV that grows as the sound comes and is a valid file whenever it has been flushed. Conversion,
 * storage and links are of the signalling side, once the file is closed.
 */

/** Whose sound: of one leg (what its peer says, and what it hears), or of a room. */
export type RecordOn = { readonly leg: string } | { readonly room: string };

export type RecordCommand =
  /**
   * Begins a file, or, of an `id` that is recorded already, changes nothing. It goes on until it is stopped, its leg or room ends, a limit
   * is reached, or the disk refuses; the end is told by `recorded`, exactly once.
   */
  | (RecordOn & {
      readonly op: 'record';
      readonly id: string;
      /** In the data folder; its folder exists. It must not exist. */
      readonly file: string;
      /** 2: of a leg, what its peer says and what it hears; of a room, who is `first` and everybody else. */
      readonly channels: 1 | 2;
      /** Of a leg: `inbound` what its peer says, `outbound` what it hears. Not `both`: one channel. */
      readonly track: 'both' | 'inbound' | 'outbound';
      readonly first?: string;
      /** A tone at the beginning, to whoever is recorded. */
      readonly beep?: true;
      /** Of sound, pauses not counted. */
      readonly maxMs?: number;
      /** Nothing is said for so long: it ends. */
      readonly silenceMs?: number;
    })
  | (RecordOn & { readonly op: 'recordPause' | 'recordResume' | 'recordStop'; readonly id: string });

export type RecordEvent = RecordOn & {
  readonly event: 'recorded';
  readonly n?: number;
  readonly id: string;
  /** `closed`: its leg or room ended. `failed`: the disk refused; what is in the file by then is whole. */
  readonly why: 'stopped' | 'closed' | 'max' | 'silence' | 'failed';
  /** Of sound in the file. */
  readonly durationMs: number;
  /** From its beginning to its end, pauses included. */
  readonly wallMs: number;
  /** Sound that came and is not in the file, since the disk was slow or refused. */
  readonly lostMs: number;
};
