import type { LogLine, Ms } from '@sidetone/core';
import type { MediaCommand, SpeechToText } from '@sidetone/wire';
import type { Activities } from '../activity/activity.ts';
import type { MediaTag, News, PlaceInput, Wish } from '../message.ts';
import type { Attachment, Branch, DigitsOut, Exchange, MediaUse } from './branch.ts';
import { branchOf, type Leg, type LegState } from './leg.ts';

export type LegOut = Wish | { readonly type: 'place'; readonly message: PlaceInput };

export interface LegSettings {
  /** The longest call. */
  readonly callMs: Ms;
  /** How long a cancelled INVITE may stay without a final response. */
  readonly cancelMs: Ms;
  /** How long a call may be parked without an answer. */
  readonly parkMs: Ms;
  /** What turns speech into text; absent: nothing does. */
  readonly speechToText?: SpeechToText;
}

interface Parts {
  readonly media: MediaUse;
  readonly exchange: Exchange;
  readonly attachment: Attachment;
  readonly digits: DigitsOut;
}

type MediaWish = MediaCommand & { readonly leg: string };

/** One step of a leg in the making. Records are replaced, never changed in place. */
export class LegDraft {
  leg: Leg;
  readonly now: Ms;
  readonly settings: LegSettings;
  readonly out: LegOut[] = [];

  constructor(leg: Leg, settings: LegSettings, now: Ms) {
    this.leg = leg;
    this.settings = settings;
    this.now = now;
  }

  set(change: Partial<Leg>): void {
    this.leg = { ...this.leg, ...change };
  }

  to(state: LegState): void {
    this.set({ state });
  }

  branch(id: string | null): Branch | undefined {
    return branchOf(this.leg, id);
  }

  get main(): Branch | undefined {
    return branchOf(this.leg, this.leg.main);
  }

  add(branch: Branch): void {
    this.set({ branches: [...this.leg.branches, branch] });
  }

  /** Changes a branch that exists, and returns its new record. */
  change(id: string, change: Partial<Branch>): Branch {
    let changed: Branch | undefined;
    const branches = this.leg.branches.map((b) => (b.id === id ? (changed = { ...b, ...change }) : b));
    if (changed === undefined) throw new Error(`no branch ${id}`);
    this.set({ branches });
    return changed;
  }

  /** A description of the branch's peer came from there. */
  heardFrom(branch: Branch, from: string | undefined): Branch {
    if (from === undefined || branch.kind !== 'phone') return this.branch(branch.id) ?? branch;
    return this.change(branch.id, { signalledFrom: from });
  }

  /** Changes one machine of a branch. */
  part<P extends keyof Parts>(id: string, name: P, change: Partial<Parts[P]>): Branch {
    const before = this.branch(id)?.[name] as Parts[P] | undefined;
    return this.change(id, { [name]: { ...before, ...change } } as Partial<Branch>);
  }

  emit(out: LegOut): void {
    this.out.push(out);
  }

  tell(message: PlaceInput): void {
    this.out.push({ type: 'place', message });
  }

  act(change: Partial<Activities>): void {
    this.set({ activities: { ...this.leg.activities, ...change } });
  }

  /** Something that a back end hears of. */
  news(what: News): void {
    const { program, id } = this.leg;
    if (program === null || program.hungUp) return;
    const told = { ...program, told: program.told + 1, hungUp: what.type === 'hangup' };
    this.set({ program: told });
    this.out.push({ type: 'news', leg: id, n: program.told, what });
  }

  media(tag: MediaTag, command: MediaWish): void {
    this.out.push({ type: 'media', leg: this.leg.id, branch: command.leg, tag, command });
  }

  log(level: LogLine['level'], event: string, fields: LogLine['fields'] = {}): void {
    const { session, id } = this.leg;
    this.out.push({ type: 'log', level, event, fields: { session, leg: id, ...fields } });
  }
}
