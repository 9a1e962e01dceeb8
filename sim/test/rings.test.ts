import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import { PretendCarrier } from '../src/carrier.ts';
import { Rings } from '../src/rings.ts';
import { World } from '../src/world.ts';

const INVITE = [
  'INVITE sip:+18005550123@192.0.2.50:5070 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone',
  'Max-Forwards: 70',
  'From: <sip:house@192.0.2.1>;tag=a',
  'To: <sip:+18005550123@192.0.2.50>',
  'Call-ID: one',
  'CSeq: 1 INVITE',
  'Contact: <sip:house@192.0.2.1:5060>',
  'Content-Length: 0',
  '',
  '',
].join('\r\n');

/** A carrier that is called and lets it ring, over a network that lets its answers through, or none. */
function rung(hears: boolean, cancels: boolean): Rings {
  const world = new World();
  const rings = new Rings();
  const habits = { offerless: false, incoming: 'ring', earlyMedia: false, answersAfter: 0 } as const;
  const carrier = new PretendCarrier(world, seededRandom(1), habits, rings, (bytes) => {
    if (hears) rings.heard(bytes);
  });
  carrier.datagram(Buffer.from(INVITE));
  const cancel = INVITE.replaceAll('INVITE', 'CANCEL').replace(/Contact.*\r\n/, '');
  if (cancels) world.after(30_000, () => carrier.datagram(Buffer.from(cancel)));
  while (world.next() !== null) world.step();
  assert.deepEqual([carrier.size, [...carrier.legs.values()]], [0, ['done']]);
  return rings;
}

describe('an INVITE that nobody cancels', () => {
  it('ends at the limit of the carrier: where the network has lost all its answers nobody is to blame', () => {
    const { excused, problems } = rung(false, false);
    assert.deepEqual([excused, problems], [1, []]);
  });

  it('is a fault of the house where it has heard any answer', () => {
    const { excused, problems } = rung(true, false);
    assert.deepEqual([excused, problems], [0, ['the house let one ring, although it could cancel it']]);
  });

  it('does not get there when it is cancelled', () => {
    const { excused, problems } = rung(true, true);
    assert.deepEqual([excused, problems], [0, []]);
  });
});
