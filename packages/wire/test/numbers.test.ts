import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  calledNumber,
  callerNumber,
  callingCodeOf,
  canonicalNumber,
  countryOf,
  e164Of,
  homeOf,
  isNumber,
  NO_COUNTRY,
  namedBy,
  parseCallerNumber,
  parseDestination,
  readNumber,
  route,
  trunkHabit,
} from '../src/index.ts';
import { AREA_CODES, PLANS_OF } from '../src/numbers/plans.ts';
import { fixedIdentity } from '../testing/fixed-identity.ts';

const NUMBER = '+13125550199';
const digit = fc.integer({ min: 0, max: 9 });
const digits = (least: number, most: number) =>
  fc.array(digit, { minLength: least, maxLength: most }).map((d) => d.join(''));

describe('pasted-numbers', () => {
  for (const written of [
    '\u202d+13125550199\u202c',
    '+1\u2011312\u2011555\u20110199',
    '+1312\u200b5550199',
    '+1312555\u00ad0199',
    '+1 312 555\u20130199',
    '+1\u00a0312\u202f555\u20090199',
    '\u2068+1\u3000312\u20695550199',
    '+1\t312\t555\t0199',
    ' +13125550199\t',
    '+1 (312) 555.0199',
    '+1 312/555/0199',
    '+1 \u2010312 \u2012555\u20140199',
    '+1\u2212312\u20145550199\ufeff',
    '+1\u00b7312\u00b7555\u00b70199',
    '＋１（３１２）５５５－０１９９',
    '+1 [312] 555 0199',
    'tel:+1-312-555-0199',
    'TEL:+1-312-555-0199;ext=7',
    'tel://+13125550199',
    'tel:+1%20312%20555%200199',
    '\u202atel:312-555-0199;phone-context=+1\u202c',
  ])
    it(`${JSON.stringify(written)} is ${NUMBER}`, () => {
      assert.equal(readNumber(written), NUMBER);
      assert.deepEqual(parseDestination(written), { ok: true, value: { user: NUMBER } });
      assert.deepEqual(parseCallerNumber(written), { ok: true, value: NUMBER });
    });

  it('the 0 in brackets is dialled at home alone; Italian numbers have theirs abroad, too', () => {
    assert.equal(readNumber('+44 (0)20 7946 0958'), '+442079460958');
    assert.equal(readNumber('+49(0)30 123456'), '+4930123456');
    assert.equal(readNumber('+39 (0)6 1234567'), '+39061234567');
  });

  it('signs between the digits and around them are nothing, wherever they stand and however many', () => {
    const sign = fc.constantFrom(
      ...' \u00a0\u2002\u2003\u2009\u200a\u202f\u205f\u3000\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u2060\u2066\u2069\ufeff-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d.()',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('+13125550199', '9196', '*21#', '0301234567'),
        fc.array(fc.array(sign, { maxLength: 3 })),
        (number, signs) => {
          const pasted = [...number].map((c, i) => `${(signs[i] ?? []).join('')}${c}`).join('');
          // A bracketed 0 behind a country code has a meaning of its own.
          fc.pre(!/\(0\)/.test(pasted));
          assert.equal(readNumber(`${pasted}\u202c`), number);
        },
      ),
    );
  });

  it('a user name with such a sign stays refused', () => {
    for (const name of [
      'anna\u200bbell',
      'anna\u2013bell',
      'anna bell',
      '\u202dan\u202ena\u202c',
      'a\u00adb',
      'a\u2011b',
      '\u202danna\u202c',
      'anna\u200b',
    ])
      for (const text of [name, `${name}@sip.localhost`, `sip:${name}@sip.localhost`]) {
        const read = parseDestination(text);
        assert.ok(!read.ok && /holds a blank or a character/.test(read.error), JSON.stringify(text));
        assert.ok(!parseCallerNumber(name).ok);
      }
    assert.deepEqual(parseDestination('anna-bell.2'), { ok: true, value: { user: 'anna-bell.2' } });
  });

  it('a line break stays refused, and so does what is no address', () => {
    for (const text of [
      '+1312\r\n5550199',
      'a\r\nVia: b',
      'anna\n',
      '\tanna',
      '+1312\u00005550199',
      'tel:+1312\n5550199',
    ])
      assert.deepEqual(parseDestination(text), {
        ok: false,
        error: 'destination_number holds a line break or control character',
      });
    for (const text of ['sip:a%0d%0ab@sip.localhost', 'sip:a%20b@sip.localhost', 'sip:a%3Cb@sip.localhost'])
      assert.ok(!parseDestination(text).ok, text);
  });
});

describe('tel-uri', () => {
  it('a destination may be one, with separators and parameters', () => {
    for (const text of [
      'tel:+1-312-555-0199',
      'tel:+13125550199;ext=7',
      'tel:(312)555-0199;phone-context=+1',
    ])
      assert.deepEqual(parseDestination(text), { ok: true, value: { user: NUMBER } }, text);
    assert.deepEqual(parseDestination('tel:9196'), { ok: true, value: { user: '9196' } });
  });

  it('that has no number behind it is none, and never a user', () => {
    for (const text of ['tel:line1', 'tel:', 'tel:+1-800-FLOWERS', 'tel:+13125550199@evil.example']) {
      assert.deepEqual(parseDestination(text), {
        ok: false,
        error: 'destination_number has no telephone number behind tel:',
      });
      assert.equal(namedBy('tel', text.slice(4)), '');
    }
  });

  for (const [local, context, number] of [
    ['3125550199', '+1', '+13125550199'],
    ['1-312-555-0199', '+1', '+13125550199'],
    ['5550199', '+1312', '+13125550199'],
    ['5550199', '+1-312', '+13125550199'],
    ['020 7946 0958', '+44', '+442079460958'],
    ['79460958', '+4420', '+442079460958'],
    // A context is not what stands in front (RFC 3966 §5.1.5).
    ['911', '+1', '911'],
    ['110', '+4930', '110'],
    ['863-1234', '+1-914-555', '8631234'],
    ['7042', 'example.com', '7042'],
    ['9196', '+999', '9196'],
  ] as const)
    it(`${local};phone-context=${context} is ${number}`, () =>
      assert.equal(readNumber(`tel:${local};ext=7;phone-context=${context}`), number));
});

describe('number-parameters-in-the-user-part', () => {
  for (const params of [
    ';rn=+13125550000;npdi',
    ';npdi;rn=+1-312-555-0000',
    ';cpc=ordinary',
    ';isup-oli=00',
    ';verstat=TN-Validation-Passed',
    ';ext=7',
    ';phone-context=+1',
    ';isub=1234;postd=pp22',
    ';tgrp=a;trunk-context=b.example',
  ]) {
    it(`${params} is no part of a number`, () => {
      assert.equal(namedBy('sip', `${NUMBER}${params}`), NUMBER);
      assert.equal(namedBy('tel', `${NUMBER}${params}`), NUMBER);
      assert.deepEqual(parseDestination(`sip:${NUMBER}${params}@sip.localhost;user=phone`), {
        ok: true,
        value: { user: NUMBER, host: 'sip.localhost' },
      });
      assert.deepEqual(parseDestination(`${NUMBER}${params}`), { ok: true, value: { user: NUMBER } });
      assert.deepEqual(parseCallerNumber(`sip:${NUMBER}${params}@sip.localhost`), {
        ok: true,
        value: NUMBER,
      });
    });
  }

  it('escapes are undone in a URI: a + may be written %2B', () => {
    assert.deepEqual(parseDestination('sip:%2B13125550199@sip.localhost'), {
      ok: true,
      value: { user: NUMBER, host: 'sip.localhost' },
    });
  });

  it('a name is left as it is', () => {
    assert.equal(namedBy('sip', 'line1;x=1'), 'line1;x=1');
    assert.equal(namedBy('sip', ''), '');
  });
});

const SEVERAL = ['+13125550100', '+4930123456', '+442079460958', '100', '1001001'];

const identity = fixedIdentity({
  domain: 'sip.localhost',
  connections: [
    { userName: 'line1', password: 'secret-secret', numbers: SEVERAL },
    { userName: '3125550100', password: 'secret-secret', sipUriCalling: 'unrestricted' },
  ],
  trunks: [],
});

describe('called-number-without-plus', () => {
  const called = (written: string, habit = trunkHabit()): string | undefined =>
    calledNumber(identity, written, habit)?.entry.number;

  it('is a number of ours, however a carrier writes it', () => {
    for (const written of ['+13125550100', '13125550100', '0013125550100', '01113125550100'])
      assert.equal(called(written), '+13125550100', written);
    for (const written of ['+4930123456', '4930123456', '004930123456', '030123456', '30123456'])
      assert.equal(called(written), '+4930123456', written);
    for (const written of ['02079460958', '2079460958']) assert.equal(called(written), '+442079460958');
  });

  it('a short code is what it is, and so is a number that is none of ours', () => {
    assert.equal(called('100'), '100');
    assert.equal(called('+100'), undefined);
    assert.equal(called('00100'), undefined);
    assert.equal(called('5550100'), undefined);
    assert.equal(called('13125550101'), undefined);
    assert.equal(called('+1001001'), '1001001');
  });

  it('national digits that two countries have are nobody’s, unless the carrier is known to be of one', () => {
    const two = fixedIdentity({
      domain: 'd',
      connections: [
        { userName: 'a', password: 'p', numbers: ['+33123456789', '+34123456789', '+41123456789'] },
      ],
    });
    assert.equal(calledNumber(two, '0123456789', trunkHabit()), undefined);
    assert.equal(
      calledNumber(two, '0123456789', trunkHabit({ country: 'FR' }))?.entry.number,
      '+33123456789',
    );
    assert.equal(calledNumber(two, '33123456789', trunkHabit())?.entry.number, '+33123456789');
  });

  it('a carrier that is known to write national numbers, or E.164 digits, is read so', () => {
    assert.equal(called('3125550100', trunkHabit({ number_format: 'e164' })), undefined);
    assert.equal(
      called('030123456', trunkHabit({ number_format: 'national', country: 'DE' })),
      '+4930123456',
    );
    assert.equal(called('4930123456', trunkHabit({ number_format: 'national', country: 'US' })), undefined);
  });

  it('a user name of digits is dialled by its name', () => {
    const to = (text: string) => {
      const found = route(identity, text, { from: 'trunk' }, 0);
      return found.to === 'user' ? [found.user.name, found.dialled] : found.to;
    };
    assert.deepEqual(to('3125550100'), ['3125550100', 'name']);
    assert.deepEqual(to('13125550100'), ['line1', 'number']);
    assert.deepEqual(to('100'), ['line1', 'number']);
  });

  it('users write a number of ours as their country dials it', () => {
    const to = (text: string, country: string) =>
      route(identity, text, { from: 'user', accountId: 'default', habit: { country } }, 0).to;
    assert.equal(to('013125550100', 'GB'), 'nowhere');
    assert.equal(to('0013125550100', 'GB'), 'user');
    assert.equal(to('01113125550100', 'US'), 'user');
    assert.equal(to('02079460958', 'GB'), 'user');
    assert.equal(to('02079460958', 'US'), 'nowhere');
  });

  const caller = (written: string, calledAs: string, trunk = {}): string => {
    const habit = trunkHabit(trunk);
    return callerNumber(written, habit, calledNumber(identity, calledAs, habit));
  };

  for (const [calledAs, written, told] of [
    ['+13125550100', '+15550100200', '+15550100200'],
    ['13125550100', '15550100200', '+15550100200'],
    ['13125550100', '442079460000', '+442079460000'],
    ['13125550100', '4585550100', '+4585550100'],
    ['+13125550100', '15550100200', '+15550100200'],
    ['+13125550100', '4585550100', '+14585550100'],
    ['+13125550100', '442079460000', '+442079460000'],
    ['0013125550100', '00442079460000', '+442079460000'],
    ['01113125550100', '011442079460000', '+442079460000'],
    ['030123456', '0891234567', '+49891234567'],
    ['030123456', '00442079460000', '+442079460000'],
    ['+4930123456', '4989123456', '+4989123456'],
    ['+4930123456', '089123456', '+4989123456'],
    // Short codes, names and what is no number of a country stay.
    ['13125550100', '611', '611'],
    ['13125550100', '911911', '911911'],
    ['13125550100', 'anonymous', 'anonymous'],
    ['13125550100', '*67', '*67'],
    ['13125550100', '99999999999999', '99999999999999'],
  ] as const)
    it(`of a carrier that calls ${calledAs}, the caller ${written} is ${told}`, () =>
      assert.equal(caller(written, calledAs), told));

  it('a carrier may say how it writes callers', () => {
    assert.equal(caller('4585550100', '+13125550100', { number_format: 'e164' }), '+4585550100');
    assert.equal(
      caller('4585550100', '13125550100', { number_format: 'national', country: 'US' }),
      '+14585550100',
    );
  });
});

describe('numbers-that-are-none-pass-as-home', () => {
  for (const number of [
    '+101118765551234',
    '+10114470123456',
    '+118765551234',
    '+14420718387500',
    '+1312555019',
    '+131255501990',
    '+13120550199',
    '+390044207946095',
    '+78104420718',
    '+10125550199',
    '+12115550199',
    '+15555550199',
    '+19995550199',
    '+19005550199',
    '+4400442079460958',
    '+440011442079460958',
    '+4907911123456',
    '+330033123456789',
    '+33612345678901',
    '+8816123456789',
    '+870773111632',
    '+97912345678',
    '+80012345678',
    '+8835100012345',
    '+999123456789',
    '+210123456789',
  ])
    it(`${number} is of no country`, () => assert.equal(countryOf(number), NO_COUNTRY));

  for (const [number, country] of [
    ['+13125550199', 'US'],
    ['+18005550199', 'US'],
    ['+14165550199', 'CA'],
    ['+18765551234', 'JM'],
    ['+17875550199', 'PR'],
    ['+442079460958', 'GB'],
    ['+441534123456', 'JE'],
    ['+447797123456', 'JE'],
    ['+447624123456', 'IM'],
    ['+441481123456', 'GG'],
    ['+447911123456', 'GG'],
    ['+447400123456', 'GB'],
    ['+390612345678', 'IT'],
    ['+390669812345', 'VA'],
    ['+393123456789', 'IT'],
    ['+4930123456', 'DE'],
    ['+4915112345678', 'DE'],
    ['+33612345678', 'FR'],
    ['+77011234567', 'KZ'],
    ['+79161234567', 'RU'],
    ['+2250123456789', 'CI'],
    ['+262639123456', 'YT'],
    ['+262692123456', 'RE'],
    ['+5511961234567', 'BR'],
    ['+8613123456789', 'CN'],
    ['+85251234567', 'HK'],
    ['+6581234567', 'SG'],
    ['+61412345678', 'AU'],
    ['+35818123456', 'AX'],
    ['+4779123456', 'SJ'],
  ] as const)
    it(`${number} is of ${country}`, () => assert.equal(countryOf(number), country));

  /** Countries whose national numbers may begin with a 0. */
  const ZERO_INSIDE = new Set(['39', '378', '225', '229', '226', '227', '241', '242', '250', '992']);

  it('no number of a country is what is dialled before numbers, unless its plan has the 0 inside', () => {
    const codes = ['1', ...PLANS_OF.keys()];
    const prefix = fc.constantFrom('00', '000', '0011', '009', '0', '011', '010', '810', '119');
    fc.assert(
      fc.property(fc.constantFrom(...codes), prefix, digits(1, 12), (code, before, rest) => {
        const dialled: Readonly<Record<string, string>> = { '810': '7 375 993 998', '119': '53' };
        if (before in dialled && !dialled[before]!.split(' ').includes(code)) return;
        if (before.startsWith('0') && !`${before}${rest}`.startsWith('00') && ZERO_INSIDE.has(code)) return;
        assert.equal(countryOf(`+${code}${before}${rest}`), NO_COUNTRY);
      }),
      { numRuns: 5_000 },
    );
  });

  it('a North American number has ten digits behind the 1, and an area code in service', () => {
    fc.assert(
      fc.property(digits(6, 14), (rest) => {
        const country = countryOf(`+1${rest}`);
        const inService = /^\d{3}[2-9]\d{6}$/.test(rest) && AREA_CODES.has(rest.slice(0, 3));
        assert.equal(country !== NO_COUNTRY, inService);
      }),
    );
    for (const area of AREA_CODES.keys()) assert.match(area, /^[2-9](?!11)\d\d$/);
  });

  it('a number is of one country, which dials it by its code', () => {
    fc.assert(
      fc.property(digits(6, 14), (text) => {
        const number = `+${text}`;
        const country = countryOf(number);
        if (country === NO_COUNTRY) return;
        assert.ok(number.startsWith(`+${callingCodeOf(country)}`));
        assert.equal(homeOf(number), country);
      }),
    );
  });

  it('whatever is dialled, wherever: what comes out is +E.164 or nothing, and dialling that again changes nothing', () => {
    const countries = [
      ...new Set([...PLANS_OF.values()].flat().map(({ country }) => country)),
      'US',
      'CA',
      'JM',
    ];
    fc.assert(
      fc.property(
        fc.oneof(
          digits(1, 20),
          digits(1, 18).map((d) => `+${d}`),
          digits(1, 16).map((d) => `00${d}`),
        ),
        fc.constantFrom(...countries),
        (dialled, country) => {
          const number = e164Of(dialled, country);
          if (number === undefined) return;
          assert.match(number, /^\+[1-9]\d{6,14}$/);
          assert.equal(e164Of(number, country), number);
          if (dialled.startsWith('+')) assert.equal(number, dialled);
        },
      ),
    );
  });

  it('the tables hold what they say: codes free of prefixes, ranges that are some, every country once a code', () => {
    const codes = ['1', ...PLANS_OF.keys()];
    for (const code of codes)
      assert.deepEqual(
        codes.filter((other) => other.startsWith(code)),
        [code],
      );
    const codeOf = new Map<string, string>();
    for (const [code, plans] of PLANS_OF)
      for (const { country, lengths } of plans) {
        assert.match(country, /^[A-Z]{2}$/);
        assert.ok(lengths[0] <= lengths[1] && code.length + lengths[1] <= 15, `${country} ${code}`);
        assert.equal(codeOf.get(country) ?? code, code);
        codeOf.set(country, code);
      }
    assert.ok(codeOf.size + new Set(AREA_CODES.values()).size > 225);
  });
});

describe('reading numbers', () => {
  it('is total, and what is read is a number that reads as itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: fc.constantFrom(...'+0123(); -=tel:phonecxt.') }),
        ),
        (text) => {
          const number = readNumber(text);
          if (number === undefined) return;
          assert.ok(isNumber(number));
          assert.equal(readNumber(number), number);
          assert.equal(canonicalNumber(text), number);
        },
      ),
    );
  });
});
