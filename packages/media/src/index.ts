export { createMediaEngine, type MediaEngine } from './engine.ts';
export {
  loadOpus,
  type OpusDecoder,
  type OpusEncoder,
  type OpusEncoderSettings,
  type OpusFactory,
  type OpusRate,
} from './opus.ts';
export { fallbackOpus } from './opus-fallback.ts';
export type {
  Datagrams,
  MediaEngineOptions,
  MediaLimits,
  Receive,
  RecordingFile,
  RecordingPort,
  RemoteDatagrams,
  RemoteEvents,
  RemoteLine,
  RemotePort,
  RemoteTarget,
  SchedulePort,
  SocketPort,
  SoundPort,
  SoundReader,
  StreamDoor,
  StreamPort,
} from './ports.ts';
export { BROKEN, LATE } from './ports.ts';
export {
  readWavHead,
  WAV_HEAD_BYTES,
  WAV_HEAD_LIMIT,
  type WavError,
  type WavHead,
  writeWavHead,
} from './wav.ts';
