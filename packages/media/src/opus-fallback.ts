import OpusScript from 'opusscript';
import type { OpusDecoder, OpusEncoder, OpusEncoderSettings, OpusFactory, OpusRate } from './opus.ts';

/** libopus control requests (opus_defines.h numbers). */
const SET_BITRATE = 4002;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS = 4014;

function encoder(settings: OpusEncoderSettings): OpusEncoder {
  const codec = new OpusScript(settings.rate, 1, OpusScript.Application.VOIP);
  codec.encoderCTL(SET_BITRATE, settings.bitrate);
  codec.encoderCTL(SET_INBAND_FEC, settings.fec ? 1 : 0);
  codec.encoderCTL(SET_PACKET_LOSS, settings.fec ? 10 : 0);
  const frame = settings.rate / 50;
  return {
    encode(pcm) {
      try {
        return codec.encode(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength), frame);
      } catch {
        return undefined;
      }
    },
    free: () => codec.delete(),
  };
}

function decoder(rate: OpusRate): OpusDecoder {
  const codec = new OpusScript(rate, 1, OpusScript.Application.VOIP);
  // The library has no concealment entry point: a lost frame is silence.
  const silence = (samples: number): Int16Array => new Int16Array(samples);
  return {
    decode(packet) {
      try {
        const bytes = codec.decode(Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength));
        return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      } catch {
        return undefined;
      }
    },
    recover: (_packet, samples) => silence(samples),
    conceal: silence,
    free: () => codec.delete(),
  };
}

/** The other Opus library, without loss concealment: for hosts on which libopus-wasm does not load. */
export function fallbackOpus(): OpusFactory {
  return { name: 'opusscript', encoder, decoder };
}
