import type { CommandResult } from '@sidetone/wire';

/** Commands on their way through the services and back: each is answered in the turn in which it was posted. */
export class CommandDesk {
  #serial = 0;
  readonly #answers = new Map<string, CommandResult>();

  /** Posts a command under a name of its own and returns its answer; throws when nobody gave one, which is a fault of ours. */
  ask(post: (request: string) => void): CommandResult {
    const request = String(++this.#serial);
    post(request);
    const answer = this.#answers.get(request);
    this.#answers.clear();
    if (answer === undefined) throw new Error('a command was not answered');
    return answer;
  }

  done(request: string, result: CommandResult): void {
    this.#answers.set(request, result);
  }
}
