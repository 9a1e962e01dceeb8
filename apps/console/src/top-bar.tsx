import { Mark } from './icons.tsx';
import type { Line, Phone, PhoneState } from './phone.ts';

const LINES: Readonly<Record<Line, string>> = {
  connecting: 'Connecting',
  ready: 'Ready',
  reconnecting: 'Reconnecting',
  offline: 'No network',
};

/** The brand, who is logged in, and the state of the line. */
export function TopBar({ phone, state }: { phone: Phone; state: PhoneState }) {
  const { account, line, screen } = state;
  return (
    <header class="top-bar">
      <h1 class="brand">
        <Mark />
        Sidetone
      </h1>
      {screen === 'phone' && account !== undefined && (
        <div class="who">
          <span class={`line line-${line}`} role="status">
            {LINES[line]}
          </span>
          <span class="user" title={account.domain && `${account.userName}@${account.domain}`}>
            {account.userName}
          </span>
          <button type="button" class="quiet" onClick={() => phone.logOut()}>
            Log out
          </button>
        </div>
      )}
    </header>
  );
}
