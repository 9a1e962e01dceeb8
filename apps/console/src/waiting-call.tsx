import type { CallView, Phone } from './phone.ts';

/** Somebody calls while another call lives. */
export function WaitingCall({ phone, call }: { phone: Phone; call: CallView }) {
  return (
    <div class="waiting" role="alert">
      <p>
        <b>{call.name}</b> is calling too
      </p>
      <div class="waiting-actions">
        <button type="button" class="small end" onClick={() => phone.hangUp(call.id)}>
          Decline
        </button>
        <button type="button" class="small call" onClick={() => phone.answer(call.id)}>
          End and answer
        </button>
      </div>
    </div>
  );
}
