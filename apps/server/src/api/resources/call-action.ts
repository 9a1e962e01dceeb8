import type { LegCommand } from '@sidetone/wire';
import { z } from 'zod';
import { type CommonFields, commonOf, execute } from '../calls/common.ts';
import { present } from '../calls/fields.ts';
import { type Operation, operation } from '../operation.ts';

export const tag = 'Call commands';
export const answer = {
  status: 200,
  form: 'data',
  schema: z.object({
    result: z.literal('ok'),
    recording_id: z.string().optional().describe('Of what the command records.'),
  }),
} as const;

/** A command without who gives it, to which leg. */
type Wish = LegCommand extends infer C
  ? C extends LegCommand
    ? Omit<C, 'account' | 'control' | 'clientState' | 'commandId' | 'hook'>
    : never
  : never;

interface Action<B> {
  readonly id: string;
  readonly method?: 'PUT';
  readonly name: string;
  readonly summary: string;
  readonly body: z.ZodType<B>;
  readonly defaults?: object;
  /** Fields whose empty text says something. */
  readonly keeps?: readonly string[];
  readonly command: (body: B) => Wish;
}

/** A row for a command to a leg. */
export const action = <B extends CommonFields>(row: Action<B>): Operation =>
  operation<B>({
    id: row.id,
    method: row.method ?? 'POST',
    path: `/calls/{call_control_id}/actions/${row.name}`,
    tag,
    summary: row.summary,
    body: row.body,
    lenient: { keeps: row.keeps ?? [] },
    ...present({ defaults: row.defaults }),
    answer,
    handle: (call, body) => {
      const leg = { ...commonOf(call, body), control: call.path[0]! };
      const { recording } = execute(call, { ...leg, ...row.command(body) } as LegCommand);
      return { result: 'ok', ...(recording === undefined ? {} : { recording_id: recording }) };
    },
  });
