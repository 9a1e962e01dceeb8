import type { Phone, PhoneState } from './phone.ts';

/** User name and password, when there was no login link. */
export function Login({ phone, state }: { phone: Phone; state: PhoneState }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    phone.logIn(String(form.get('user')).trim(), String(form.get('password')));
  };
  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <h2>Log in</h2>
        <p class="hint">With the user name and password of a SIP connection on this server.</p>
        <label class="field">
          User name
          <input
            name="user"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            autofocus
          />
        </label>
        <label class="field">
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="problem" role="alert">
          {state.loginProblem}
        </p>
        <button type="submit" class="wide call" disabled={state.loggingIn}>
          {state.loggingIn ? 'Logging in …' : 'Log in'}
        </button>
        <p class="hint">No password at hand? The server prints a login link when it starts: open that one.</p>
      </form>
    </main>
  );
}
