import type { Command, CommandResult } from '@sidetone/wire';
import { text } from '../../identity/schema/fields.ts';
import { refused } from '../errors.ts';
import type { ApiCall } from '../operation.ts';
import { base64State, present } from './fields.ts';
import { HOOK, hookOf } from './hook.ts';

/** What every command may carry. */
export const COMMON = {
  client_state: base64State
    .optional()
    .describe(
      'Base64, at most 8192 characters; it is in every later event of the leg, also its call.hangup.',
    ),
  command_id: text(256)
    .optional()
    .describe('The same id again on the same leg within 60 s has the same answer and no second effect.'),
  ...HOOK,
};

export type CommonFields = Parameters<typeof hookOf>[0] & {
  readonly client_state?: string | undefined;
  readonly command_id?: string | undefined;
};

export const commonOf = (call: ApiCall, body: CommonFields) => ({
  account: call.account,
  ...present({ clientState: body.client_state, commandId: body.command_id, hook: hookOf(body) }),
});

/** Has it done; throws the refusal. */
export function execute(call: ApiCall, command: Command): Extract<CommandResult, { ok: true }> {
  const result = call.world.calls.command(command);
  if (!result.ok) throw refused(result.refusal);
  return result;
}
