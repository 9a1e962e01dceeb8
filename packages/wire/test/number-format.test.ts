import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { callingCodeOf, countryOf, e164Of, formatCaller } from '../src/index.ts';

describe('the country of a number', () => {
  for (const [number, country] of [
    ['+12025550123', 'US'],
    ['+14165550123', 'CA'],
    ['+18095550123', 'DO'],
    ['+442079460000', 'GB'],
    ['+353861234567', 'IE'],
    ['+77011234567', 'KZ'],
    ['+74951234567', 'RU'],
    ['+8816123456', 'ZZ'],
    ['+9799123456', 'ZZ'],
    ['2025550123', 'ZZ'],
    ['+0123456789', 'ZZ'],
  ] as const)
    it(`${number} is ${country}`, () => assert.equal(countryOf(number), country));

  it('has a calling code', () => {
    for (const [country, code] of [
      ['US', '1'],
      ['CA', '1'],
      ['JM', '1'],
      ['GB', '44'],
      ['KZ', '7'],
      ['RU', '7'],
      ['ZZ', undefined],
    ] as const)
      assert.equal(callingCodeOf(country), code);
  });
});

describe('a dialled number as +E.164', () => {
  for (const [dialled, country, number] of [
    ['+44 20 7946 0000', 'US', '+442079460000'],
    ['(202) 555-0123', 'US', '+12025550123'],
    ['1 202 555 0123', 'CA', '+12025550123'],
    ['011 44 20 7946 0000', 'US', '+442079460000'],
    ['00 1 809 555 0123', 'GB', '+18095550123'],
    ['020 7946 0000', 'GB', '+442079460000'],
    // Fifteen digits at most, and no short or service codes.
    ['+1234567890123456', 'US', undefined],
    ['911', 'US', undefined],
    ['*67 202 555 0123', 'US', undefined],
    ['5550123', 'US', undefined],
    ['00442079460000', 'US', undefined],
    ['line1', 'US', undefined],
    ['2025550123', 'ZZ', undefined],
  ] as const)
    it(`${dialled} in ${country}`, () => assert.equal(e164Of(dialled, country), number));

  it('is one, or nothing, whatever is dialled', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('US', 'GB', 'DE', '??'), (text, country) => {
        const number = e164Of(text, country);
        assert.ok(number === undefined || /^\+[1-9]\d{6,14}$/.test(number));
      }),
    );
  });
});

describe("a caller's number as the connection wants it", () => {
  for (const [number, format, country, told] of [
    ['+13125550100', '+E.164', 'US', '+13125550100'],
    ['+13125550100', 'E.164', 'US', '13125550100'],
    ['+13125550100', '+E.164-national', 'US', '3125550100'],
    ['+13125550100', 'E.164-national', 'US', '3125550100'],
    ['+14165550100', 'E.164-national', 'US', '14165550100'],
    ['+442079460000', '+E.164-national', 'US', '+442079460000'],
    ['+442079460000', 'E.164-national', 'US', '442079460000'],
    ['+442079460000', 'E.164-national', 'GB', '2079460000'],
    ['anonymous', 'E.164', 'US', 'anonymous'],
  ] as const)
    it(`${number} as ${format} in ${country}`, () =>
      assert.equal(formatCaller(number, format, country), told));
});
