import type { CommandResult, QueueCommand, Refusal } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import { DEFAULT_SIZE, type Queue } from '../place/queue.ts';
import { type Decision, type Desk, isRefusal, isUp, type Of, refused, UNANSWERED } from './desk.ts';
import { moveLeg } from './moving.ts';

/* Commands that concern queues, and legs in them. */

const NO_QUEUE: Refusal = { why: 'notFound', detail: 'There is no queue of this name.' };
const NOT_QUEUED: Refusal = { why: 'notInQueue', detail: 'This call is not in this queue.' };
const TOO_MANY: Refusal = {
  why: 'busy',
  detail: 'This account has as many queues as it may; empty ones can be deleted.',
};

export function enqueue(desk: Desk, command: Of<'enqueue'>, leg: Leg): Decision {
  const { account, queue: name, maxSize, maxWaitMs, keepAfterHangup } = command;
  const { queues, now } = desk;
  if (!isUp(leg)) return UNANSWERED;
  if (leg.place?.in === 'queue')
    return { why: 'alreadyQueued', detail: `This call is in the queue ${leg.place.name} already.` };
  const before = queues.find(account, name);
  if (before === undefined && queues.isFull(account)) return TOO_MANY;
  if (before !== undefined && maxSize !== undefined && maxSize !== before.maxSize)
    return {
      why: 'sizeStands',
      field: 'max_size',
      detail: `This queue has room for ${before.maxSize} calls; that is changed by an update of the queue.`,
    };
  if (before !== undefined && queues.sizeOf(before) >= before.maxSize)
    return { why: 'queueFull', detail: `This queue has room for ${before.maxSize} calls.` };
  return () => {
    const queue = before ?? queues.create(account, name, maxSize ?? DEFAULT_SIZE, now);
    moveLeg(desk, leg, {
      in: 'queue',
      id: queue.id,
      name,
      ticket: queues.nextTicket(queue),
      since: now,
      until: maxWaitMs === undefined ? null : now + maxWaitMs,
      ...(keepAfterHangup === true ? { keeps: true as const } : {}),
    });
  };
}

export function leaveQueue(desk: Desk, leg: Leg): Decision {
  if (leg.place?.in !== 'queue') return { why: 'notInQueue', detail: 'This call is not in a queue.' };
  return () => moveLeg(desk, leg, null);
}

/** Who is at the head, for somebody who takes it: it leaves the queue, or the list of it, whatever comes of that. */
export function headOf({ queues, now }: Desk, account: string, name: string): Leg | Refusal {
  const queue = queues.find(account, name);
  if (queue === undefined) return { ...NO_QUEUE, field: 'queue' };
  const head = queues.entries(queue)[0];
  if (head === undefined) return { why: 'badField', field: 'queue', detail: 'This queue is empty.' };
  if ('place' in head) return head;
  queues.forget(queue, head, now);
  return { why: 'ended', field: 'queue', detail: 'The first call in this queue is no longer active.' };
}

export function onQueue(desk: Desk, command: QueueCommand): CommandResult {
  const decision = decide(desk, command);
  if (isRefusal(decision)) return refused(decision);
  decision();
  return { ok: true };
}

function decide(desk: Desk, { account, queue: name, ask }: QueueCommand): Decision {
  const { queues, now } = desk;
  const queue = queues.find(account, name);
  if (ask.do === 'create') {
    if (queue !== undefined)
      return { why: 'badField', field: 'queue_name', detail: 'There is a queue of this name already.' };
    return queues.isFull(account) ? TOO_MANY : () => void queues.create(account, name, ask.maxSize, now);
  }
  if (queue === undefined) return NO_QUEUE;
  switch (ask.do) {
    case 'resize':
      return () => queues.resize(queue, ask.maxSize);
    case 'delete':
      return queues.sizeOf(queue) > 0
        ? { why: 'queueNotEmpty', detail: 'Only a queue without calls can be deleted.' }
        : () => queues.remove(queue);
    case 'remove':
      return remove(desk, queue, ask.control);
    case 'keep':
      return keep(desk, queue, ask.control, ask.keepAfterHangup);
  }
}

function remove(desk: Desk, queue: Queue, control: string): Decision {
  const entry = desk.queues.entries(queue).find((one) => one.control === control);
  if (entry === undefined) return NOT_QUEUED;
  return () => ('place' in entry ? moveLeg(desk, entry, null) : desk.queues.forget(queue, entry, desk.now));
}

function keep({ legs, queues }: Desk, queue: Queue, control: string, keeps: boolean): Decision {
  const entry = queues.entries(queue).find((one) => one.control === control);
  if (entry === undefined || !('place' in entry)) return NOT_QUEUED;
  return () => legs.post(entry.id, { type: 'keptAfterHangup', keeps });
}
