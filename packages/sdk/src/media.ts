import type { Environment } from './environment.ts';
import { TelnyxError } from './errors.ts';
import type { MediaElementChoice } from './options.ts';

/** The constraints for a microphone. */
export function audioConstraints(
  audio: boolean | MediaTrackConstraints | undefined,
  micId: string | undefined,
): boolean | MediaTrackConstraints {
  if (audio === false) return false;
  const given = typeof audio === 'object' ? audio : {};
  return micId === undefined || micId === '' ? given : { ...given, deviceId: { exact: micId } };
}

/** Opens the microphone. Rejects with error 42001 (not allowed), 42002 (no such device) or 42003. */
export async function openMicrophone(
  env: Environment,
  audio: boolean | MediaTrackConstraints,
): Promise<MediaStream> {
  if (env.mediaDevices === undefined)
    throw new TelnyxError('MEDIA_GET_USER_MEDIA_FAILED', 'microphones need https');
  try {
    return await env.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const name = (error as { name?: string } | null)?.name;
    if (name === 'NotAllowedError' || name === 'SecurityError')
      throw new TelnyxError('MEDIA_MICROPHONE_PERMISSION_DENIED', undefined, error);
    if (name === 'NotFoundError' || name === 'OverconstrainedError')
      throw new TelnyxError('MEDIA_DEVICE_NOT_FOUND', undefined, error);
    throw new TelnyxError('MEDIA_GET_USER_MEDIA_FAILED', undefined, error);
  }
}

/** The element somebody chose, or `null`. */
export function elementOf(choice: MediaElementChoice | undefined, env: Environment): HTMLMediaElement | null {
  if (choice === undefined) return null;
  if (typeof choice === 'string') return env.element(choice);
  return (typeof choice === 'function' ? choice() : choice) ?? null;
}

/** Plays a stream on an element. The browser may refuse until the person touches the page; `autoplay` then starts it. */
export function play(element: HTMLMediaElement | null, stream: MediaStream, muted: boolean): void {
  if (element === null || element.srcObject === stream) return;
  element.autoplay = true;
  element.muted = muted;
  element.srcObject = stream;
  element.play()?.catch(() => undefined);
}

/** Lets go of a stream that an element plays. */
export function unplay(element: HTMLMediaElement | null, stream: MediaStream | undefined): void {
  if (element !== null && stream !== undefined && element.srcObject === stream) element.srcObject = null;
}

/** Sends an element's sound to an output device. `false` when the browser cannot, or there is no element. */
export async function chooseOutput(element: HTMLMediaElement | null, deviceId: string): Promise<boolean> {
  if (element === null || typeof element.setSinkId !== 'function') return false;
  return element.setSinkId(deviceId).then(
    () => true,
    () => false,
  );
}
