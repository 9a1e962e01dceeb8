export { type Outcome, runScenario } from './scenario.ts';
