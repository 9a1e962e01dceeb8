import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { opusWishes, parseSdp, sameTransport, withDirection } from '../src/index.ts';
import { CARRIER, CHROMIUM, FIREFOX } from './peers.ts';

describe('withDirection', () => {
  it('changes the direction of every section and raises the version', () => {
    for (const text of [CHROMIUM, FIREFOX, CARRIER, CARRIER.replaceAll('\r\n', '\n'), CARRIER.trimEnd()]) {
      const before = parseSdp(text);
      const after = parseSdp(withDirection(text, 'sendonly'));
      assert.ok(before.ok && after.ok);
      assert.ok(after.value.media.every((m) => m.direction === 'sendonly'));
      assert.equal(BigInt(after.value.origin.version), BigInt(before.value.origin.version) + 1n);
      assert.deepEqual(
        after.value.media.map((m) => ({ ...m, direction: 'x' })),
        before.value.media.map((m) => ({ ...m, direction: 'x' })),
      );
    }
  });

  it('leaves every other line as it was', () => {
    const lines = (text: string): string[] =>
      text.split('\r\n').filter((l) => !/^(o=|a=(send|recv|inact))/.test(l));
    const held = withDirection(CHROMIUM, 'inactive');
    assert.deepEqual(lines(held), lines(CHROMIUM));
    assert.equal(withDirection(withDirection(held, 'sendrecv'), 'inactive').match(/a=inactive/g)!.length, 1);
  });

  it('leaves alone what is no description', () => {
    assert.equal(withDirection('hello', 'sendonly'), 'hello');
    fc.assert(fc.property(fc.string(), (text) => void withDirection(text, 'sendonly')));
  });
});

describe('sameTransport', () => {
  it('looks at ICE credentials and fingerprint alone', () => {
    assert.ok(sameTransport(CHROMIUM, withDirection(CHROMIUM, 'sendonly')));
    assert.ok(sameTransport(CHROMIUM, CHROMIUM.replace('54321', '55555')));
    assert.ok(!sameTransport(CHROMIUM, CHROMIUM.replace('ufrag:1234', 'ufrag:1235')));
    assert.ok(!sameTransport(CHROMIUM, CHROMIUM.replace('sha-256 00', 'sha-256 01')));
    assert.ok(!sameTransport(CHROMIUM, FIREFOX));
  });

  it('looks at address and port without ICE', () => {
    assert.ok(sameTransport(CARRIER, withDirection(CARRIER, 'inactive')));
    assert.ok(!sameTransport(CARRIER, CARRIER.replace('30000', '30002')));
    assert.ok(!sameTransport(CARRIER, 'rubbish'));
    assert.ok(!sameTransport('rubbish', 'rubbish'));
  });
});

describe('opusWishes', () => {
  it('says what the author wants to receive, by parameters and by bandwidth', () => {
    const asks = (fmtp: string, bandwidth = ''): object =>
      opusWishes(
        CHROMIUM.replace(/a=fmtp:111 [^\r]*/, `a=fmtp:111 ${fmtp}`).replace(
          /(c=IN IP4 192\.0\.2\.10\r\n)/,
          `$1${bandwidth}`,
        ),
      );
    assert.deepEqual(asks('minptime=10;useinbandfec=1'), {});
    assert.deepEqual(asks('stereo=1;maxaveragebitrate=20000'), { stereo: true, maxBitrate: 20_000 });
    assert.deepEqual(asks('maxaveragebitrate=40000', 'b=TIAS:30000\r\n'), { maxBitrate: 30_000 });
    assert.deepEqual(opusWishes(CARRIER.replace(/opus/gi, 'x')), {});
    assert.deepEqual(opusWishes('rubbish'), {});
  });
});
