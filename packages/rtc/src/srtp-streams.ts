import type { SrtpStreamState } from './srtp-types.ts';

/** Packets behind the newest that are told apart from replays (RFC 3711 §3.3.2 asks for 64 or more). */
const WINDOW = 256;
const MAX_STREAMS = 8;

/** Which indices of a stream have been used: the highest, and a ring of flags for the `WINDOW` up to it. */
export class IndexWindow {
  #highest: number;
  readonly #flags = new Uint8Array(WINDOW);

  /** `highest` -1: none yet. A restored window counts everything up to `highest` as used. */
  constructor(highest: number) {
    this.#highest = highest;
    if (highest >= 0) this.#flags.fill(1);
  }

  get highest(): number {
    return this.#highest;
  }

  /** The 48-bit index that a 16-bit sequence number most likely means (RFC 3711 §3.3.1); negative: before the first. */
  guess(sequence: number): number {
    if (this.#highest < 0) return sequence;
    const low = this.#highest % 65_536;
    const base = this.#highest - low;
    const ahead = sequence - low;
    if (ahead > 32_768) return base - 65_536 + sequence;
    if (ahead < -32_768) return base + 65_536 + sequence;
    return base + sequence;
  }

  /** Used already, or too old to tell. */
  seen(index: number): boolean {
    if (index > this.#highest) return false;
    return index <= this.#highest - WINDOW || this.#flags[index % WINDOW] === 1;
  }

  mark(index: number): void {
    if (index > this.#highest) {
      const from = Math.max(this.#highest + 1, index - WINDOW + 1);
      for (let i = from; i < index; i++) this.#flags[i % WINDOW] = 0;
      this.#highest = index;
    }
    this.#flags[index % WINDOW] = 1;
  }
}

export interface SrtpStream {
  readonly ssrc: number;
  readonly rtp: IndexWindow;
  readonly rtcp: IndexWindow;
}

/** The streams of one direction, by SSRC as a signed word; at most eight. */
export class SrtpStreams {
  readonly #streams: SrtpStream[] = [];

  /** `jump`: how far restored indices move forward, past anything sent since the state was saved. */
  constructor(saved: readonly SrtpStreamState[], jump: number) {
    for (const { ssrc, rtpIndex, rtcpIndex } of saved.slice(0, MAX_STREAMS)) {
      this.#streams.push({
        ssrc: ssrc | 0,
        rtp: new IndexWindow(rtpIndex < 0 ? -1 : rtpIndex + jump),
        rtcp: new IndexWindow(rtcpIndex < 0 && jump === 0 ? -1 : rtcpIndex + jump),
      });
    }
  }

  get full(): boolean {
    return this.#streams.length >= MAX_STREAMS;
  }

  find(ssrc: number): SrtpStream | undefined {
    const streams = this.#streams;
    for (let i = 0; i < streams.length; i++) if (streams[i]!.ssrc === ssrc) return streams[i];
    return undefined;
  }

  /** `undefined`: no room. */
  add(ssrc: number): SrtpStream | undefined {
    if (this.full) return undefined;
    const stream = { ssrc, rtp: new IndexWindow(-1), rtcp: new IndexWindow(-1) };
    this.#streams.push(stream);
    return stream;
  }

  export(): SrtpStreamState[] {
    return this.#streams.map(({ ssrc, rtp, rtcp }) => ({
      ssrc: ssrc >>> 0,
      rtpIndex: rtp.highest,
      rtcpIndex: rtcp.highest,
    }));
  }
}
