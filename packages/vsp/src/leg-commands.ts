import type { Ms } from '@sidetone/core';
import type { LegId, UserAgent, UserAgentOut } from '@sidetone/sip';
import type { LegWish } from './call.ts';
import { customHeaders, endingHeaders } from './to-sip.ts';

/** Spells what a call wants of its leg as commands of the user agent. */
export function commandLeg(
  agent: UserAgent,
  leg: LegId,
  wish: Exclude<LegWish, { type: 'refer' }>,
  now: Ms,
): readonly UserAgentOut[] {
  switch (wish.type) {
    case 'respond': {
      const headers =
        wish.cause === undefined
          ? customHeaders(wish.customHeaders)
          : endingHeaders(wish.cause, wish.internal, wish.customHeaders);
      const sdp = wish.sdp === undefined ? {} : { sdp: wish.sdp };
      return agent.respond(leg, wish.status, { headers, ...sdp }, now);
    }
    case 'cancel':
      return agent.cancel(leg, endingHeaders(wish.cause, 'cancelled', wish.customHeaders), now);
    case 'hangUp':
      return agent.bye(leg, endingHeaders(wish.cause, undefined, wish.customHeaders), now);
    case 'reinvite':
      return agent.reinvite(leg, wish.sdp, wish.token, now);
    case 'respondReinvite': {
      const sdp = wish.sdp === undefined ? {} : { sdp: wish.sdp };
      return agent.respondReinvite(leg, wish.tx, wish.status, sdp, now);
    }
    case 'info':
      return agent.requestInDialog(
        leg,
        {
          method: 'INFO',
          contentType: wish.contentType,
          body: wish.body,
          ...(wish.package === undefined ? {} : { headers: [['Info-Package', wish.package]] }),
        },
        'info',
        now,
      );
  }
}
