import assert from 'node:assert/strict';
import type { Command, MemberView, Source } from '@sidetone/wire';
import { bench, carrierAnswers, dialIt, ok, park } from './command-rig.ts';
import type { VoiceBench } from './voice-bench.ts';

export type On<T extends Command['type']> = Extract<Command, { type: T }>;

export const about = { account: 'default' } as const;

export interface Party {
  readonly control: string;
  /** Its leg, and its branch in media. */
  readonly leg: string;
  /** The dialog at its far end. */
  readonly dialog: string;
  readonly far: 'vsp' | 'proxy';
}

/** Answered calls, and what is heard by whom. */
export class Hall {
  readonly b: VoiceBench;

  constructor(options: Parameters<typeof bench>[0] = {}) {
    this.b = bench(options);
  }

  /** A client's call, parked and answered. */
  client(): Party {
    const [control, dialog] = park(this.b);
    ok(this.b, { type: 'answer', ...about, control });
    return { control, dialog, far: 'vsp', leg: this.b.voice.legOf(control)!.leg };
  }

  /** Somebody who is called over the carrier, and answers. */
  called(more: Partial<On<'dial'>> = {}, first: Party = this.client()): Party {
    const ids = ok(this.b, dialIt(first.control, more))!;
    const dialog = carrierAnswers(this.b);
    return { control: ids.control, dialog, far: 'proxy', leg: ids.leg };
  }

  do(command: Command): string | undefined {
    const result = this.b.command(command);
    assert.ok(result.ok, JSON.stringify(result));
    return result.conference;
  }

  refusal(command: Command): string {
    const hash = this.hash();
    const result = this.b.command(command);
    assert.ok(!result.ok, 'not refused');
    assert.equal(this.hash(), hash, 'a refused command changed something');
    return result.refusal.why;
  }

  hash(): string {
    return JSON.stringify([...this.b.journal].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  create(by: Pick<Party, 'control'>, more: Partial<On<'createConference'>> = {}): string {
    const id = this.do({
      type: 'createConference',
      ...about,
      control: by.control,
      name: 'room',
      startOnCreate: true,
      beep: 'never',
      maxMembers: 250,
      ...more,
    });
    assert.ok(id !== undefined);
    return id;
  }

  join(conference: string, who: Pick<Party, 'control'>, more: Partial<On<'joinConference'>> = {}): void {
    this.do({ type: 'joinConference', ...about, conference, control: who.control, ...more });
  }

  hangup(who: Party): void {
    const far = this.b[who.far];
    far.act(far.agent.bye(who.dialog, [], this.b.now));
  }

  /** What media was told last that it hears. */
  hears({ leg }: Party): Source | undefined {
    const told = this.b.media.findLast((c) => c.op === 'source' && c.leg === leg);
    return told?.op === 'source' ? told.source : undefined;
  }

  reach(party: Party): unknown {
    const source = this.hears(party);
    return source?.kind === 'room' ? source.to : source?.kind;
  }

  members(conference: string): readonly MemberView[] {
    return this.b.voice.conferences.membersOf('default', conference) ?? [];
  }

  status(conference: string): string | undefined {
    return this.b.voice.conferences.viewOf('default', conference)?.status;
  }

  /** What has been told since it was asked last, by the name of its leg. */
  told(...parties: readonly Party[]): string[] {
    const names = 'abcdefgh';
    return this.b.news.splice(0).map(({ leg, lane, what }) => {
      const at = parties.findIndex((party) => party.leg === leg.leg);
      const who = lane === leg.leg ? (names[at] ?? '?') : '-';
      const reason = what.type === 'conferenceEnded' ? ` ${what.reason}` : '';
      return `${who} ${what.type}${reason}`;
    });
  }

  /** Room commands since it was asked last. */
  rooms(): string[] {
    return this.b.media
      .splice(0)
      .flatMap((c) =>
        c.op === 'roomPlay'
          ? [`play ${c.file} ${c.loop}`]
          : c.op === 'roomStop'
            ? ['stop']
            : c.op === 'roomBeep'
              ? [`beep ${c.kind} ${c.except ?? ''}`]
              : [],
      );
  }
}
