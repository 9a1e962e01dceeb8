import { type CallView, useCall, useClient } from '@sidetone/react';
import type { ClientOptions } from '@sidetone/webrtc';
import { type FormEvent, StrictMode, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';

const WORDS = {
  off: 'Not logged in',
  connecting: 'Connecting …',
  ready: 'Ready for calls',
  failed: 'Not connected',
};

function Phone() {
  const audio = useRef<HTMLAudioElement>(null);
  const [options, setOptions] = useState<ClientOptions>();
  const { client, state, error } = useClient(options, audio);
  const { current, dial } = useCall(client);
  return (
    <main>
      <h1>Calls in React</h1>
      <p role="status">{WORDS[state]}</p>
      {error !== undefined && (
        <p role="alert">
          {error.description}. {error.solutions[0]}.
        </p>
      )}
      {options === undefined ? (
        <Login enter={setOptions} />
      ) : (
        <section>
          {current !== undefined && <Line view={current} />}
          {(current === undefined || current.ended) && (
            <Dialer ready={state === 'ready'} dial={(destinationNumber) => dial({ destinationNumber })} />
          )}
          <button type="button" onClick={() => setOptions(undefined)}>
            Log out
          </button>
        </section>
      )}
      {/* biome-ignore lint/a11y/useMediaCaption: live speech has no captions. */}
      <audio ref={audio} autoPlay />
    </main>
  );
}

function Login({ enter }: { enter(options: ClientOptions): void }) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string): string => String(form.get(name) ?? '');
    enter({ host: value('host'), login: value('login'), password: value('password') });
  };
  return (
    <form onSubmit={submit}>
      <label>
        Server
        <input name="host" defaultValue={location.origin} />
      </label>
      <label>
        User name
        <input name="login" autoComplete="username" required />
      </label>
      <label>
        Password
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit">Log in</button>
    </form>
  );
}

function Dialer({ ready, dial }: { ready: boolean; dial(destination: string): void }) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    dial(String(new FormData(event.currentTarget).get('number')));
  };
  return (
    <form onSubmit={submit}>
      <label>
        Number or user
        <input name="number" defaultValue="9196" required />
      </label>
      <button type="submit" disabled={!ready}>
        Call
      </button>
    </form>
  );
}

function Line({ view }: { view: CallView }) {
  const { call, state, reason, name, number, muted, held, ended, direction } = view;
  const incoming = direction === 'inbound' && state === 'RINGING';
  const talks = state === 'ACTIVE' || state === 'HELD';
  return (
    <>
      <p role="status" data-state={state}>
        {direction === 'inbound' ? `${name} ${number}` : number}: {state.toLowerCase()}
        {reason === undefined ? '' : ` (${reason})`}
      </p>
      {!ended && (
        <div className="row">
          {incoming && (
            <button type="button" onClick={() => void call.answer()}>
              Answer
            </button>
          )}
          {talks && (
            <>
              <button type="button" aria-pressed={muted} onClick={() => view.setMuted(!muted)}>
                {muted ? 'Unmute' : 'Mute'}
              </button>
              <button type="button" aria-pressed={held} onClick={() => void call.toggleHold()}>
                {held ? 'Resume' : 'Hold'}
              </button>
            </>
          )}
          <button type="button" onClick={() => void call.hangup()}>
            {incoming ? 'Reject' : 'Hang up'}
          </button>
        </div>
      )}
    </>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Phone />
  </StrictMode>,
);
