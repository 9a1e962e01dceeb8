import type { Device } from './devices.ts';
import { Icon } from './icons.tsx';
import type { PastCall, Phone, PhoneState } from './phone.ts';
import { duration } from './words.ts';

/** Devices and what was called. */
export function SidePanel({ phone, state }: { phone: Phone; state: PhoneState }) {
  const { devices, past, line } = state;
  return (
    <aside class="side">
      {(line === 'reconnecting' || line === 'offline') && (
        <section class="card notice" role="alert">
          <p>The connection to the server is interrupted. It comes back by itself.</p>
          <button type="button" class="small" onClick={() => phone.reconnect()}>
            Try now
          </button>
        </section>
      )}
      <section class="card" aria-labelledby="sound">
        <h3 id="sound">Sound</h3>
        <Choice
          label="Microphone"
          devices={devices.microphones}
          chosen={devices.micId}
          choose={(id) => phone.chooseMicrophone(id)}
        />
        {'setSinkId' in HTMLMediaElement.prototype && (
          <Choice
            label="Speaker"
            devices={devices.speakers}
            chosen={devices.speakerId}
            choose={(id) => phone.chooseSpeaker(id)}
          />
        )}
        {devices.microphones.length === 0 && (
          <p class="hint">Devices are listed once a call has used the microphone.</p>
        )}
      </section>
      <section class="card" aria-labelledby="recent">
        <h3 id="recent">Recent calls</h3>
        {past.length === 0 ? (
          <p class="hint">None since this page was opened. Call 9196 to hear yourself.</p>
        ) : (
          <ul class="past">
            {past.map((call) => (
              <Past key={call.id} call={call} busy={state.call !== undefined} phone={phone} />
            ))}
          </ul>
        )}
      </section>
      <p class="keys">
        <kbd>Enter</kbd> calls <kbd>Esc</kbd> hangs up <kbd>0–9 * #</kbd> dial or send tones
      </p>
    </aside>
  );
}

function Choice(props: {
  label: string;
  devices: readonly Device[];
  chosen: string;
  choose: (id: string) => void;
}) {
  const { label, devices, chosen, choose } = props;
  const gone = chosen !== '' && !devices.some(({ id }) => id === chosen);
  return (
    <label class="field">
      {label}
      <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">System default</option>
        {gone && <option value={chosen}>Last chosen device</option>}
        {devices.map(({ id, label: name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Past({ call, busy, phone }: { call: PastCall; busy: boolean; phone: Phone }) {
  return (
    <li class={call.missed ? 'missed' : ''}>
      <Icon name={call.direction === 'inbound' ? 'in' : 'out'} />
      <div class="past-what">
        <b>{call.name}</b>
        <span>{call.reason}</span>
      </div>
      <div class="past-when">
        <time dateTime={call.at.toISOString()}>
          {call.at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}
        </time>
        {call.answered && <span>{duration(call.seconds)}</span>}
      </div>
      <button
        type="button"
        class="quiet"
        aria-label={`Call ${call.name} again`}
        disabled={busy || call.number === ''}
        onClick={() => phone.callTo(call.number)}
      >
        <Icon name="call" />
      </button>
    </li>
  );
}
