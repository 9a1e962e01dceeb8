import { hexId, type Ms, type Random } from '@sidetone/core';
import type { LegId, UserAgent, UserAgentOut } from '@sidetone/sip';
import { ATTACHMENT } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import type { Wish } from '../message.ts';
import { dtmfRelay, heardAgo } from './info-body.ts';
import { notifyFor } from './refer.ts';
import { byeHeaders, responseFor } from './to-sip.ts';

/** What a leg wants of a dialog it has. */
export type LegWish = Extract<
  Wish,
  {
    type:
      | 'respond'
      | 'cancel'
      | 'bye'
      | 'reinvite'
      | 'respondReinvite'
      | 'sendDigit'
      | 'tellHeard'
      | 'notify'
      | 'sendInfo'
      | 'sendRefer';
  }
>;

/** Tokens of the requests of ours whose end a leg waits for: an INFO with a digit, a REFER. */
export const DIGIT = 'digit';
export const REFERRED = 'refer';

/** Spells what a leg wants of a dialog as commands of the user agent. */
export function commandLeg(
  agent: UserAgent,
  leg: Leg,
  dialog: LegId,
  wish: LegWish,
  random: Random,
  now: Ms,
): readonly UserAgentOut[] {
  switch (wish.type) {
    case 'respond':
      return agent.respond(dialog, wish.status, responseFor(leg, wish, random), now);
    case 'cancel':
      return agent.cancel(dialog, byeHeaders(wish.ending), now);
    case 'bye':
      return agent.bye(dialog, byeHeaders(wish.ending), now);
    case 'reinvite':
      return agent.reinvite(dialog, wish.sdp, hexId(random, 4), now);
    case 'respondReinvite': {
      const sdp = wish.sdp === undefined ? {} : { sdp: wish.sdp };
      return agent.respondReinvite(dialog, wish.tx, wish.status, sdp, now);
    }
    case 'sendDigit': {
      const contentType = 'application/dtmf-relay';
      const info = { method: 'INFO', contentType, body: dtmfRelay(wish.digit) };
      return agent.requestInDialog(dialog, info, DIGIT, now);
    }
    case 'tellHeard': {
      const info = { method: 'INFO', contentType: ATTACHMENT.heard, body: heardAgo(wish.msAgo) };
      return agent.requestInDialog(dialog, info, 'heard', now);
    }
    case 'sendRefer': {
      const headers = [['Refer-To', `<${wish.address}>`] as const, ...wish.headers];
      return agent.requestInDialog(dialog, { method: 'REFER', headers }, REFERRED, now);
    }
    case 'sendInfo': {
      const { contentType, body } = wish;
      return agent.requestInDialog(dialog, { method: 'INFO', contentType, body }, 'info', now);
    }
    case 'notify':
      return agent.requestInDialog(dialog, notifyFor(wish), 'notify', now);
  }
}
