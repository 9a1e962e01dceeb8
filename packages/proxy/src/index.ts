export type { Binding } from './location.ts';
export { createProxy } from './proxy.ts';
export type { ProxyInput, ProxyLimits, ProxyOptions, ProxyOutput, SipProxy } from './proxy-events.ts';
export { rejectUnparseable } from './stateless.ts';
