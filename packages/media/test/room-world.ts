import type { CodecName, Reach } from '@sidetone/wire';
import { pcmDecoder, pcmEncoder } from '../src/codec.ts';
import { loadOpus } from '../src/index.ts';
import { join } from './fake-sounds.ts';
import { type Carrier, World } from './world.ts';

const opus = await loadOpus();

/** A party of a room: it says a tone of its own, and notes what it hears. */
export class Party {
  readonly id: string;
  hz: number;
  readonly codec: Carrier['codec'];
  readonly carrier: Carrier;
  /** Says its tone; otherwise silence, if it sends at all. */
  talks = false;
  sends = true;
  /** Of the tone, as a share of full scale. */
  level = 0.2;
  readonly #encoder;
  readonly #pcm = new Int16Array(160);
  #at = 0;

  constructor(id: string, hz: number, carrier: Carrier) {
    this.id = id;
    this.hz = hz;
    this.codec = carrier.codec;
    this.carrier = carrier;
    this.#encoder = pcmEncoder(carrier.codec, 8000, opus, {});
  }

  /** 20 ms of what it says. */
  say(): void {
    for (let i = 0; i < 160; i++) {
      const phase = 2 * Math.PI * this.hz * (this.#at++ / 8000);
      this.#pcm[i] = this.talks ? Math.round(32767 * this.level * Math.sin(phase)) : 0;
    }
    const packet = this.#encoder.encode(this.#pcm);
    if (this.sends && packet !== undefined) this.carrier.frame(packet.slice());
  }

  /** What it has heard since it was asked last, at 8000 samples a second. */
  async heard(): Promise<Int16Array> {
    return decoded(
      this.codec,
      this.carrier.take().map(({ payload }) => payload),
    );
  }
}

/** A stream from its beginning, or from where its decoder may begin. */
export async function decoded(
  codec: CodecName,
  payloads: readonly Uint8Array[],
  rate: 8000 | 24000 = 8000,
): Promise<Int16Array> {
  const decoder = pcmDecoder(codec, rate, opus);
  await new Promise(setImmediate);
  const pcm = join(payloads.flatMap((payload) => decoder.decode(payload)?.slice() ?? []));
  decoder.free();
  return pcm;
}

/** The amplitude of a tone in what was heard, as a share of full scale. */
export function toneIn(pcm: Int16Array, hz: number, rate = 8000): number {
  const k = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let a = 0;
  let b = 0;
  for (const s of pcm) [a, b] = [s + k * a - b, a];
  const power = a * a + b * b - k * a * b;
  return pcm.length === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / pcm.length / 32767;
}

/** Frequencies that share no cycle within 20 ms, inside the telephone band. */
export const TONES = [450, 650, 850, 1050, 1250, 1450, 1650, 1850] as const;

export class RoomWorld extends World {
  readonly parties: Party[] = [];

  async party(id: string, codec: Carrier['codec'] = 'PCMU'): Promise<Party> {
    const carrier = await this.carrier(id, { codec });
    const party = new Party(id, TONES[this.parties.length]!, carrier);
    this.parties.push(party);
    return party;
  }

  /** Parties of the room `r` whose voices reach all. */
  async room(...codecs: Carrier['codec'][]): Promise<Party[]> {
    for (const [i, codec] of codecs.entries()) {
      const party = await this.party('abcdefgh'[i]!, codec);
      await this.enter(party);
    }
    return this.parties;
  }

  enter(party: Party, to: Reach = 'all', room = 'r') {
    return this.command({ op: 'source', leg: party.id, source: { kind: 'room', room, to } });
  }

  leave(party: Party) {
    return this.command({ op: 'source', leg: party.id, source: { kind: 'silence' } });
  }

  /** Time passes, and all send what they say. */
  talk(ms: number): Promise<void> {
    return this.run(ms, () => {
      for (const party of this.parties) party.say();
    });
  }

  /** Who hears whom by now, each as the letters of those it hears. */
  async matrix(ms = 400): Promise<Record<string, string>> {
    await this.talk(600);
    for (const party of this.parties) party.carrier.take();
    await this.talk(ms);
    const heard: Record<string, string> = {};
    for (const party of this.parties) {
      const pcm = await party.heard();
      heard[party.id] = this.parties
        .filter(({ hz }) => toneIn(pcm, hz) > 0.05)
        .map(({ id }) => id)
        .join('');
    }
    return heard;
  }
}
