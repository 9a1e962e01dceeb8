/** How a call ended, as the page saw it. */
export interface Ending {
  readonly direction: 'inbound' | 'outbound';
  readonly answered: boolean;
  /** The person at this page ended it. */
  readonly byUs: boolean;
  readonly cause?: string | undefined;
  readonly sipCode?: number | undefined;
  /** The code of the SDK's error that ended it. */
  readonly error?: number | undefined;
}

/** A lookup that finds nothing but its own rows: keys come from peers. */
function table(rows: Readonly<Record<string | number, string>>): Readonly<Record<string | number, string>> {
  return Object.assign(Object.create(null), rows);
}

const BY_ERROR = table({
  42001: 'Sidetone may not use your microphone. Allow it in the browser, then call again.',
  42002: 'The chosen microphone is not there. Connect it or choose another one.',
  42003: 'The microphone could not be opened. Is another program using it?',
  48501: 'The connection to the server was lost, and the call with it.',
});

const BY_CAUSE = table({
  USER_BUSY: 'The line is busy.',
  NO_ANSWER: 'Nobody answered.',
  NO_USER_RESPONSE: 'Nobody can be reached there right now.',
  SUBSCRIBER_ABSENT: 'Nobody can be reached there right now.',
  UNALLOCATED_NUMBER: 'This number or user does not exist.',
  INVALID_NUMBER_FORMAT: 'This number is not complete.',
  CALL_REJECTED: 'The call was declined.',
  ORIGINATOR_CANCEL: 'The caller gave up.',
  LOSE_RACE: 'It was answered on another device.',
  PICKED_OFF: 'It was answered on another device.',
  MEDIA_TIMEOUT: 'No more sound arrived, so the call was ended.',
  ICE_FAILED: 'No path for the sound was found. A firewall may be in the way.',
  DTLS_FAILED: 'The sound could not be encrypted, so the call was ended.',
  INCOMPATIBLE_DESTINATION: 'The two sides have no common audio format.',
  NETWORK_OUT_OF_ORDER: 'The connection to the server was lost.',
  NETWORK_LOST: 'The connection to the server was lost.',
  RECOVERY_ON_TIMER_EXPIRE: 'The server did not answer in time.',
  NORMAL_TEMPORARY_FAILURE: 'The other network has a problem. Try again in a moment.',
  NO_ROUTE_DESTINATION: 'There is no way to this number from here.',
});

const BY_SIP = table({
  403: 'This call is not allowed.',
  404: BY_CAUSE['UNALLOCATED_NUMBER']!,
  408: BY_CAUSE['NO_ANSWER']!,
  480: BY_CAUSE['NO_USER_RESPONSE']!,
  484: BY_CAUSE['INVALID_NUMBER_FORMAT']!,
  486: BY_CAUSE['USER_BUSY']!,
  488: BY_CAUSE['INCOMPATIBLE_DESTINATION']!,
  600: BY_CAUSE['USER_BUSY']!,
  603: BY_CAUSE['CALL_REJECTED']!,
});

/** Why a call ended, in a sentence for a person. */
export function endingInWords(ending: Ending): string {
  const { answered, byUs, cause, sipCode, direction, error } = ending;
  const ofError = error === undefined ? undefined : BY_ERROR[error];
  if (ofError !== undefined) return ofError;
  if (byUs) {
    if (answered) return 'You hung up.';
    return direction === 'outbound' ? 'You ended the call before it was answered.' : 'You declined the call.';
  }
  if (cause === 'NORMAL_CLEARING' || (cause === undefined && answered)) return 'The other side hung up.';
  // A SIP code says more than a cause that is only its shadow; our own causes for lost media have none.
  const ofCause = cause === undefined ? undefined : BY_CAUSE[cause];
  const ofSip = sipCode === undefined ? undefined : BY_SIP[sipCode];
  if (sipCode === 403 && ofSip !== undefined) return ofSip;
  if (ofCause !== undefined) return ofCause;
  if (ofSip !== undefined) return ofSip;
  if (sipCode !== undefined && sipCode >= 500 && sipCode < 600) return BY_CAUSE['NORMAL_TEMPORARY_FAILURE']!;
  const detail = [cause, sipCode].filter((part) => part !== undefined).join(', ');
  return detail === '' ? 'The call ended.' : `The call ended (${detail}).`;
}

/** `0:07`, `12:34`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

const BUILT_IN = table({
  '9196': 'Echo',
  '9197': 'Tone',
  '9664': 'Music',
});

/** The built-in numbers of every server. */
export const SERVICES: readonly (readonly [number: string, name: string])[] = Object.entries(BUILT_IN);

/** What to call the other side: the service's name, a person's name, or the number. */
export function nameOf(number: string, name: string | undefined): string {
  const service = BUILT_IN[number];
  if (service !== undefined) return service;
  if (name !== undefined && name !== '' && name !== 'Outbound Call' && name !== number) return name;
  return number === '' ? 'Unknown caller' : number.replace(/^sips?:/, '').replace(/@.*$/, '');
}

/** The keys of the pad, with their letters (ITU-T E.161). */
export const KEYS: readonly (readonly [key: string, letters: string])[] = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', ''],
  ['0', '+'],
  ['#', ''],
];

/** A typed destination without the blanks, dots and brackets that numbers are written with. Names stay as they are. */
export function cleaned(destination: string): string {
  const typed = destination.trim();
  return /^\+?[\d\s().*#/-]+$/.test(typed) ? typed.replace(/[\s()./-]/g, '') : typed;
}
