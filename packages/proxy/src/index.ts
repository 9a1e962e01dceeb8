export { createProxy } from './proxy.ts';
export type { Proxy, ProxyInput, ProxyLimits, ProxyOptions, ProxyOutput } from './proxy-events.ts';
export { rejectUnparseable } from './stateless.ts';
