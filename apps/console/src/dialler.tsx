import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';
import type { PastCall, Phone, PhoneState } from './phone.ts';
import { duration, SERVICES } from './words.ts';

/** What to call: a field, quick picks, and how the last call ended. */
export function Dialler({ phone, state }: { phone: Phone; state: PhoneState }) {
  const { destination, account, line, ended, problem } = state;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // On a touch screen the focus would open the keyboard over the pad.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    phone.callTo();
  };
  const call = useRef<HTMLButtonElement>(null);
  // The next Enter calls what was picked; the field is left alone, since focus there opens a phone's keyboard.
  const pick = (picked: string): void => {
    phone.dial(picked);
    call.current?.focus();
  };
  return (
    <form class="dialler" onSubmit={submit}>
      <div class="outcome" role="status">
        {ended !== undefined && <Outcome ended={ended} />}
        {problem !== undefined && <p class="problem">{problem}</p>}
      </div>
      <div class="destination">
        <input
          ref={field}
          aria-label="Number or user to call"
          placeholder="Number or user"
          value={destination}
          inputMode="tel"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          onInput={(event) => phone.dial(event.currentTarget.value)}
        />
        <button
          type="button"
          class="quiet erase"
          aria-label="Delete the last character"
          disabled={destination === ''}
          onClick={() => phone.dial(destination.slice(0, -1))}
        >
          <Icon name="erase" />
        </button>
      </div>
      <fieldset class="picks" aria-label="Quick picks">
        {SERVICES.map(([number, name]) => (
          <Pick key={number} name={name} number={number} chosen={destination === number} pick={pick} />
        ))}
        {account?.others.map((user) => (
          <Pick key={user} name={user} chosen={destination === user} pick={pick} />
        ))}
      </fieldset>
      <button
        ref={call}
        type="submit"
        class="wide call"
        disabled={line !== 'ready' || destination.trim() === ''}
      >
        <Icon name="call" />
        Call
      </button>
    </form>
  );
}

function Pick(props: {
  name: string;
  number?: string;
  chosen: boolean;
  pick: (destination: string) => void;
}) {
  const { name, number, chosen, pick } = props;
  return (
    <button type="button" class="pick" aria-pressed={chosen} onClick={() => pick(number ?? name)}>
      {name}
      {number !== undefined && <small>{number}</small>}
    </button>
  );
}

function Outcome({ ended }: { ended: PastCall }) {
  return (
    <div class="ended">
      <p class="ended-who">
        <b>{ended.name}</b>
        {ended.answered && <span>{duration(ended.seconds)}</span>}
      </p>
      <p>{ended.reason}</p>
    </div>
  );
}
