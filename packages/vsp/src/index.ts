export { createVsp } from './vsp.ts';
export type { Vsp, VspInput, VspOptions, VspOutput } from './vsp-events.ts';
