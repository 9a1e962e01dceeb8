import { remoteTag } from '../dialog.ts';
import type { LegId } from '../leg-snapshot.ts';
import type { DialogName } from '../user-agent-events.ts';
import { type Agent, dialogKey, dialogOf } from './agent.ts';

/** What names the dialog of a leg (RFC 3261 §12); `null` before there is one. */
export function dialogName(agent: Agent, id: LegId): DialogName | null {
  const leg = agent.legs.get(id);
  const dialog = leg === undefined ? null : dialogOf(leg);
  return leg === undefined || dialog === null
    ? null
    : { callId: leg.callId, localTag: leg.localTag, remoteTag: remoteTag(dialog) };
}

/** The leg whose dialog, no early one, has this name. */
export function legWith(agent: Agent, name: DialogName): LegId | undefined {
  const id = agent.byDialog.get(dialogKey(name.callId, name.localTag));
  const dialog = id === undefined ? undefined : agent.legs.get(id)?.dialog;
  return dialog != null && remoteTag(dialog) === name.remoteTag ? id : undefined;
}
