import type { Call } from './call.ts';
import { type SupportedBrowsers, supportedBrowsers, type WebRTCInfo, webRTCInfo } from './capabilities.ts';
import { Client } from './client.ts';
import type { Environment } from './environment.ts';
import type { ClientOptions } from './options.ts';

const SIMPLE: Readonly<Record<string, string>> = {
  requesting: 'connecting',
  trying: 'connecting',
  early: 'connecting',
  answering: 'ringing',
  hangup: 'done',
  destroy: 'done',
};

/** {@link Client} with the name and the raw call states of the published SDK; see `outboundRinging`. */
export class TelnyxRTC extends Client {
  /** What this browser can do. */
  static webRTCInfo(): WebRTCInfo {
    return webRTCInfo();
  }
  /** Where the SDK works. */
  static webRTCSupportedBrowserList(): SupportedBrowsers[] {
    return supportedBrowsers();
  }
  /** The call with `state` in the simple words new, connecting, recovering, ringing, active, held, done. The call itself is unchanged. */
  static telnyxStateCall(call: Call): Call {
    return new Proxy(call, {
      get(target, name) {
        if (name === 'state') return SIMPLE[target.state] ?? target.state;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  constructor(options: ClientOptions, environment?: Environment) {
    super(options, environment);
    this.rawRinging = options.outboundRinging === true;
  }
}
