import type { Readable } from 'node:stream';

/** Octets of a file, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Where the files of recordings are kept. Rejects with words that name no path and no secret. */
export interface Keeper {
  readonly place: 'disk' | 's3';
  /** Takes a finished file from the data folder; the same again changes nothing. */
  put(file: string, key: string, contentType: string): Promise<void>;
  /** `undefined`: there is no such file. */
  open(key: string, range?: ByteRange): Promise<Readable | undefined>;
  /** Of one that is not there, too. */
  remove(key: string): Promise<void>;
}
