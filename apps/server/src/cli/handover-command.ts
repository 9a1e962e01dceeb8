import { isDeepStrictEqual } from 'node:util';
import { loadConfig } from '../config/load.ts';
import type { AdminCommand } from '../supervise/admin-server.ts';
import type { SignallingStart } from '../supervise/messages.ts';
import type { ChildPlan, ReplaceStep, Supervisor } from '../supervise/supervisor.ts';

export interface HandoverOptions {
  readonly supervisor: Supervisor;
  readonly plan: (start: SignallingStart) => ChildPlan;
  /** The configuration file, read again for each handover. */
  readonly config: string | undefined;
  /** What runs at first. */
  readonly running: SignallingStart;
}

const calls = (count: number): string => (count === 1 ? '1 call' : `${count} calls`);

/** The operator's `handover`, in the supervisor: a new signalling process with the configuration as it is now. */
export function handoverCommand(options: HandoverOptions): AdminCommand {
  const { running } = options;
  return async (say) => {
    const loaded = loadConfig(options.config);
    if (!loaded.ok) return { ok: false, line: `${loaded.error}; nothing was changed` };
    const config = loaded.value;
    if (!isDeepStrictEqual(config.media, running.config.media))
      say('the keys under "media" have changed: they count from the next start of the service');
    const start: SignallingStart = { ...running, config };
    const replaced = await options.supervisor.replace(
      options.plan(start),
      { type: 'stand-by', start },
      (step) => say(inWords(step)),
    );
    if (!replaced.ok) return { ok: false, line: `no handover: ${replaced.why}` };
    const lost = replaced.ended === 0 ? '' : `, ${replaced.ended} not answered in time ended`;
    const seconds = (replaced.awayMs / 1000).toFixed(2);
    return {
      ok: true,
      line: `${calls(replaced.calls)} carried over${lost}; ${seconds} s without signalling`,
    };
  };
}

function inWords(step: ReplaceStep): string {
  switch (step.type) {
    case 'standing-by':
      return 'the new signalling process stands by';
    case 'handing-over':
      return step.early === 0
        ? 'no new calls are taken'
        : `no new calls are taken; ${calls(step.early)} not answered yet, waiting up to 5 s`;
    case 'leaving':
      return `signalling is away; ${calls(step.calls)} go on in media`;
  }
}
