import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUnicast } from '../src/plain-transport.ts';
import { World } from './world.ts';

describe('where plain RTP may go', () => {
  it('is one host, by its address', () => {
    for (const good of ['10.1.2.3', '127.0.0.1', '223.255.255.255', '2001:db8::1', '::1']) {
      assert.equal(isUnicast(good), true, good);
    }
    for (const bad of [
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '0:0:0:0:0:0:0:0',
      'ff02::1',
      'host.example',
      '',
      '1.2.3',
      '1.2.3.456',
    ]) {
      assert.equal(isUnicast(bad), false, bad);
    }
  });

  it('is nowhere while the peer holds with c=0.0.0.0, and comes back', async () => {
    const world = new World();
    const a = await world.carrier('a');
    let here = 0;
    world.bind('0.0.0.0', a.port, () => here++);
    const hold = a.sdp().replaceAll(`c=IN IP4 ${a.address}`, 'c=IN IP4 0.0.0.0');
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: hold, codecs: ['PCMU'] });
    await world.run(1000);
    assert.equal(here + a.take().length, 0);
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp(), codecs: ['PCMU'] });
    await world.run(200);
    assert.equal(a.take().length, 10);
  });
});
