import type { Environment } from './environment.ts';
import { audioConstraints, chooseOutput, elementOf, openMicrophone, play, unplay } from './media.ts';
import type { CallSettings } from './options.ts';

/** The two streams of a call: where they come from, where they play, and what is silenced. */
export class CallAudio {
  localStream: MediaStream | undefined;
  remoteStream: MediaStream | undefined;
  readonly #env: Environment;
  readonly #options: CallSettings;
  /** We opened the local stream, so we stop it. */
  #own = false;
  #muted: boolean;
  #deaf = false;
  #closed = false;

  constructor(env: Environment, options: CallSettings) {
    this.#env = env;
    this.#options = options;
    this.#muted = options.mutedMicOnStart === true;
  }

  /** The local stream while it is good for another peer connection. */
  get live(): MediaStream | undefined {
    const stream = this.localStream;
    return stream?.getAudioTracks().some(({ readyState }) => readyState === 'live') ? stream : undefined;
  }

  get muted(): boolean {
    return this.#muted;
  }
  set muted(muted: boolean) {
    this.#muted = muted;
    for (const track of this.localStream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  get deaf(): boolean {
    return this.#deaf;
  }
  set deaf(deaf: boolean) {
    this.#deaf = deaf;
    for (const track of this.remoteStream?.getAudioTracks() ?? []) track.enabled = !deaf;
  }

  /** The stream to send: the application's, the microphone's, or `undefined` for none. Rejects with error 4200x. */
  async open(): Promise<MediaStream | undefined> {
    const { localStream, audio, micId } = this.#options;
    if (localStream !== undefined) {
      this.#use(localStream, false);
      return localStream;
    }
    const constraints = audioConstraints(audio, micId);
    return constraints === false ? undefined : this.#microphone(constraints);
  }

  /** Another microphone for a sender that is live. Rejects with error 4200x. */
  async replace(sender: RTCRtpSender): Promise<boolean> {
    const { audio, micId } = this.#options;
    const constraints = audioConstraints(audio, micId);
    const stream = constraints === false ? undefined : await this.#microphone(constraints);
    await sender.replaceTrack(stream?.getAudioTracks()[0] ?? null);
    return stream !== undefined;
  }

  /** Plays what the far side sends. */
  receive(stream: MediaStream): void {
    this.remoteStream = stream;
    this.deaf = this.#deaf;
    const element = elementOf(this.#options.remoteElement, this.#env);
    play(element, stream, false);
    const { speakerId } = this.#options;
    if (speakerId !== undefined && speakerId !== '') void chooseOutput(element, speakerId);
  }

  /** Sends the far side's sound to an output device. */
  output(deviceId: string): Promise<boolean> {
    this.#options.speakerId = deviceId;
    return chooseOutput(elementOf(this.#options.remoteElement, this.#env), deviceId);
  }

  /** Stops the microphone and lets go of the elements. */
  close(): void {
    this.#closed = true;
    unplay(elementOf(this.#options.remoteElement, this.#env), this.remoteStream);
    unplay(elementOf(this.#options.localElement, this.#env), this.localStream);
    if (this.#own) stop(this.localStream);
  }

  async #microphone(constraints: true | MediaTrackConstraints): Promise<MediaStream | undefined> {
    const stream = await openMicrophone(this.#env, constraints);
    if (this.#closed) {
      stop(stream);
      return undefined;
    }
    this.#use(stream, true);
    return stream;
  }

  #use(stream: MediaStream, own: boolean): void {
    if (this.#own) stop(this.localStream);
    this.#own = own;
    this.localStream = stream;
    this.muted = this.#muted;
    play(elementOf(this.#options.localElement, this.#env), stream, true);
  }
}

const stop = (stream: MediaStream | undefined): void => {
  for (const track of stream?.getTracks() ?? []) track.stop();
};
