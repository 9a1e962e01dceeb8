import { parseForAndroid } from './android.ts';
import { parseForFlutter } from './flutter.ts';
import { parseForIos } from './ios.ts';
import { parseForReactNative } from './react-native.ts';
import type { NativeParser } from './rules.ts';

/** The parsers of every native SDK. */
export const NATIVE_PARSERS: readonly NativeParser[] = [
  parseForIos,
  parseForAndroid,
  parseForFlutter,
  parseForReactNative,
];
