/** What this browser can do. */
export interface WebRTCInfo {
  browserInfo: string;
  browserName: string;
  browserVersion: number;
  supportWebRTC: boolean;
  supportWebRTCAudio: boolean;
  supportWebRTCVideo: false;
  supportRTCPeerConnection: boolean;
  supportSessionDescription: boolean;
  supportIceCandidate: boolean;
  supportMediaDevices: boolean;
  supportGetUserMedia: boolean;
}

/** The browsers of an operating system that the SDK works in. */
export interface SupportedBrowsers {
  operationSystem: string;
  supported: { browserName: string; features: string[]; supported: 'full' | 'partial' }[];
}

/** What the browser can do, by its abilities; name and version are those it gives itself. */
export function webRTCInfo(): WebRTCInfo {
  const { userAgent = '', mediaDevices } = globalThis.navigator ?? {};
  const [, name = '', version = '0'] = /(Firefox|Edg|OPR|Chrome|Version)\/(\d+)/.exec(userAgent) ?? [];
  const has = (global: string): boolean => global in globalThis;
  const supportGetUserMedia = typeof mediaDevices?.getUserMedia === 'function';
  const supportRTCPeerConnection = has('RTCPeerConnection');
  const works = supportRTCPeerConnection && supportGetUserMedia;
  return {
    browserInfo: userAgent,
    browserName: name === 'Version' ? 'Safari' : name,
    browserVersion: Number(version),
    supportWebRTC: works,
    supportWebRTCAudio: works,
    supportWebRTCVideo: false,
    supportRTCPeerConnection,
    supportSessionDescription: has('RTCSessionDescription'),
    supportIceCandidate: has('RTCIceCandidate'),
    supportMediaDevices: mediaDevices !== undefined,
    supportGetUserMedia,
  };
}

/** `full`: the tests run in it. `partial`: it has the same WebRTC engine, and nobody looked. */
export function supportedBrowsers(): SupportedBrowsers[] {
  const features = ['audio'];
  return ['Linux', 'Windows', 'MacOS', 'Android'].map((operationSystem) => ({
    operationSystem,
    supported: ['Chrome', 'Edge', 'Firefox'].map((browserName) => ({
      browserName,
      features,
      supported: operationSystem === 'Linux' && browserName !== 'Edge' ? 'full' : 'partial',
    })),
  }));
}
