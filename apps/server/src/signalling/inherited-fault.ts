/**
 * What the process before left makes this one fail. Nothing is wrong with the configuration or the machine, so it is no refusal for the
 * operator to read: the process ends by its fault, and the supervisor begins without the journal when that goes on.
 */
export class InheritedFault extends Error {
  constructor(cause: unknown) {
    super('what the process before left cannot be taken over', { cause });
    this.name = 'InheritedFault';
  }
}

/** Does work on what was inherited; throws an `InheritedFault` for whatever it throws. */
export function inheriting(work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new InheritedFault(cause);
  }
}
