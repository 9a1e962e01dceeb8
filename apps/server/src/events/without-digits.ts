import type { CallEvent, CallNews } from '@sidetone/wire';

const hidden = (text: string): string => '*'.repeat(text.length);

/** Digits that people press are card numbers and PINs: who keeps events for long keeps how many there were. */
export function withoutDigits(event: CallEvent): CallEvent {
  const what = newsWithoutDigits(event.what);
  return what === event.what ? event : { ...event, what };
}

function newsWithoutDigits(what: CallNews): CallNews {
  switch (what.type) {
    case 'digit':
      return { ...what, digit: hidden(what.digit) };
    case 'gathered':
      return what.digits === '' ? what : { ...what, digits: hidden(what.digits) };
    case 'infoReceived':
      return /dtmf/i.test(what.contentType) ? { ...what, body: hidden(what.body) } : what;
    default:
      return what;
  }
}
