export interface Device {
  readonly id: string;
  readonly label: string;
}

/** What can be chosen, and what is; an empty id is the browser's default. */
export interface Devices {
  readonly microphones: readonly Device[];
  readonly speakers: readonly Device[];
  readonly micId: string;
  readonly speakerId: string;
}

type Choice = Pick<Devices, 'micId' | 'speakerId'>;

const KEPT = 'sidetone-devices';

/** The choice of the last visit. */
export function loadChoice(): Choice {
  try {
    const { micId, speakerId } = JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Choice>;
    return { micId: micId ?? '', speakerId: speakerId ?? '' };
  } catch {
    return { micId: '', speakerId: '' };
  }
}

export function saveChoice(choice: Choice): void {
  localStorage.setItem(KEPT, JSON.stringify(choice));
}

/** Devices with names. Before the page may use the microphone they have none, and there is nothing to choose. */
export function listDevices(found: readonly MediaDeviceInfo[]): Pick<Devices, 'microphones' | 'speakers'> {
  const named = (kind: MediaDeviceKind): Device[] =>
    found
      .filter((device) => device.kind === kind && device.label !== '' && device.deviceId !== 'default')
      .map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { microphones: named('audioinput'), speakers: named('audiooutput') };
}
