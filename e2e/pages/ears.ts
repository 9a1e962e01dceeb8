/** For pages that are not ours to drive: what they hear and say, under `window.ears`. */
import { hear, speak } from './capture.ts';

Object.assign(window, { ears: { hear, speak } });
