import type { ConferenceReads, QueueReads } from '@sidetone/voice';
import type {
  Command,
  CommandResult,
  ConferenceView,
  LegIds,
  LegView,
  MemberView,
  QueuedView,
  QueueView,
  Refusal,
} from '@sidetone/wire';
import type { CallCommands } from '../../src/api/operation.ts';

/** Calls that do not exist: it keeps what is commanded, answers as it is told to, and shows the legs that it is given. */
export class FakeCalls implements CallCommands {
  /** What was commanded, in order; a test takes it out. */
  readonly commands: Command[] = [];
  readonly legs: LegView[] = [];
  readonly queueViews: QueueView[] = [];
  /** By the name of the queue. */
  readonly queuedViews = new Map<string, readonly QueuedView[]>();
  readonly queues: QueueReads = {
    viewsOf: (account) => this.queueViews.filter((queue) => queue.account === account),
    viewOf: (account, name) =>
      this.queueViews.find((queue) => queue.account === account && queue.name === name),
    queued: (account, name) =>
      this.queues.viewOf(account, name) === undefined ? undefined : (this.queuedViews.get(name) ?? []),
  };
  /** Refuses everything, as long as it is set. */
  refusal: Refusal | undefined;
  readonly conferenceViews: ConferenceView[] = [];
  readonly members: MemberView[] = [];
  readonly conferences: ConferenceReads = {
    viewOf: (account, id) => this.conferenceViews.find((one) => one.account === account && one.id === id),
    viewsOf: (account) => this.conferenceViews.filter((one) => one.account === account),
    membersOf: (_, id) => this.members.filter(({ conference }) => conference.id === id),
  };
  readonly ids: LegIds = { control: 'v3:AAAAdialled-_', leg: 'a-leg', session: 'a-session' };

  command(command: Command): CommandResult {
    this.commands.push(command);
    if (this.refusal !== undefined) return { ok: false, refusal: this.refusal };
    if (command.type === 'createConference') return { ok: true, conference: 'a-conference' };
    if (command.type === 'recordConference') return { ok: true, recording: 'a-recording' };
    return command.type === 'dial' ? { ok: true, ids: this.ids } : { ok: true };
  }

  leg(account: string, control: string): LegView | undefined {
    return this.legs.find((leg) => leg.account === account && leg.control === control);
  }

  legsOf(account: string, connection: string): readonly LegView[] {
    return this.legs.filter((leg) => leg.account === account && leg.connection === connection && leg.alive);
  }
}
