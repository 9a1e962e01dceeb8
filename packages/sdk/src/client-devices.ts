import type { Call } from './call.ts';
import type { ClientEvents } from './client-events.ts';
import { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';
import { elementOf, openMicrophone } from './media.ts';
import { type CallSettings, type MediaElementChoice, present } from './options.ts';

/** The part of a client that knows the devices and elements of the page: what new calls begin with. */
export abstract class ClientDevices extends Emitter<ClientEvents> {
  /** The output device of new calls. */
  speaker: string | undefined;

  /** @internal */
  protected readonly env: Environment;
  #audio: boolean | MediaTrackConstraints = true;
  #micId: string | undefined;
  #localMedia: MediaElementChoice | undefined;
  #remoteMedia: MediaElementChoice | undefined;

  /** @internal */
  constructor(environment: Environment) {
    super();
    this.env = environment;
  }

  /** The calls that are not over. */
  abstract getActiveCalls(): Call[];

  /** Where the microphone shows; muted. An element, its id, or a function. */
  get localElement(): HTMLMediaElement | null {
    return elementOf(this.#localMedia, this.env);
  }
  set localElement(choice: MediaElementChoice | null) {
    this.#localMedia = choice ?? undefined;
  }
  /** Where the far side is heard. An element, its id, or a function. */
  get remoteElement(): HTMLMediaElement | null {
    return elementOf(this.#remoteMedia, this.env);
  }
  set remoteElement(choice: MediaElementChoice | null) {
    this.#remoteMedia = choice ?? undefined;
  }

  /** What new calls ask of the microphone. */
  get mediaConstraints(): { audio: boolean | MediaTrackConstraints; video: false } {
    return { audio: this.#audio, video: false };
  }

  /** Microphones, speakers and cameras; names are empty until the page may use the microphone. `[]` when the browser tells none. */
  async getDevices(): Promise<MediaDeviceInfo[]> {
    try {
      return (await this.env.mediaDevices?.enumerateDevices()) ?? [];
    } catch (error) {
      this.emit('telnyx.rtc.mediaError', { error });
      return [];
    }
  }
  getAudioInDevices(): Promise<MediaDeviceInfo[]> {
    return this.#devices('audioinput');
  }
  getAudioOutDevices(): Promise<MediaDeviceInfo[]> {
    return this.#devices('audiooutput');
  }
  /** Cameras are listed for the sake of the interface; calls have no video. */
  getVideoDevices(): Promise<MediaDeviceInfo[]> {
    return this.#devices('videoinput');
  }
  /** The id of a device that is there: the one with the id, or else the one with the label. `null` when there is neither. */
  async validateDeviceId(id: string, label: string, kind: MediaDeviceKind): Promise<string | null> {
    const devices = await this.#devices(kind);
    const found =
      devices.find(({ deviceId }) => deviceId === id) ?? devices.find((one) => one.label === label);
    return found?.deviceId ?? null;
  }
  /** Whether the page may use the microphone; asks the person when that is open. `video` is ignored: calls have none. */
  async checkPermissions(audio = true, _video = false): Promise<boolean> {
    if (!audio) return true;
    try {
      for (const track of (await openMicrophone(this.env, true)).getTracks()) track.stop();
      return true;
    } catch {
      return false;
    }
  }

  /** The microphone of new calls, and of those that live. `false` when one could not be changed. */
  async setAudioInDevice(deviceId: string): Promise<boolean> {
    this.#micId = deviceId;
    const live = this.getActiveCalls().filter((call) => call.peer !== undefined);
    return (await Promise.all(live.map((call) => call.setAudioInDevice(deviceId)))).every(Boolean);
  }
  /** The output device of new calls, and of those that live. `false` when one could not be changed. */
  async setAudioOutDevice(deviceId: string): Promise<boolean> {
    this.speaker = deviceId;
    const live = this.getActiveCalls().filter((call) => call.remoteStream !== undefined);
    return (await Promise.all(live.map((call) => call.setAudioOutDevice(deviceId)))).every(Boolean);
  }
  /** What new calls ask of the microphone; resolves with the constraints. A device that is gone is found by its label. */
  async setAudioSettings(
    settings: MediaTrackConstraints & { micId?: string; micLabel?: string },
  ): Promise<MediaTrackConstraints> {
    const { micId, micLabel = '', ...constraints } = settings;
    if (micId !== undefined)
      this.#micId = (await this.validateDeviceId(micId, micLabel, 'audioinput')) ?? undefined;
    this.#audio = constraints;
    return this.#micId === undefined ? constraints : { ...constraints, deviceId: { exact: this.#micId } };
  }
  /** New calls have a microphone again. */
  enableMicrophone(): void {
    if (this.#audio === false) this.#audio = true;
  }
  /** New calls have no microphone. */
  disableMicrophone(): void {
    this.#audio = false;
  }

  async #devices(wanted: MediaDeviceKind): Promise<MediaDeviceInfo[]> {
    return (await this.getDevices()).filter(({ kind }) => kind === wanted);
  }

  /** @internal What new calls begin with. */
  protected deviceDefaults(): Partial<CallSettings> {
    return present({
      audio: this.#audio === true ? undefined : this.#audio,
      localElement: this.#localMedia,
      remoteElement: this.#remoteMedia,
      micId: this.#micId,
      speakerId: this.speaker,
    });
  }
}
