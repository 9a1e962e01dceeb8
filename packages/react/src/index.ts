export { type CallView, useCall } from './use-call.ts';
export { useCalls } from './use-calls.ts';
export { type ClientConnection, type ClientState, useClient } from './use-client.ts';
