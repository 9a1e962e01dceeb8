import type { Call } from './call.ts';
import { type SupportedBrowsers, supportedBrowsers, type WebRTCInfo, webRTCInfo } from './capabilities.ts';
import { Client } from './client.ts';
import type { Environment } from './environment.ts';
import type { ClientOptions } from './options.ts';
import {
  type MicrophoneCheckOptions,
  type PreCallOptions,
  runCall,
  runMicrophone,
  runServers,
} from './pre-call.ts';
import type { PreCallReport } from './pre-call-reasons.ts';

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

  /** Calls an echo, looks at path and sound, and says whether calls will work. The client must be ready. */
  runPreCall(options: PreCallOptions = {}): Promise<PreCallReport> {
    return runCall(this, this.env, options);
  }
  /** The same, with one call for each of the STUN and TURN servers. */
  runNetworkCheck(options: PreCallOptions = {}): Promise<PreCallReport> {
    return runServers(this, this.env, options.iceServers ?? this.iceServers, options);
  }
  /** Opens the microphone and listens. Nothing is sent, and nothing recorded. */
  runMicrophoneCheck(options: MicrophoneCheckOptions = {}): Promise<PreCallReport> {
    return runMicrophone(this, this.env, options);
  }

  constructor(options: ClientOptions, environment?: Environment) {
    super(options, environment);
    this.rawRinging = options.outboundRinging === true;
  }
}
