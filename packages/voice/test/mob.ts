import { type Random, seededRandom } from '@sidetone/core';
import { createResponse } from '@sidetone/sip';
import type { MediaReply } from '@sidetone/wire';
import { type Far, sdp, VoiceBench } from './voice-bench.ts';

const DESTINATIONS = ['9196', '9664', 'line2', '+15550100', 'nobody'];
const pick = <T>(random: Random, items: readonly T[]): T => items[random.int(items.length)]!;

/** Two rooms that do anything at any time, and a media engine that fails, stays silent, or says nothing for long. */
export class Mob {
  readonly bench = new VoiceBench({ ringMs: 20_000 });
  readonly random: Random;
  readonly calling: { far: Far; leg: string }[] = [];
  readonly called: { far: Far; leg: string; tx: string[] }[] = [];
  /** One in so many moves is a death of the process; 0: none. */
  readonly #deaths: number;
  readonly #abrupt: boolean;
  deaths = 0;
  readonly contacts = [
    { uri: { scheme: 'sip', user: 's1', host: 'vsp.sidetone.invalid', params: {} }, params: {} },
    { uri: { scheme: 'sip', user: 'desk', host: '192.0.2.7', params: {} }, params: {} },
  ];

  constructor(seed: number, deaths = 0, abrupt = false) {
    this.#abrupt = abrupt;
    this.#deaths = deaths;
    this.random = seededRandom(seed);
    this.bench.mediaReply = (): MediaReply | null | undefined => {
      const dice = this.random.int(40);
      if (dice === 0) return null;
      if (dice === 1)
        return {
          ok: false,
          error: pick(this.random, ['no-codec', 'bad-sdp', 'no-port', 'engine']),
          message: '',
        };
      return undefined;
    };
  }

  move(): void {
    this.#settle();
    const { bench, random } = this;
    if (this.#deaths > 0 && random.int(this.#deaths) === 0) {
      this.deaths += 1;
      if (this.#abrupt && random.int(2) === 0) bench.dying = true;
      else bench.restart();
    }
    const far = pick(random, [bench.vsp, bench.proxy]);
    switch (random.int(9)) {
      case 0:
      case 1:
        return this.#dial(far);
      case 2:
      case 3:
        return this.#answer();
      case 4:
        return this.#reinvite();
      case 5:
        return this.#end();
      case 6:
        return bench.advance(pick(random, [10, 700, 6_000]));
      case 7: {
        const leg = bench.media.findLast((c) => c.op === 'answer');
        if (leg?.op === 'answer' && random.int(4) === 0)
          bench.tell({
            type: 'mediaEvent',
            event: { event: 'failed', leg: leg.leg, why: pick(random, ['ice', 'rtp']) },
          });
        return;
      }
      case 8: {
        const all = [...this.calling, ...this.called];
        if (all.length === 0) return;
        const { far: side, leg } = pick(random, all);
        side.act(
          side.agent.requestInDialog(
            leg,
            { method: 'INFO', contentType: 'application/dtmf', body: '5' },
            'i',
            bench.now,
          ),
        );
      }
    }
  }

  #dial(far: Far): void {
    const { bench, random } = this;
    const client = far.node === 'vsp';
    const user = client ? pick(random, DESTINATIONS) : '+13125550101';
    const uri = { scheme: 'sip', user, host: 'sip.localhost', params: {} };
    const { leg, out } = far.agent.invite(
      {
        requestUri: uri,
        from: { uri: { ...uri, user: 'x' }, params: {} },
        to: { uri, params: {} },
        ...(random.int(4) === 0 ? {} : { sdp: sdp() }),
        headers: [
          client ? ['P-Asserted-Identity', '<sip:line1@sip.localhost>'] : ['X-Sidetone-Trunk', 'carrier'],
        ],
      },
      bench.now,
    );
    this.calling.push({ far, leg });
    far.act(out);
  }

  /** Reads what the rooms heard since the last move. */
  #settle(): void {
    const { bench, random } = this;
    for (const far of [bench.vsp, bench.proxy])
      for (const event of far.events.splice(0)) {
        if (event.type === 'incoming') this.called.push({ far, leg: event.leg, tx: [] });
        else if (event.type === 'request') {
          const found = random.int(5) > 0;
          const parts = found ? { contact: this.contacts } : {};
          const response = createResponse(event.request, found ? 200 : 480, parts);
          bench.tell({ type: 'sip', message: response, flow: { transport: 'local', node: far.node } });
        } else if (event.type === 'reinvite') {
          const status = pick(random, [200, 200, 488]);
          const answer = status === 200 ? { sdp: sdp(pick(random, ['sendrecv', 'inactive'])) } : {};
          far.act(far.agent.respondReinvite(event.leg, event.tx, status, answer, bench.now));
        } else if (event.type === 'info') far.act(far.agent.respondRequest(event.tx, 200, {}, bench.now));
        else if (event.type === 'accepted' && event.sdp !== undefined)
          far.act(far.agent.ack(event.leg, sdp(), bench.now));
      }
  }

  #answer(): void {
    if (this.called.length === 0) return;
    const { far, leg } = pick(this.random, this.called);
    const status = pick(this.random, [180, 183, 183, 200, 200, 200, 486, 603]);
    const described =
      status === 183 || status === 200 ? { sdp: sdp('sendrecv', 6_000 + this.random.int(2)) } : {};
    far.act(far.agent.respond(leg, status, described, this.bench.now));
  }

  #reinvite(): void {
    const all = [...this.calling, ...this.called];
    if (all.length === 0) return;
    const { far, leg } = pick(this.random, all);
    const direction = pick(this.random, ['sendrecv', 'sendonly', 'inactive']);
    far.act(far.agent.reinvite(leg, sdp(direction), 'r', this.bench.now));
  }

  #end(): void {
    const { random, bench } = this;
    const all = [...this.calling, ...this.called];
    if (all.length === 0) return;
    const { far, leg } = pick(random, all);
    if (random.int(2) === 0) far.act(far.agent.bye(leg, [], bench.now));
    else far.act(far.agent.cancel(leg, [], bench.now));
  }

  finish(): void {
    const { bench } = this;
    bench.mediaReply = () => undefined;
    bench.dying = false;
    bench.tell({ type: 'drain' });
    for (let i = 0; i < 30; i++) {
      this.#settle();
      bench.advance(10_000);
    }
  }
}
