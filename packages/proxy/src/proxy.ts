import type { Proxy, ProxyOptions } from './proxy-events.ts';

/** The SIP proxy and registrar of the house. */
export declare function createProxy(options: ProxyOptions): Proxy;
