import { canonicalHost, Deadlines, type JournalEntry, type JournalLine, type Ms } from '@sidetone/core';
import { type Flow, sameFlow, sameUri, type Uri, unescapeUser } from '@sidetone/sip';
import { isKept, readBinding, writeBinding } from './kept-bindings.ts';
import {
  type Binding,
  type Location,
  type LocationInput,
  type LocationOutput,
  locationMachine,
} from './location.ts';

/** Where everybody is registered: the location machines, by user, with look-ups by binding and by source. */
export class LocationTable {
  readonly #locations = new Map<string, Location>();
  readonly #userOf = new Map<string, string>();
  /** Users by the host and port of a binding's flow. */
  readonly #usersAt = new Map<string, Set<string>>();
  /** Users by the address they registered. */
  readonly #usersOf = new Map<string, Set<string>>();
  readonly #due = new Deadlines<string>();
  #lines: JournalLine[] = [];

  /** Registered contacts. */
  get size(): number {
    return this.#userOf.size;
  }

  deadline(): Ms | null {
    return this.#due.next();
  }

  /** Who is registered. */
  users(): Iterable<string> {
    return this.#locations.keys();
  }

  /** One input for one user's machine; what it refused or dropped. */
  step(user: string, input: LocationInput, now: Ms): readonly LocationOutput[] {
    const before = this.#locations.get(user) ?? { user, bindings: [] };
    const { state, out } = locationMachine.step(before, input, now);
    if (state !== before) this.#store(before, state);
    return out;
  }

  tick(now: Ms): void {
    for (let user = this.#due.takeDue(now); user !== undefined; user = this.#due.takeDue(now))
      this.step(user, { type: 'tick' }, now);
  }

  /** What to journal since the last call. */
  takeLines(): readonly JournalLine[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** The phones that the process before knew (`kept-bindings.ts`). */
  restore(entries: readonly JournalEntry[], now: Ms): void {
    const read = entries.flatMap(({ key, value }) => {
      const kept = readBinding(value, now);
      if (kept === null) this.#lines.push({ type: 'journal', key, value: null });
      return kept === null ? [] : [kept];
    });
    for (const { user, binding } of read.sort((a, b) => a.binding.since - b.binding.since)) {
      const before = this.#locations.get(user) ?? { user, bindings: [] };
      this.#index(before, { user, bindings: [binding, ...before.bindings] });
    }
  }

  /** A connection is gone: forgets what was reached by it. */
  flowLost(flow: Flow, now: Ms): void {
    for (const user of [...(this.#usersAt.get(place(flow)) ?? [])])
      this.step(user, { type: 'flowLost', flow }, now);
  }

  /** The live bindings of a user, the last to register first. */
  of(user: string, now: Ms): readonly Binding[] {
    return this.#locations.get(user)?.bindings.filter((b) => b.expiresAt > now) ?? [];
  }

  userOf({ id }: Binding): string | undefined {
    return this.#userOf.get(id);
  }

  byId(id: string, now: Ms): Binding | undefined {
    const user = this.#userOf.get(id);
    return user === undefined ? undefined : this.of(user, now).find((b) => b.id === id);
  }

  /** The ways to the phone of a binding: this one first, then its other flows, the last to register first. */
  waysTo(binding: Binding, now: Ms): readonly Binding[] {
    const user = this.#userOf.get(binding.id);
    const { outbound } = binding;
    if (user === undefined || outbound === undefined) return [binding];
    const others = this.of(user, now).filter(
      (b) => b.id !== binding.id && b.outbound?.instance === outbound.instance,
    );
    return [binding, ...others];
  }

  /** The binding with this contact, whoever it belongs to. */
  byContact(uri: Uri, now: Ms): Binding | undefined {
    for (const user of this.#usersOf.get(contactKey(uri)) ?? []) {
      const found = this.of(user, now).find((b) => sameUri(b.uri, uri));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The binding of a user's phone that registered by a flow as an instance (RFC 5626), when there is no other. */
  instanceBy(user: string, flow: Flow, now: Ms): Binding | undefined {
    const there = this.of(user, now).filter((b) => b.outbound !== undefined && sameFlow(b.flow, flow));
    return there.length === 1 ? there[0] : undefined;
  }

  /** Whether somebody registered by the flow that a message came from. */
  isSource(flow: Flow, now: Ms): boolean {
    for (const user of this.#usersAt.get(place(flow)) ?? [])
      if (this.isSourceOf(user, flow, now)) return true;
    return false;
  }

  isSourceOf(user: string, flow: Flow, now: Ms): boolean {
    return this.of(user, now).some((b) => sameFlow(b.flow, flow));
  }

  #store(before: Location, state: Location): void {
    const { user } = state;
    for (const { id } of before.bindings.filter(isKept))
      if (!state.bindings.some((b) => b.id === id && isKept(b)))
        this.#lines.push({ type: 'journal', key: `binding ${id}`, value: null });
    for (const binding of state.bindings)
      if (isKept(binding) && !before.bindings.includes(binding))
        this.#lines.push({
          type: 'journal',
          key: `binding ${binding.id}`,
          value: writeBinding(user, binding),
        });
    this.#index(before, state);
  }

  #index(before: Location, state: Location): void {
    const { user } = state;
    for (const { id, flow, uri } of before.bindings) {
      this.#userOf.delete(id);
      remove(this.#usersAt, place(flow), user);
      remove(this.#usersOf, contactKey(uri), user);
    }
    for (const { id, flow, uri } of state.bindings) {
      this.#userOf.set(id, user);
      add(this.#usersAt, place(flow), user);
      add(this.#usersOf, contactKey(uri), user);
    }
    if (state.bindings.length === 0) this.#locations.delete(user);
    else this.#locations.set(user, state);
    this.#due.set(user, locationMachine.deadline(state));
  }
}

const place = (flow: Flow): string =>
  flow.transport === 'local' ? `local ${flow.node}` : `${flow.host} ${flow.port}`;

/** The parts of a URI that equal URIs have in common whatever their parameters (RFC 3261 §19.1.4). */
const contactKey = (uri: Uri): string =>
  `${unescapeUser(uri.user ?? '')} ${canonicalHost(uri.host)} ${uri.port ?? ''}`;

function add(sets: Map<string, Set<string>>, key: string, user: string): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([user]));
  else known.add(user);
}

function remove(sets: Map<string, Set<string>>, key: string, user: string): void {
  const known = sets.get(key);
  if (known?.delete(user) && known.size === 0) sets.delete(key);
}
