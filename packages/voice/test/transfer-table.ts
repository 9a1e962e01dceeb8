import assert from 'node:assert/strict';
import {
  bodyText,
  createResponse,
  type ExtraHeaders,
  header,
  parseNameAddr,
  parseUri,
  type SipRequest,
} from '@sidetone/sip';
import type { Source } from '@sidetone/wire';
import { type Far, sdp, VoiceBench } from './voice-bench.ts';

const uri = (text: string) => {
  const parsed = parseUri(text);
  assert.ok(parsed.ok);
  return parsed.value;
};
export const nameAddr = (text: string) => {
  const parsed = parseNameAddr(text);
  assert.ok(parsed.ok);
  return parsed.value;
};

/** A party: the room it is behind, and its leg there. */
export interface Side {
  readonly far: Far;
  readonly leg: string;
}

/** line1 (a client) or a carrier calls; answered by whoever is asked for. */
export class Table extends VoiceBench {
  /** Calls dialled so far, for their Call-IDs. */
  #calls = 0;

  dial(user: string, destination: string, far: Far = this.vsp): Side {
    const trunk = user === 'carrier';
    const headers: ExtraHeaders = [
      trunk ? ['X-Sidetone-Trunk', 'carrier'] : ['P-Asserted-Identity', `<sip:${user}@sip.localhost>`],
    ];
    const { leg, out } = far.agent.invite(
      {
        requestUri: uri(`sip:${destination}@${trunk ? '127.0.0.1' : 'sip.localhost'}`),
        from: nameAddr(trunk ? '"Bob" <sip:+15550100@192.0.2.10>' : `<sip:${user}@sip.localhost>`),
        to: nameAddr(`<sip:${destination}@sip.localhost>`),
        sdp: sdp(),
        headers,
        callId: `call-${++this.#calls}`,
      },
      this.now,
    );
    far.act(out);
    return { far, leg };
  }

  found(contact: string | null): void {
    const asked = this.proxy.take('request');
    assert.equal(asked.request.method, 'OPTIONS');
    const parts = contact === null ? {} : { contact: [nameAddr(`<${contact}>`)] };
    const message = createResponse(asked.request, contact === null ? 480 : 200, parts);
    this.tell({ type: 'sip', message, flow: { transport: 'local', node: 'proxy' } });
  }

  /** The leg that rings at the proxy (which would pass it on to clients, too). */
  rings(): Side & { readonly request: SipRequest } {
    const { leg, request } = this.proxy.take('incoming');
    return { far: this.proxy, leg, request };
  }

  answer(side: Side, status = 200): void {
    const described = status < 300 && status !== 180 ? { sdp: sdp('sendrecv', 6_000) } : {};
    side.far.act(side.far.agent.respond(side.leg, status, described, this.now));
  }

  /** line1's browser talks with the carrier. */
  talk(): { client: Side; carrier: Side } {
    const client = this.dial('line1', '+15550100');
    const carrier = this.rings();
    this.answer(carrier);
    this.vsp.take('accepted');
    return { client, carrier };
  }

  refer(side: Side, referTo: string, headers: ExtraHeaders = []): number {
    const all: ExtraHeaders = [['Refer-To', referTo], ...headers];
    const request = { method: 'REFER', headers: all };
    side.far.act(side.far.agent.requestInDialog(side.leg, request, 'refer', this.now));
    return side.far.take('inDialogResult').status;
  }

  hangUp(side: Side): void {
    side.far.act(side.far.agent.bye(side.leg, [], this.now));
  }

  /** The statuses that NOTIFYs told this party, in order; all are answered. */
  told(far: Far): string[] {
    const notifies = far.events.filter((e) => e.type === 'request' && e.request.method === 'NOTIFY');
    const told: string[] = [];
    for (const event of notifies) {
      far.events.splice(far.events.indexOf(event), 1);
      if (event.type !== 'request') continue;
      const final = /^terminated/.test(header(event.request, 'Subscription-State') ?? '') ? ' final' : '';
      told.push(`${bodyText(event.request).split(' ')[1]}${final}`);
      far.act(far.agent.respondRequest(event.tx, 200, {}, this.now));
    }
    return told;
  }

  /** What each leg hears now: the leg id of the other one, or a sound. */
  hears(): Map<string, string> {
    const heard = new Map<string, string>();
    const word = (source: Source): string => (source.kind === 'leg' ? source.leg : source.kind);
    for (const command of this.media) {
      if (command.op === 'source') heard.set(command.leg, word(command.source));
      if (command.op === 'close') heard.delete(command.leg);
    }
    return heard;
  }

  /** Two legs, each of which hears the other. */
  pair(): void {
    const heard = this.hears();
    assert.equal(heard.size, 2, JSON.stringify([...heard]));
    for (const [leg, other] of heard) assert.equal(heard.get(other), leg, JSON.stringify([...heard]));
  }

  clean(legs: number): void {
    this.advance(120_000);
    assert.deepEqual(this.voice.size, { calls: 0, media: 0, dialogs: 0 });
    assert.equal(this.voice.deadline(), null);
    assert.equal(this.engine.size, 0);
    assert.equal(this.records.length, legs);
    assert.equal(new Set(this.records.map((r) => r.leg_id)).size, legs);
  }
}
