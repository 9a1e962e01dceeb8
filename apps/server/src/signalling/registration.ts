import type { Ms } from '@sidetone/core';
import type { Binding } from '@sidetone/proxy';
import type { RegistrationState } from '../api/operation.ts';

/** What the registrar has of a user, in the words of the API. Of a browser's connection the port is not known. */
export function registrationOf(bindings: readonly Binding[], now: Ms): RegistrationState {
  return {
    contacts: bindings.map(({ flow, expiresAt, since, userAgent, clientAddress }) => {
      const local = flow.transport === 'local';
      return {
        address: local ? (clientAddress ?? null) : flow.host,
        port: local ? null : flow.port,
        transport: local ? 'wss' : flow.transport,
        userAgent: userAgent ?? null,
        registeredMs: now - since,
        expiresInMs: expiresAt - now,
      };
    }),
  };
}
