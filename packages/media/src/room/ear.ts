import type { CodecName } from '@sidetone/wire';
import { codecRate, type EncoderLimits, type PcmRate } from '../codec.ts';
import type { Feed } from '../feed.ts';
import type { NoFrame } from '../sound-feed.ts';
import { trackBitrate } from '../track.ts';
import type { Form, Mix } from './mix.ts';

/** What an ear needs of its room. */
export interface Heard {
  readonly rate: PcmRate;
  /** The number of the tick. */
  readonly now: number;
  /** An ear wants another form: it is given a mix. */
  formed(): void;
}

export type Hears = (leg: string | undefined) => boolean;

/** Somebody who hears a room: a member, or a recorder. It is asked once a tick, in the form that its codec needs. */
export class Ear implements Feed {
  form: Form | undefined;
  /** What it hears; shared with all who hear the same in the same form. */
  mix: Mix | undefined;
  /** The highest rate that is of use to its codec; 0: not known yet. */
  most: PcmRate | 0 = 0;
  /** The leg whose ear it is. */
  readonly id: string | undefined;
  /** Would it hear that leg, or what no leg says (`undefined`)? */
  readonly hears: Hears;
  readonly #room: Heard;
  #codec: CodecName | undefined;
  #limits: EncoderLimits = {};
  /** The tick in which it last asked for a packet. */
  #last = -1;

  constructor(room: Heard, id: string | undefined, hears: Hears) {
    this.#room = room;
    this.id = id;
    this.hears = hears;
  }

  encoded(codec: CodecName, limits: EncoderLimits): Uint8Array | NoFrame {
    const { fec, maxBitrate } = this.#limits;
    if (
      this.form?.codec === undefined ||
      codec !== this.#codec ||
      limits.fec !== fec ||
      limits.maxBitrate !== maxBitrate
    ) {
      this.#codec = codec;
      this.#limits = limits;
      this.most = codecRate(codec, 48_000);
      this.form = formOf(codec, limits, this.#room.rate);
      this.#room.formed();
    }
    const mix = this.#own;
    if (mix === undefined) return 'late';
    const { now } = this.#room;
    // It has missed what others heard.
    if (now !== this.#last + 1) mix.alone = true;
    this.#last = now;
    return mix.encoded(now) ?? 'late';
  }

  pcm(rate: PcmRate): Int16Array | NoFrame {
    if (this.form === undefined || this.form.codec !== undefined || this.form.rate !== rate) {
      this.form = { key: `PCM ${rate}`, rate };
      this.#room.formed();
    }
    return this.#own?.pcm(this.#room.now) ?? 'late';
  }

  /** The rate of the room is another one. */
  reform(): void {
    if (this.form?.codec !== undefined) this.form = formOf(this.#codec!, this.#limits, this.#room.rate);
  }

  get #own(): Mix | undefined {
    return this.mix?.form.key === this.form?.key ? this.mix : undefined;
  }
}

function formOf(codec: CodecName, { fec, maxBitrate }: EncoderLimits, most: PcmRate): Form {
  const rate = codecRate(codec, most);
  if (codec !== 'OPUS') return { key: `${codec} ${rate}`, rate, codec };
  // Few distinct limits, so that many share.
  const bitrate = trackBitrate(maxBitrate);
  const limits = { maxBitrate: bitrate, fec: fec === true };
  return { key: `OPUS ${rate} ${bitrate} ${limits.fec}`, rate, codec, limits };
}
