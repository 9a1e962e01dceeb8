import { createUserAgent, type UserAgent } from '@sidetone/sip';
import { NODE_HOST } from '@sidetone/wire';
import type { CallBook } from './call-book.ts';
import { descriptionOf } from './call-media.ts';
import { contactUri, PROXY, VOICE } from './to-sip.ts';
import type { VspOptions } from './vsp-events.ts';

/** The user agent of all sessions and their calls: the one sends REGISTERs by it, the others are its dialogs. */
export const createAgent = ({ random }: VspOptions, calls: CallBook): UserAgent =>
  createUserAgent({
    random,
    sentBy: { host: NODE_HOST.vsp },
    contact: () => contactUri('call'),
    resolve: (hop) => (hop.host === NODE_HOST.proxy ? PROXY : VOICE),
    offer: (leg, given) => {
      const ref = calls.refOf(leg);
      return (ref && descriptionOf(calls.get(ref))) ?? given;
    },
    userAgent: 'Sidetone',
    allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS', 'NOTIFY'],
  });
