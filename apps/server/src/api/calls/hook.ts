import { EVENT_NAME, type HookAsk, REFUSAL } from '@sidetone/wire';
import { z } from 'zod';
import { requiredUrl } from '../../identity/schema/fields.ts';
import { present } from './fields.ts';

const MAX_RETRIES = 5;
const MAX_WAIT_MS = 60_000;

/** Events of the published API that no call here tells yet: a URL for one is no mistake. */
const LATER = [
  'call.ai_gather.ended',
  'call.ai_gather.message_history_updated',
  'call.ai_gather.partial_results',
  'call.conversation.ended',
  'call.conversation_insights.generated',
  'call.cost',
  'call.deepfake_detection.error',
  'call.deepfake_detection.result',
  'call.dequeued',
  'call.enqueued',
  'call.payment.completed',
  'call.payment.progress',
  'call.recording.transcription.saved',
  'conference.recording.saved',
  'siprec.failed',
  'siprec.started',
  'siprec.stopped',
];

const EVENTS: ReadonlySet<string> = new Set([...Object.values(EVENT_NAME), ...LATER]);
const UNKNOWN = 'must be the name of an event';

const method = z.enum(['POST', 'GET'], { error: 'must be POST or GET' });

/** The URL of an event: text, or the list of one that the published types have. */
const urlOfEvent = z
  .union([z.string(), z.array(z.string())], { error: 'must be a URL, or a list of one' })
  .nullable();

const urls = z.record(z.string(), urlOfEvent).superRefine((given, ctx) => {
  const issue = (event: string, message: string, code: string): void =>
    void ctx.addIssue({ code: 'custom', path: [event], message, params: { code } });
  for (const [event, value] of Object.entries(given)) {
    const list = [value ?? ''].flat();
    if (!EVENTS.has(event)) issue(event, UNKNOWN, REFUSAL.badEventType.code);
    else if (list.length > 1)
      issue(event, 'must hold one URL: several are not offered here yet', REFUSAL.badUrl.code);
    for (const url of list) {
      const read = url === '' ? undefined : requiredUrl.safeParse(url);
      if (read?.success === false) issue(event, read.error.issues[0]!.message, REFUSAL.badUrl.code);
    }
  }
});

const retries = z
  .record(
    z.string(),
    z.object({ retries_ms: z.array(z.int().min(0).max(MAX_WAIT_MS)).max(MAX_RETRIES).optional() }),
  )
  .superRefine((given, ctx) => {
    for (const [event, { retries_ms = [] }] of Object.entries(given)) {
      const whole = retries_ms.reduce((sum, ms) => sum + ms, 0);
      if (!EVENTS.has(event)) ctx.addIssue({ code: 'custom', path: [event], message: UNKNOWN });
      else if (whole > MAX_WAIT_MS)
        ctx.addIssue({
          code: 'custom',
          path: [event, 'retries_ms'],
          message: `must not add up to more than ${MAX_WAIT_MS} ms`,
        });
    }
  });

export const HOOK = {
  webhook_url: requiredUrl.optional().describe('Where the events of this leg go from now on.'),
  webhook_url_method: method.optional().describe('How they are sent.'),
  webhook_urls: urls.optional().describe('URLs of single events: {"call.answered": "https://…"}.'),
  webhook_urls_method: method.optional().describe('As webhook_url_method, which goes first.'),
  webhook_retries_policies: retries
    .optional()
    .describe(
      '{"call.answered": {"retries_ms": [500, 2000]}}: pauses before each try again, at most 5, together 60 s.',
    ),
};

interface HookFields {
  readonly webhook_url?: string | undefined;
  readonly webhook_url_method?: 'POST' | 'GET' | undefined;
  readonly webhook_urls?: Readonly<Record<string, string | readonly string[] | null>> | undefined;
  readonly webhook_urls_method?: 'POST' | 'GET' | undefined;
  readonly webhook_retries_policies?:
    | Readonly<Record<string, { readonly retries_ms?: readonly number[] | undefined }>>
    | undefined;
}

/** `undefined`: nothing is said. */
export function hookOf(body: HookFields): HookAsk | undefined {
  const urls = Object.entries(body.webhook_urls ?? {}).flatMap(([event, value]) => {
    const url = [value ?? ''].flat()[0] ?? '';
    return url === '' ? [] : [[event, url] as const];
  });
  const policies = Object.entries(body.webhook_retries_policies ?? {}).flatMap(([event, { retries_ms }]) =>
    retries_ms === undefined ? [] : [[event, retries_ms] as const],
  );
  const hook = present({
    url: body.webhook_url,
    method: body.webhook_url_method ?? body.webhook_urls_method,
    byEvent: urls.length === 0 ? undefined : Object.fromEntries(urls),
    retriesMs: policies.length === 0 ? undefined : Object.fromEntries(policies),
  });
  return Object.keys(hook).length === 0 ? undefined : hook;
}
