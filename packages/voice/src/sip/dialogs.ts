import type { LegId, UserAgent } from '@sidetone/sip';
import type { Bye } from '../journal/journal.ts';
import { CAUSE, type Ending } from '../leg/ending.ts';
import type { Leg } from '../leg/leg.ts';
import { byeHeaders } from './to-sip.ts';

/** Our branch ids and the user agent's dialogs. */
export class Dialogs {
  readonly #agent: UserAgent;
  readonly #dialogOf = new Map<string, LegId>();
  readonly #branchOf = new Map<LegId, string>();

  constructor(agent: UserAgent) {
    this.#agent = agent;
  }

  bind(branch: string, dialog: LegId): void {
    this.#dialogOf.set(branch, dialog);
    this.#branchOf.set(dialog, branch);
  }

  readonly dialogOf = (branch: string): LegId | undefined => this.#dialogOf.get(branch);

  branchOf(dialog: LegId | undefined): string | undefined {
    return this.#branchOf.get(dialog ?? '');
  }

  /** The leg is over; the BYEs that are unanswered. */
  forget({ branches }: Leg): readonly Bye[] {
    const byes: Bye[] = [];
    for (const { id, ending } of branches) {
      const dialog = this.#dialogOf.get(id);
      this.#dialogOf.delete(id);
      if (dialog === undefined) continue;
      this.#branchOf.delete(dialog);
      const snapshot = this.#agent.snapshot(dialog);
      const why: Ending = ending ?? { ...CAUSE.normal, by: 'platform' };
      if (snapshot !== null) byes.push({ dialog: snapshot, headers: byeHeaders(why) });
    }
    return byes;
  }
}
