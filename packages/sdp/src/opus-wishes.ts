import { type OpusWishes, opusParameters } from './codecs.ts';
import { parseSdp } from './parse.ts';

/**
 * What the author of a description wants to receive in Opus (RFC 7587 §6.1 `stereo`, `maxaveragebitrate`, and `b=`). A
 * B2BUA says the same on its other side, so that the wish reaches the one who encodes. Nothing for a description
 * without Opus, or one that does not parse.
 */
export function opusWishes(sdp: string): OpusWishes {
  const parsed = parseSdp(sdp);
  const audio = parsed.ok ? parsed.value.media.find((m) => m.kind === 'audio' && m.port !== 0) : undefined;
  if (audio === undefined || !audio.payloads.some((p) => p.name.toLowerCase() === 'opus')) return {};
  const { stereo, maxBitrate } = opusParameters(audio);
  return { ...(stereo ? { stereo } : {}), ...(maxBitrate === null ? {} : { maxBitrate }) };
}
