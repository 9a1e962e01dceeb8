export { Deadlines } from './deadlines.ts';
export { Intake, type IntakeOptions, type Taken } from './intake.ts';
export {
  canonicalHost,
  type Family,
  familyOf,
  formatIp,
  isLinkLocal,
  isLoopbackAddress,
  isUnspecified,
  networkOf,
  parseIp,
  sameHost,
  withoutZone,
} from './ip-address.ts';
export type { JournalEntry, JournalLine, Restore } from './journal.ts';
export type { Machine, Step } from './machine.ts';
export { hexId, type Random, seededRandom, uuid } from './random.ts';
export { err, ok, type Result } from './result.ts';
export type { LogLine, Service } from './service.ts';
export { type LoopEdge, ServiceLoop } from './service-loop.ts';
export { mayTake, Shares } from './shares.ts';
export { Shelf } from './shelf.ts';
export { type EpochMs, earliest, type Ms } from './time.ts';
export {
  type Check,
  type Checks,
  type Fields,
  isFields,
  isFlag,
  isNumber,
  isString,
  isText,
  listOf,
  maybe,
  oneOf,
  orNull,
  readRecord,
  recordOf,
  wrongField,
} from './unknown.ts';
