import { KEYS } from './words.ts';

/** The twelve keys. */
export function Pad({ onKey, disabled }: { onKey: (key: string) => void; disabled: boolean }) {
  return (
    <fieldset class="pad" aria-label="Dial pad">
      {KEYS.map(([key, letters]) => (
        <button
          key={key}
          type="button"
          class="key"
          disabled={disabled}
          aria-label={key === '*' ? 'star' : key === '#' ? 'hash' : key}
          onClick={() => onKey(key)}
        >
          <b>{key}</b>
          <small aria-hidden="true">{letters}</small>
        </button>
      ))}
    </fieldset>
  );
}
