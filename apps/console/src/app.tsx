import { useEffect, useState } from 'preact/hooks';
import { CallPanel } from './call-panel.tsx';
import { Dialler } from './dialler.tsx';
import { Login } from './login.tsx';
import { Pad } from './pad.tsx';
import type { Phone, PhoneState } from './phone.ts';
import { SidePanel } from './side-panel.tsx';
import { TopBar } from './top-bar.tsx';
import { WaitingCall } from './waiting-call.tsx';

/** Where a key press means text, not a command. */
const TYPING = 'input, select, textarea';

export function App({ phone }: { phone: Phone }) {
  const state = usePhone(phone);
  useKeys(phone);
  useTitle(state);
  if (state.screen === 'starting') return null;
  return (
    <div class="page">
      <TopBar phone={phone} state={state} />
      {state.screen === 'login' ? (
        <Login phone={phone} state={state} />
      ) : (
        <main class="desk">
          <section class="phone" aria-label="Phone">
            {state.waiting !== undefined && <WaitingCall phone={phone} call={state.waiting} />}
            {state.call === undefined ? (
              <Dialler phone={phone} state={state} />
            ) : (
              <CallPanel phone={phone} call={state.call} problem={state.problem} />
            )}
            {state.call?.state !== 'incoming' && (
              <Pad onKey={(key) => phone.key(key)} disabled={state.call !== undefined && !talks(state)} />
            )}
          </section>
          <SidePanel phone={phone} state={state} />
        </main>
      )}
    </div>
  );
}

const talks = ({ call }: PhoneState): boolean => call?.state === 'active' || call?.state === 'held';

function usePhone(phone: Phone): PhoneState {
  const [state, setState] = useState(phone.state);
  useEffect(() => {
    const update = (): void => setState(phone.state);
    update();
    return phone.watch(update);
  }, [phone]);
  return state;
}

/** Digits go to the call or the destination, wherever the focus is; Esc ends. Enter is the form's or the button's own. */
function useKeys(phone: Phone): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const { call, screen } = phone.state;
      if (screen !== 'phone' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'Escape' && call !== undefined) {
        event.preventDefault();
        phone.hangUp(call.id);
      } else if (/^[0-9*#]$/.test(event.key) && !(event.target as Element).closest(TYPING)) {
        event.preventDefault();
        phone.key(event.key);
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [phone]);
}

/** A tab in the background shows that somebody calls. */
function useTitle({ call }: PhoneState): void {
  const title =
    call === undefined
      ? 'Sidetone'
      : call.state === 'incoming'
        ? `${call.name} calls – Sidetone`
        : `${call.name} – Sidetone`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}
