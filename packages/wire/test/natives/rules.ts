/** What the parsers of the published native SDKs do with a frame of a server, told by the rule that it breaks. */

export type Json = Readonly<Record<string, unknown>>;

export interface NativeFrame {
  readonly id: unknown;
  readonly method?: string;
  readonly params: Json;
  readonly result?: Json;
  readonly error?: Json;
  readonly voiceSdkId: string;
}

/** A parser: throws where the SDK would fail, or lose what the frame says. */
export type NativeParser = (text: string) => NativeFrame;

export class BrokenRule extends Error {
  constructor(rule: string, text: string) {
    super(`${rule}: ${text.slice(0, 2000)}`);
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Demand = (met: boolean, rule: string) => void;

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isTextOrAbsent = (value: unknown): boolean => value === undefined || typeof value === 'string';
export const isIntegerOrAbsent = (value: unknown): boolean => value === undefined || Number.isInteger(value);

/** Opens a frame for the rules of one SDK. */
export function parser(
  sdk: string,
  rules: (frame: NativeFrame, demand: Demand, raw: Json) => void,
): NativeParser {
  return (text) => {
    const demand: Demand = (met, rule) => {
      if (!met) throw new BrokenRule(`${sdk}: ${rule}`, text);
    };
    let raw: unknown;
    try {
      raw = JSON.parse(text);
    } catch {
      raw = null;
    }
    demand(isObject(raw), 'a frame is a JSON object');
    const json = raw as Json;
    demand(isText(json['voice_sdk_id']) && json['voice_sdk_id'] !== '', 'voice_sdk_id in every frame');
    const frame: NativeFrame = {
      id: json['id'],
      ...(isText(json['method']) ? { method: json['method'].replace(/^telnyx_rtc\./, '') } : {}),
      params: isObject(json['params']) ? json['params'] : {},
      ...(isObject(json['result']) ? { result: json['result'] } : {}),
      ...(isObject(json['error']) ? { error: json['error'] } : {}),
      voiceSdkId: json['voice_sdk_id'] as string,
    };
    rules(frame, demand, json);
    return frame;
  };
}

/** `[{ name, value }]`, both texts. */
export const areHeaders = (value: unknown): boolean =>
  Array.isArray(value) && value.every((h) => isObject(h) && isText(h['name']) && isText(h['value']));

export const holdsNull = (value: unknown): boolean =>
  value === null ||
  (Array.isArray(value) && value.some(holdsNull)) ||
  (isObject(value) && Object.values(value).some(holdsNull));
