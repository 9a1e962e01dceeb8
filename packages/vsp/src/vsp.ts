import type { Vsp, VspOptions } from './vsp-events.ts';

export declare function createVsp(options: VspOptions): Vsp;
