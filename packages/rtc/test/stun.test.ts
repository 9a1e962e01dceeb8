import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIp, parseIp, seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import {
  answerBinding,
  parseStun,
  readXorAddress,
  verifyIntegrity,
  writeStun,
  xorAddress,
} from '../src/index.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const utf8 = new TextEncoder();
const id = seededRandom(1).bytes(12);

/** RFC 5769 §2.1: the sample request. */
const SAMPLE = bytes(`
  000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74
  002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020
  000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf`);

describe('STUN messages', () => {
  it('reads the sample of RFC 5769 and proves its password', () => {
    const parsed = parseStun(SAMPLE);
    assert.ok(parsed.ok);
    assert.equal(parsed.value.class, 'request');
    assert.equal(parsed.value.method, 1);
    assert.equal(new TextDecoder().decode(parsed.value.attributes.get(6)), 'evtj:h6vY');
    assert.ok(verifyIntegrity(parsed.value, utf8.encode('VOkJxbRl1RmTxUk/WvJxBt')));
    assert.ok(!verifyIntegrity(parsed.value, utf8.encode('VOkJxbRl1RmTxUk/WvJxBu')));
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('request', 'indication', 'success', 'error'),
        fc.integer({ min: 0, max: 0xff }),
        fc.array(fc.tuple(fc.integer({ min: 0x8000, max: 0x8020 }), fc.uint8Array({ maxLength: 40 })), {
          maxLength: 8,
        }),
        fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }),
        (kind, method, attributes, key) => {
          const written = writeStun({ class: kind as 'request', method, transactionId: id, attributes }, key);
          const parsed = parseStun(written);
          assert.ok(parsed.ok);
          assert.equal(parsed.value.class, kind);
          assert.equal(parsed.value.method, method);
          assert.equal(verifyIntegrity(parsed.value, key ?? utf8.encode('x')), key !== undefined);
          for (const [type, value] of attributes) {
            const first = attributes.find(([t]) => t === type)![1];
            assert.deepEqual([...(parsed.value.attributes.get(type) ?? [])], [...first]);
            assert.ok(value);
          }
        },
      ),
    );
  });

  it('ignores attributes behind MESSAGE-INTEGRITY', () => {
    const request = writeStun(
      { class: 'request', method: 1, transactionId: id, attributes: [] },
      utf8.encode('k'),
    );
    // The fingerprint goes, USE-CANDIDATE comes.
    const forged = new Uint8Array(request.length - 4);
    forged.set(request.subarray(0, request.length - 8));
    forged.set([0, 0x25, 0, 0], request.length - 8);
    forged[3] = forged.length - 20;
    const parsed = parseStun(forged);
    assert.ok(parsed.ok);
    assert.ok(!parsed.value.attributes.has(0x25));
    assert.ok(verifyIntegrity(parsed.value, utf8.encode('k')));
  });

  it('is total over random and over mutated bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (b) => void parseStun(b)));
    fc.assert(
      fc.property(fc.nat(SAMPLE.length - 1), fc.nat(255), fc.nat(SAMPLE.length), (at, value, cut) => {
        const copy = SAMPLE.slice(0, cut);
        if (at < copy.length) copy[at] = value;
        const parsed = parseStun(copy);
        if (parsed.ok && (cut < SAMPLE.length || value !== SAMPLE[at])) {
          assert.ok(!parsed.value.attributes.has(0x8028), 'a fingerprint that holds over changed bytes');
        }
      }),
    );
  });

  it('refuses more than 32 attributes, wrong lengths and a wrong fingerprint', () => {
    const many = writeStun({
      class: 'request',
      method: 1,
      transactionId: id,
      attributes: Array.from({ length: 40 }, () => [0x8001, new Uint8Array(0)] as const),
    });
    assert.deepEqual(parseStun(many), { ok: false, error: 'bad-attribute' });
    assert.deepEqual(parseStun(SAMPLE.subarray(0, 40)), { ok: false, error: 'bad-length' });
    const last = SAMPLE.slice();
    last[last.length - 1]! ^= 1;
    assert.deepEqual(parseStun(last), { ok: false, error: 'bad-fingerprint' });
  });
});

describe('addresses', () => {
  it('keeps IPv4 and IPv6 through XOR-MAPPED-ADDRESS', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(65_535), (address, port) => {
        const normal = formatIp(parseIp(address)!);
        assert.deepEqual(readXorAddress(xorAddress({ address, port }, id), id), { address: normal, port });
      }),
    );
  });
});

describe('a bare STUN server', () => {
  it('tells the source its address', () => {
    const request = writeStun({ class: 'request', method: 1, transactionId: id, attributes: [] });
    const answer = parseStun(answerBinding(request, { address: '192.0.2.7', port: 4242 })!);
    assert.ok(answer.ok);
    assert.equal(answer.value.class, 'success');
    assert.deepEqual(readXorAddress(answer.value.attributes.get(0x20)!, id), {
      address: '192.0.2.7',
      port: 4242,
    });
  });

  it('answers unknown required attributes with 420 and their list', () => {
    const request = writeStun({
      class: 'request',
      method: 1,
      transactionId: id,
      attributes: [[0x7777, new Uint8Array(3)]],
    });
    const answer = parseStun(answerBinding(request, { address: '192.0.2.7', port: 1 })!);
    assert.ok(answer.ok);
    assert.equal(answer.value.class, 'error');
    assert.deepEqual([...answer.value.attributes.get(9)!.subarray(2, 4)], [4, 20]);
    assert.deepEqual([...answer.value.attributes.get(0x0a)!], [0x77, 0x77]);
  });

  it('is silent about everything else, and never a good amplifier', () => {
    const source = { address: '2001:db8::1', port: 9 };
    for (const kind of ['indication', 'success', 'error'] as const) {
      const message = writeStun({ class: kind, method: 1, transactionId: id, attributes: [] });
      assert.equal(answerBinding(message, source), null);
    }
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0xffff), fc.uint8Array({ maxLength: 9 })), { maxLength: 6 }),
        (attributes) => {
          const request = writeStun({ class: 'request', method: 1, transactionId: id, attributes });
          const answer = answerBinding(request, source);
          assert.ok(answer === null || answer.length <= request.length + 44);
        },
      ),
    );
  });
});
