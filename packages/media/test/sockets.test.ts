import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PortRange } from '../src/port-range.ts';
import type { SocketPort } from '../src/ports.ts';
import { RestingSockets } from '../src/resting.ts';
import { bindPlain, bindWebRtc } from '../src/sockets.ts';

const ADDRESS = '192.0.2.1';

/** Sockets of a machine on which other programs hold ports, or an address is gone. */
function machine(refuses: (address: string, port: number) => boolean): RestingSockets {
  const sockets: SocketPort = {
    bind: async (address, port) =>
      refuses(address, port) ? undefined : { address, port, send: () => {}, close: () => {} },
  };
  return new RestingSockets(sockets, { at: () => () => {} }, () => 0);
}

describe('sockets of legs', () => {
  it('one port of another program costs one port, and no call beyond', async () => {
    const range = new PortRange(30_000, 30_019);
    const sockets = machine((_, port) => port === 30_001);
    const ports: number[] = [];
    for (let bound = await bindWebRtc(sockets, range, [ADDRESS]); bound !== undefined; ) {
      ports.push(bound.port);
      bound = await bindWebRtc(sockets, range, [ADDRESS]);
    }
    assert.equal(ports.length, 19);
    assert.equal(new Set(ports).size, 19);
    assert.ok(!ports.includes(30_001));
    assert.equal(range.free, 1);
  });

  it('a plain leg passes over pairs of which half is held, and gives them back', async () => {
    const range = new PortRange(30_000, 30_009);
    const sockets = machine((_, port) => port === 30_001 || port === 30_002);
    const bound = await bindPlain(sockets, range, ADDRESS);
    assert.equal(bound?.rtp.port, 30_004);
    assert.equal(range.free, 8);
  });

  it('an address that is gone is done without, also with the last port', async () => {
    const range = new PortRange(30_000, 30_001);
    const sockets = machine((address) => address !== ADDRESS);
    assert.equal((await bindWebRtc(sockets, range, [ADDRESS, '2001:db8::1']))?.sockets.length, 1);
    assert.equal((await bindWebRtc(sockets, range, [ADDRESS, '2001:db8::1']))?.sockets.length, 1);
    assert.equal(await bindWebRtc(sockets, range, [ADDRESS, '2001:db8::1']), undefined);
    assert.equal(range.free, 0);
  });
});
