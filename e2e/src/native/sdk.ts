import type { NativeFrame, NativeParser } from '../../../packages/wire/test/natives/rules.ts';

/** What a client keeps of a session: its own name of it, and the server's. */
export interface Kept {
  readonly sessid: string;
  readonly voiceSdkId: string | undefined;
}

export type Params = Readonly<Record<string, unknown>>;

/** One published SDK line, as far as a server can tell it from another: how it spells what it says, when, and what it reads. */
export interface NativeSdk {
  /** For a test's title. */
  readonly line: string;
  readonly agent: string;
  /** Throws where the SDK would fail. */
  readonly parse: NativeParser;
  /** Throws when the reply to this request of its own is not what it waits for. */
  readonly expects?: (method: string, reply: NativeFrame, text: string) => void;
  /** Of its socket; `cold`: the app has been started anew. */
  path(kept: Kept | undefined, cold: boolean): string;
  /** The session it names at a login after `before`; undefined: none. */
  sessid(before: Kept | undefined, cold: boolean): string | undefined;
  login(user: string, password: string): Params;
  /** Does it ask for the gateway's state at this login? */
  asksState(again: boolean): boolean;
  stateId(): string;
  /** How it names the session and the call in a request. */
  about(method: string, sessid: string, callId: string): { readonly params: Params; readonly dialog: Params };
  /** What it says to a ping of the server; null: nothing. */
  pong(text: string, sessid: string): object | null;
  /** It drops an attach that comes before the answer to `gatewayState`. */
  readonly attachBehindState: boolean;
  /** It takes an attach only of a call it has. */
  readonly attachOnlyKnown: boolean;
}
