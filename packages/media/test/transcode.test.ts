import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePcmu, encodePcma, encodePcmu } from '@sidetone/rtc';
import { G722Decoder, G722Encoder } from '../src/g722.ts';
import { fallbackOpus, loadOpus, type OpusFactory } from '../src/index.ts';
import { World } from './world.ts';

const libopus = await loadOpus();

/** Energy share at `hz` (Goertzel). */
function share(pcm: Int16Array, rate: number, hz: number): number {
  const k = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let a = 0;
  let b = 0;
  let energy = 1;
  for (const s of pcm) {
    [a, b] = [s + k * a - b, a];
    energy += s * s;
  }
  return (2 * (a * a + b * b - k * a * b)) / (pcm.length * energy);
}

function sine(hz: number, rate: number, first: number): Int16Array {
  return Int16Array.from(
    { length: rate / 50 },
    (_, i) => 9000 * Math.sin((2 * Math.PI * hz * (first + i)) / rate),
  );
}

const join = (frames: readonly Int16Array[]): Int16Array =>
  Int16Array.from(frames.flatMap((frame) => [...frame]));

function pcmu(payloads: readonly Uint8Array[]): Int16Array {
  return join(
    payloads.map((payload) => {
      const pcm = new Int16Array(payload.length);
      decodePcmu(payload, pcm);
      return pcm;
    }),
  );
}

describe('transcoding', () => {
  it('turns a PCMU tone into Opus for a browser, and back', async () => {
    const world = new World();
    const browser = await world.browser('w', ['OPUS']);
    const carrier = await world.carrier('c');
    await world.command({ op: 'source', leg: 'w', source: { kind: 'leg', leg: 'c' } });
    await world.command({ op: 'source', leg: 'c', source: { kind: 'leg', leg: 'w' } });
    const encoder = libopus.encoder({ rate: 8000, bitrate: 24_000, fec: false });
    const decoder = libopus.decoder(8000);
    await world.run(0);
    let n = 0;
    await world.run(1500, () => {
      const payload = new Uint8Array(160);
      encodePcmu(sine(440, 8000, n * 160), payload);
      carrier.frame(payload);
      browser.frame(encoder.encode(sine(1000, 8000, n * 160))!);
      n++;
    });
    const heard = browser.take();
    assert.ok(heard.length >= 74, `${heard.length}`);
    for (let i = 2; i < heard.length; i++) {
      assert.equal((heard[i]!.timestamp - heard[i - 1]!.timestamp) >>> 0, 960);
    }
    const atBrowser = join(heard.slice(20).map((p) => decoder.decode(p.payload)!));
    assert.ok(share(atBrowser, 8000, 440) > 0.9);
    const back = carrier.take();
    assert.ok(back.length >= 74);
    assert.ok(back.every((p) => p.payload.length === 160 && p.payloadType === 0));
    assert.ok(share(pcmu(back.slice(20).map((p) => p.payload)), 8000, 1000) > 0.9);
  });

  it('turns PCMA into PCMU', async () => {
    const world = new World();
    const a = await world.carrier('a', { codec: 'PCMA' });
    const b = await world.carrier('b', { codec: 'PCMU' });
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    let n = 0;
    await world.run(400, () => {
      const payload = new Uint8Array(160);
      encodePcma(sine(700, 8000, n++ * 160), payload);
      a.frame(payload);
    });
    const heard = b.take();
    assert.ok(heard.length >= 19 && heard.every((p) => p.payload.length === 160));
    assert.ok(share(pcmu(heard.map((p) => p.payload)), 8000, 700) > 0.98);
  });

  it('brings G722 and every other codec together', async () => {
    for (const codec of ['PCMU', 'OPUS'] as const) {
      const world = new World();
      const a = await world.carrier('a', { codec: 'G722' });
      const b = await world.carrier('b', { codec });
      await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
      await world.command({ op: 'source', leg: 'a', source: { kind: 'tone', hz: 900 } });
      const encoder = new G722Encoder();
      const decoder = libopus.decoder(8000);
      let n = 0;
      await world.run(1000, () => a.frame(encoder.encode(sine(700, 16_000, n++ * 320), 16_000)));
      const heard = b.take().slice(10);
      const pcm =
        codec === 'PCMU'
          ? pcmu(heard.map((p) => p.payload))
          : join(heard.map((p) => decoder.decode(p.payload)!));
      assert.ok(share(pcm, 8000, 700) > 0.9);
      const tone = new G722Decoder().decode(Uint8Array.from(a.take().flatMap((p) => [...p.payload])), 16_000);
      assert.ok(share(tone.subarray(3200), 16_000, 900) > 0.95);
    }
  });

  it('conceals losses, and closes the numbers over them', async () => {
    const world = new World();
    const a = await world.carrier('a', { codec: 'OPUS' });
    const b = await world.carrier('b', { codec: 'PCMU' });
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    const encoder = libopus.encoder({ rate: 8000, bitrate: 24_000, fec: true });
    await world.run(0);
    let n = 0;
    await world.run(2000, () => {
      const frame = encoder.encode(sine(600, 8000, n * 160))!;
      if (++n % 10 === 0) {
        a.sequence++;
        a.timestamp += 960;
      } else a.frame(frame);
    });
    const heard = b.take();
    assert.ok(heard.length >= 97, `${heard.length}`);
    for (let i = 1; i < heard.length; i++) {
      assert.equal((heard[i]!.sequence - heard[i - 1]!.sequence) & 0xffff, 1);
    }
    const kept = share(pcmu(heard.slice(10).map((p) => p.payload)), 8000, 600);
    // A steady tone is the worst case of long-term prediction: one lost frame is heard in several.
    assert.ok(kept > 0.5, `${kept}`);
  });

  it('drops packets that are no Opus', async () => {
    const world = new World();
    const a = await world.carrier('a', { codec: 'OPUS' });
    const b = await world.carrier('b', { codec: 'PCMU' });
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    await world.run(1000, () => a.frame(world.random.bytes(1 + world.random.int(200))));
    assert.ok(b.take().length > 0);
  });
});

for (const [name, factory] of [
  ['libopus-wasm', libopus],
  ['opusscript', fallbackOpus()],
] as const satisfies readonly (readonly [string, OpusFactory])[]) {
  describe(`Opus by ${name}`, () => {
    it('keeps a tone and the bit rate at every sampling rate', async () => {
      for (const rate of [8000, 16_000, 24_000, 48_000] as const) {
        const encoder = factory.encoder({ rate, bitrate: 24_000, fec: false });
        const decoder = factory.decoder(rate);
        await Promise.resolve();
        await Promise.resolve();
        await Promise.resolve();
        const out: Int16Array[] = [];
        let octets = 0;
        for (let i = 0; i < 50; i++) {
          const packet = encoder.encode(sine(1000, rate, (i * rate) / 50))!;
          octets += packet.length;
          out.push(decoder.decode(packet)!);
        }
        assert.ok(octets * 8 < 40_000, `${octets * 8} bit/s at ${rate}`);
        assert.ok(share(join(out.slice(10)), rate, 1000) > 0.9);
        assert.equal(decoder.conceal(rate / 50)?.length, rate / 50);
        assert.equal(decoder.decode(Uint8Array.of(0xff, 0xff, 0xff)), undefined);
        encoder.free();
        decoder.free();
      }
    });
  });
}
