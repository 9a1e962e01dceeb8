import { Deadlines, earliest, type Ms } from '@sidetone/core';
import type { MediaCommand, MediaReply } from '@sidetone/wire';
import type { MediaTag } from '../message.ts';
import type { VoiceOutput } from '../voice-events.ts';

/** What a media command belongs to. */
export type Question = { readonly branch: string; readonly tag: MediaTag } | RoomQuestion;

/** `play`, `record`: the one that the command begins. */
export interface RoomQuestion {
  readonly conference: string;
  readonly play?: string;
  readonly record?: string;
}

/** Whose a command is whose reply says nothing. */
export const asideOf = (on: { readonly leg: string } | { readonly room: string }): Question =>
  'leg' in on ? { branch: on.leg, tag: 'aside' } : { conference: on.room };

/** `of`: what the command names besides its leg: a play, a recording, a stream. */
type Asked = Question & { readonly of: string | null };

/** How long to wait before a claim that found no engine is tried again. */
const CLAIM_AGAIN_MS: Ms = 250;

/** The claim of the legs that a process took over: on its way, or to be tried again. */
interface Claim extends Inherited {
  readonly id: number | null;
  readonly at: Ms;
}

/** Legs in media that a process takes over, and the last report that was read of some of them. */
export interface Inherited {
  readonly legs: readonly string[];
  readonly seen: Readonly<Record<string, number>>;
}

/**
 * Commands to media that wait for their replies.
 *
 * A process that follows another owns no leg in media until it has named those it goes on with (`claim`); all others are
 * closed then. The media process tells only its first owner that it is up, and the connection may not stand yet, so the
 * claim is repeated until it is answered. Until then all commands wait, in their order: none may reach legs too early,
 * and statistics of legs to be closed are not lost.
 *
 *   restore ──▶ claim ──reply──▶ the waiting commands ──▶ as they come
 *                └──engine──▶ again after 250 ms
 */
export class MediaDesk {
  readonly #replyMs: Ms;
  readonly #asked = new Map<number, Asked>();
  readonly #times = new Deadlines<number>();
  #lastId = 0;
  #claim: Claim | null = null;
  #waiting: { readonly id: number; readonly command: MediaCommand }[] = [];

  constructor(replyMs: Ms) {
    this.#replyMs = replyMs;
  }

  get size(): number {
    return this.#asked.size;
  }

  deadline(): Ms | null {
    return earliest(this.#times.next(), this.#claim?.at ?? null);
  }

  ask(question: Question, command: MediaCommand, now: Ms, out: VoiceOutput[]): void {
    const id = ++this.#lastId;
    this.#asked.set(id, { ...question, of: 'id' in command ? command.id : null });
    this.#times.set(id, now + this.#replyMs);
    if (this.#claim === null) out.push({ type: 'media', id, command });
    else this.#waiting.push({ id, command });
  }

  /** What was asked with this id, the first time it is answered. */
  answered(id: number): Asked | undefined {
    const question = this.#asked.get(id);
    this.#asked.delete(id);
    this.#times.delete(id);
    // A leg that nobody could close is closed by not being named.
    if (question !== undefined && 'tag' in question && question.tag === 'close' && this.#claim !== null)
      this.#claim = { ...this.#claim, legs: this.#claim.legs.filter((leg) => leg !== question.branch) };
    return question;
  }

  /** A command whose reply is overdue. */
  takeOverdue(now: Ms): number | undefined {
    return this.#times.takeDue(now);
  }

  get open(): readonly number[] {
    return [...this.#asked.keys()];
  }

  /** Names the legs of the calls that were taken over; what is asked from now on waits for the reply. */
  claim({ legs, seen }: Inherited, now: Ms, out: VoiceOutput[]): void {
    const id = ++this.#lastId;
    const numbers = Object.keys(seen).length === 0 ? {} : { seen };
    this.#claim = { id, at: now + this.#replyMs, legs, seen };
    out.push({ type: 'media', id, command: { op: 'claim', legs, ...numbers } });
  }

  /** Sends the claim again when it is due. */
  tick(now: Ms, out: VoiceOutput[]): void {
    if (this.#claim !== null && this.#claim.at <= now) this.claim(this.#claim, now, out);
  }

  /** Reads a reply that answers nothing else. The legs that were claimed and do not exist. */
  claimed(id: number, reply: MediaReply, now: Ms, out: VoiceOutput[]): readonly string[] {
    if (this.#claim === null || this.#claim.id !== id) return [];
    if (!reply.ok) {
      this.#claim = { ...this.#claim, id: null, at: now + CLAIM_AGAIN_MS };
      return [];
    }
    this.#claim = null;
    // What nobody waits for any more is not sent: its leg counts as closed.
    for (const { id: waiting, command } of this.#waiting)
      if (this.#asked.has(waiting)) out.push({ type: 'media', id: waiting, command });
    this.#waiting = [];
    return reply.missing ?? [];
  }
}
