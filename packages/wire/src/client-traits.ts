import { CAUSE, type Cause } from './causes.ts';

/*
 * How the published clients differ, in one table by family and version. Nothing else in the code asks for a family's name. A version that
 * is not known counts as the newest of its family, a family that is not known as `web`. Proof of each cell: docs/native.md.
 */

/** Who wrote a client: `sidetone` is our SDK, `web` the published package for browsers. */
export type ClientFamily = 'sidetone' | 'web' | 'ios' | 'android' | 'flutter' | 'react-native' | 'unknown';

export interface ClientAgent {
  readonly family: ClientFamily;
  /** As stated, for User-Agent; printable ASCII, at most 128 characters. */
  readonly text: string;
}

/** The texts by which an app takes a ringing screen off again. */
export type CleanupText = 'Missed call!' | 'Answered Elsewhere';

export interface ClientTraits {
  /** When a client that is back hears what waited for it: behind `clientReady`, before any answer to `gatewayState`; or behind that answer. */
  readonly hearsAt: 'clientReady' | 'registered';
  /** It drops an `attach` that comes before that answer. */
  readonly dropsEarlyAttach: boolean;
  /** Each new login needs an `attach` for each answered call, also while sound flows. */
  readonly attach: 'when-silent' | 'always';
  /** It ignores what it knows already about a call, so it may be told again. */
  readonly mayHearTwice: boolean;
  /** After its socket was closed it connects again by itself. */
  readonly comesBack: 'always' | 'in-call' | 'never';
  /** How `attachCalls` without a call is answered: an error without a code, or a plain result (a BYE has said the reason). */
  readonly attachCallsWithoutCall: 'error' | 'result';
  /** What it hears when another device has answered. */
  readonly answeredElsewhere: Cause;
  /** USER_BUSY in its `bye` is what the person said, not what the SDK says when nobody said anything. */
  readonly busyIsMeant: boolean;
  /** It looks at the ICE servers in the answer to its login. */
  readonly takesIceServers: boolean;
  readonly pingMs: number;
  /** Which cleanup texts it understands. */
  readonly cleanup: readonly CleanupText[];
}

interface Release {
  /** In one number: 4.1.2 is 4001002. */
  readonly version: number;
  /** The application wants to hear of missed calls (`-mpn-`). */
  readonly missedCalls: boolean;
}

const release = (major: number, minor: number, patch = 0): number => (major * 1000 + minor) * 1000 + patch;

const BROWSER: ClientTraits = {
  hearsAt: 'registered',
  dropsEarlyAttach: false,
  attach: 'when-silent',
  mayHearTwice: true,
  comesBack: 'always',
  attachCallsWithoutCall: 'error',
  answeredElsewhere: CAUSE.loseRace,
  busyIsMeant: false,
  takesIceServers: true,
  pingMs: 15_000,
  cleanup: [],
};

/** They grade the line by how close our pings are to 30 s, and their parsers and servers are fixed. */
const NATIVE: ClientTraits = {
  ...BROWSER,
  attach: 'always',
  mayHearTwice: false,
  comesBack: 'never',
  answeredElsewhere: CAUSE.pickedOff,
  takesIceServers: false,
  pingMs: 30_000,
};

const BOTH: readonly CleanupText[] = ['Missed call!', 'Answered Elsewhere'];
const MISSED: readonly CleanupText[] = ['Missed call!'];

const FAMILIES: Readonly<
  Record<Exclude<ClientFamily, 'unknown'>, { readonly name: RegExp; traits(of: Release): ClientTraits }>
> = {
  sidetone: { name: /^Sidetone-/i, traits: () => ({ ...BROWSER, busyIsMeant: true }) },
  web: { name: /^Web-/i, traits: () => BROWSER },
  ios: {
    name: /^iOS-/i,
    traits: ({ version, missedCalls }) => ({
      ...NATIVE,
      comesBack: version >= release(4, 0) ? 'in-call' : 'never',
      attachCallsWithoutCall: 'result',
      cleanup: missedCalls || version < release(4, 0) ? BOTH : [],
    }),
  },
  android: {
    name: /^Android-/i,
    // After a lost network it asks for no gateway state, and its calls wait for their `attach`.
    traits: ({ version }) => ({
      ...NATIVE,
      hearsAt: 'clientReady',
      cleanup: version >= release(3, 6) ? BOTH : [],
    }),
  },
  flutter: {
    name: /^Flutter-/i,
    // Started anew it gives up a call of which it has heard nothing at REGED; reconnecting it never asks for that.
    traits: ({ version }) => ({
      ...NATIVE,
      hearsAt: 'clientReady',
      cleanup: version >= release(4, 0) ? MISSED : [],
    }),
  },
  'react-native': {
    name: /^ReactNative-/i,
    traits: ({ version, missedCalls }) => ({
      ...NATIVE,
      dropsEarlyAttach: true,
      comesBack: version >= release(0, 4, 5) ? 'never' : 'always',
      cleanup: missedCalls ? MISSED : [],
    }),
  },
};

/** A client that has not said who it is. */
export const UNKNOWN_CLIENT: ClientAgent = { family: 'unknown', text: '' };

/** Who says so little is the oldest published package for browsers. */
export const UNNAMED_BROWSER: ClientAgent = { family: 'web', text: '' };

/** A browser that states a bare version. */
export const browserOf = (version: string): ClientAgent => ({ family: 'web', text: `Web-${version}` });

/** Told by the name in front of the version, in login and in call requests alike. */
export function clientOf(text: string): ClientAgent {
  for (const [family, { name }] of Object.entries(FAMILIES))
    if (name.test(text)) return { family: family as ClientFamily, text };
  return { family: 'unknown', text };
}

function releaseOf(text: string): Release {
  const read = /^[A-Za-z]{1,16}-(?:mpn-)?(\d{1,4})\.(\d{1,3})(?:\.(\d{1,3}))?(?!\d)/i.exec(text);
  const missedCalls = /^[A-Za-z]{1,16}-mpn-/i.test(text);
  if (read === null) return { version: Infinity, missedCalls };
  return { version: release(Number(read[1]), Number(read[2]), Number(read[3] ?? 0)), missedCalls };
}

export function traitsOf({ family, text }: ClientAgent): ClientTraits {
  const known = family !== 'unknown' && Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined;
  return known === undefined ? BROWSER : known.traits(releaseOf(text));
}
