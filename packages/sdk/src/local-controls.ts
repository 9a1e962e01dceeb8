import type { CallAudio } from './call-audio.ts';
import type { CallEventsOf } from './call-host.ts';
import { Emitter } from './emitter.ts';

/** The part of a call that nobody else hears of: its streams, and what is silenced here. No method of it sends anything. */
export class LocalControls<C> extends Emitter<CallEventsOf<C>> {
  /** @internal */
  protected readonly audio: CallAudio;

  /** @internal */
  constructor(audio: CallAudio) {
    super();
    this.audio = audio;
  }

  get localStream(): MediaStream | undefined {
    return this.audio.localStream;
  }
  get remoteStream(): MediaStream | undefined {
    return this.audio.remoteStream;
  }
  get isAudioMuted(): boolean {
    return this.audio.muted;
  }

  /** Stops sending the microphone. */
  muteAudio(): void {
    this.audio.muted = true;
  }
  unmuteAudio(): void {
    this.audio.muted = false;
  }
  toggleAudioMute(): void {
    this.audio.muted = !this.audio.muted;
  }
  /** Another name of {@link muteAudio}. */
  mute(): void {
    this.muteAudio();
  }
  /** Another name of {@link unmuteAudio}. */
  unmute(): void {
    this.unmuteAudio();
  }
  /** Silences the far side. */
  deaf(): void {
    this.audio.deaf = true;
  }
  undeaf(): void {
    this.audio.deaf = false;
  }
  toggleDeaf(): void {
    this.audio.deaf = !this.audio.deaf;
  }

  /** Changes the output device. `false` when the browser cannot, or the call has no element. */
  setAudioOutDevice(deviceId: string): Promise<boolean> {
    return this.audio.output(deviceId);
  }
}
