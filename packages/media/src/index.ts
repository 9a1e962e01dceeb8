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
  SchedulePort,
  SocketPort,
  StreamDoor,
  StreamPort,
} from './ports.ts';
