import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { Level } from './level.tsx';
import type { CallView, Phone } from './phone.ts';
import { duration } from './words.ts';

const WORDS: Readonly<Record<CallView['state'], string>> = {
  calling: 'Calling …',
  ringing: 'Ringing …',
  incoming: 'is calling you',
  answering: 'Answering …',
  active: 'In call',
  held: 'On hold',
};

/** The call: who, how long, how loud, and what can be done with it. */
export function CallPanel({
  phone,
  call,
  problem,
}: {
  phone: Phone;
  call: CallView;
  problem: string | undefined;
}) {
  const { id, state, name, number, muted, digits } = call;
  const talking = state === 'active' || state === 'held';
  const heading = useRef<HTMLHeadingElement>(null);
  // The focus was in the form that this replaces. Not on a button: a second Enter must not answer or hang up.
  useEffect(() => heading.current?.focus(), []);
  return (
    <div class={`call-panel is-${state}`}>
      <div class="party">
        <span class="avatar" aria-hidden="true">
          {name
            .replace(/[^\p{L}\p{N}]/gu, '')
            .slice(0, 1)
            .toUpperCase() || '?'}
        </span>
        <h2 ref={heading} tabIndex={-1}>
          {name}
        </h2>
        {number !== name && <p class="number">{number}</p>}
        <p class="state">
          <span role="status">{WORDS[state]}</span>
          {call.since !== undefined && <Timer since={call.since} />}
        </p>
      </div>
      {talking && (
        <div class="levels">
          <Level label="You" stream={call.localStream} off={muted ? 'muted' : undefined} />
          <Level label="Them" stream={call.remoteStream} off={state === 'held' ? 'on hold' : undefined} />
        </div>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {state === 'incoming' ? (
        <div class="actions">
          <button type="button" class="wide end" onClick={() => phone.hangUp(id)}>
            <Icon name="end" />
            Decline
          </button>
          <button type="button" class="wide call" onClick={() => phone.answer(id)}>
            <Icon name="call" />
            Answer
          </button>
        </div>
      ) : (
        <div class="actions">
          <button
            type="button"
            class="toggle"
            aria-pressed={muted}
            disabled={!talking}
            onClick={() => phone.toggleMute(id)}
          >
            <Icon name={muted ? 'muted' : 'mic'} />
            {muted ? 'Unmute' : 'Mute'}
          </button>
          <button
            type="button"
            class="toggle"
            aria-pressed={state === 'held'}
            disabled={!talking}
            onClick={() => phone.toggleHold(id)}
          >
            <Icon name={state === 'held' ? 'resume' : 'hold'} />
            {state === 'held' ? 'Resume' : 'Hold'}
          </button>
          <button type="button" class="wide end" onClick={() => phone.hangUp(id)}>
            <Icon name="end" />
            {talking ? 'Hang up' : 'Cancel'}
          </button>
        </div>
      )}
      {talking && digits !== '' && (
        <p class="digits">
          <span class="label">Sent</span> {digits}
        </p>
      )}
    </div>
  );
}

function Timer({ since }: { since: number }) {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="timer" role="timer">
      {duration((now - since) / 1000)}
    </span>
  );
}
