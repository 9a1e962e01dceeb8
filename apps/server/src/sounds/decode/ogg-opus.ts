import type { OpusDecoder } from '@sidetone/media';
import { notAudio } from '../limits.ts';
import { type Block, floatsOf } from './block.ts';
import { oggPackets } from './ogg.ts';

/** Ogg Opus (RFC 7845), one or two channels. libopus itself mixes to one channel and gives 16 kHz. */

export const OPUS_RATE = 16_000;
/** Granule positions count samples of 48 kHz. */
const PER_SAMPLE = 48_000 / OPUS_RATE;
/** Packets gathered into one block. */
const PACKETS = 50;

interface Head {
  readonly preSkip: number;
  readonly gain: number;
}

/** Of RFC 7845 §5.1; `undefined`: it is none. */
function headOf(packet: Uint8Array): Head | undefined {
  if (packet.length < 19 || String.fromCharCode(...packet.subarray(0, 8)) !== 'OpusHead') return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const [version, channels, family] = [packet[8]!, packet[9]!, packet[18]!];
  if (version >> 4 !== 0) throw notAudio('The Ogg file has an unknown version of Opus.');
  if (channels < 1 || channels > 2 || family > 1) throw notAudio('The Ogg file has more than two channels.');
  const decibels = view.getInt16(16, true) / 256;
  return { preSkip: Math.ceil(view.getUint16(10, true) / PER_SAMPLE), gain: 10 ** (decibels / 20) };
}

/**
 * @param decoder of 16 kHz, and ready
 * @throws SoundFault when there is no Opus in it, or none of it can be decoded
 */
export function* readOggOpus(bytes: Uint8Array, decoder: OpusDecoder): Generator<Block> {
  /** Of the stream that is read; others that run beside it are left out, one that follows it is read on. */
  let stream: { serial: number; head: Head; tags: boolean; skip: number; heard: number } | undefined;
  let any = false;
  let gathered: Float32Array[] = [];
  const block = (): Block => {
    const samples = new Float32Array(gathered.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of gathered) {
      samples.set(part, at);
      at += part.length;
    }
    gathered = [];
    return { rate: OPUS_RATE, samples };
  };
  for (const packet of oggPackets(bytes)) {
    if (stream === undefined || packet.serial !== stream.serial) {
      const head = packet.first && stream === undefined ? headOf(packet.bytes) : undefined;
      if (head !== undefined)
        stream = { serial: packet.serial, head, tags: false, skip: head.preSkip, heard: 0 };
      continue;
    }
    if (!stream.tags) {
      stream.tags = true;
      continue;
    }
    const pcm = decoder.decode(packet.bytes);
    if (pcm !== undefined && pcm.length > 0) {
      any = true;
      const skipped = Math.min(stream.skip, pcm.length);
      stream.skip -= skipped;
      stream.heard += pcm.length;
      // The last page says where the sound ends within its last packet (§4.4); of a stream cut out of another it does not.
      const ends =
        packet.last && packet.granule !== undefined ? Math.floor(packet.granule / PER_SAMPLE) : Infinity;
      const cut = ends < stream.heard && ends > stream.heard - pcm.length ? stream.heard - ends : 0;
      gathered.push(floatsOf(pcm.subarray(skipped, pcm.length - cut), stream.head.gain));
    }
    if (packet.last && packet.granule !== undefined) stream = undefined;
    if (gathered.length >= PACKETS) yield block();
  }
  if (gathered.length > 0) yield block();
  if (!any) throw notAudio('The Ogg file holds no Opus sound that can be decoded.');
}
