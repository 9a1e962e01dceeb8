import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackEnd, type Party } from './back-end.ts';
import { dial } from './callers.ts';

/*
 * Calls that the routing plan makes, of connections with a webhook: told, and commanded where a back end wants to.
 */

describe('a plain call, taken over by commands', () => {
  function plain(b: BackEnd): [w: Party, carrier: Pick<Party, 'far' | 'dialog'>] {
    const dialog = dial(b, '+15550100', { user: 'line5', callId: 'plain' });
    const { leg } = b.news[0]!;
    return [{ far: b.vsp, dialog, control: leg.control, leg: leg.leg }, b.rings()];
  }

  it('is told as bridging, answered, bridged', () => {
    const b = new BackEnd();
    const [w, carrier] = plain(b);
    const { what } = b.news[0]!;
    assert.equal(what.type === 'initiated' && what.state, 'bridging');
    b.answers(carrier);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
    b.hangsUp(w);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged', 'hangup']);
    assert.equal(b.news.length, 4, 'the carrier’s leg is told to nobody');
    b.clean();
  });

  it('is transferred while the first callee rings, which is called off', () => {
    const b = new BackEnd();
    const [w, carrier] = plain(b);
    b.do('transfer', w, { to: '+15550144' });
    b.proxy.take('cancelled');
    b.answers(carrier, 487);
    const p = b.transferred();
    b.answers(p);
    b.pair(w, p);
    b.clean();
  });

  it('is answered by command before its callee: hears that it rings, then its callee', () => {
    const b = new BackEnd();
    const [w, carrier] = plain(b);
    b.do('answer', w);
    b.vsp.take('accepted');
    b.answers(carrier);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'bridged']);
    assert.equal(b.hears().size, 2);
    b.clean();
  });

  it('both ends are told, when both have a connection with a webhook', () => {
    const b = new BackEnd();
    dial(b, 'line5', { user: 'line5', callId: 'plain' });
    b.bound(['sip:s1@vsp.sidetone.invalid']);
    const lanes = new Set(b.news.map(({ lane }) => lane));
    assert.equal(lanes.size, 2);
    assert.equal(new Set(b.news.map(({ leg }) => leg.session)).size, 1);
    b.clean();
  });
});
