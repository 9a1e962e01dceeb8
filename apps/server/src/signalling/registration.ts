import type { EpochMs, Ms } from '@sidetone/core';
import type { Binding } from '@sidetone/proxy';
import type { RegistrationState } from '../api/operation.ts';

/** What the registrar has of a user, in the words and the clock of the API. A browser's connection is ours: it has no address there. */
export function registrationOf(bindings: readonly Binding[], now: Ms, epoch: EpochMs): RegistrationState {
  return {
    contacts: bindings.map(({ flow, expiresAt }) => {
      const local = flow.transport === 'local';
      return {
        address: local ? null : flow.host,
        port: local ? null : flow.port,
        transport: local ? 'wss' : flow.transport,
        userAgent: null,
        since: null,
        expiresAt: epoch + expiresAt - now,
      };
    }),
  };
}
