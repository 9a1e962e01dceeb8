import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleaned, duration, type Ending, endingInWords, nameOf } from '../src/words.ts';

const out = { direction: 'outbound', answered: false, byUs: false } as const;
const inb = { direction: 'inbound', answered: false, byUs: false } as const;

const ENDINGS: readonly (readonly [Ending, string])[] = [
  [{ ...out, answered: true, byUs: true, cause: 'NORMAL_CLEARING' }, 'You hung up.'],
  [{ ...out, answered: true, cause: 'NORMAL_CLEARING' }, 'The other side hung up.'],
  [{ ...out, byUs: true, cause: 'ORIGINATOR_CANCEL' }, 'You ended the call before it was answered.'],
  [{ ...inb, byUs: true, cause: 'CALL_REJECTED' }, 'You declined the call.'],
  [{ ...inb, cause: 'ORIGINATOR_CANCEL' }, 'The caller gave up.'],
  [{ ...inb, cause: 'LOSE_RACE' }, 'It was answered on another device.'],
  [{ ...out, cause: 'USER_BUSY', sipCode: 486 }, 'The line is busy.'],
  [{ ...out, cause: 'CALL_REJECTED', sipCode: 403 }, 'This call is not allowed.'],
  [{ ...out, cause: 'CALL_REJECTED', sipCode: 603 }, 'The call was declined.'],
  [{ ...out, cause: 'UNALLOCATED_NUMBER', sipCode: 404 }, 'This number or user does not exist.'],
  [{ ...out, cause: 'SOMETHING', sipCode: 503 }, 'The other network has a problem. Try again in a moment.'],
  [{ ...out, answered: true, cause: 'MEDIA_TIMEOUT' }, 'No more sound arrived, so the call was ended.'],
  [
    { ...out, error: 42001, cause: 'NO_USER_RESPONSE', byUs: false },
    'Sidetone may not use your microphone. Allow it in the browser, then call again.',
  ],
  [{ ...out, cause: 'SOMETHING', sipCode: 499 }, 'The call ended (SOMETHING, 499).'],
  [out, 'The call ended.'],
];

for (const [ending, sentence] of ENDINGS)
  test(`${JSON.stringify(ending)}: ${sentence}`, () => assert.equal(endingInWords(ending), sentence));

test('every ending is one sentence', () => {
  fc.assert(
    fc.property(
      fc.record({
        direction: fc.constantFrom('inbound' as const, 'outbound' as const),
        answered: fc.boolean(),
        byUs: fc.boolean(),
        cause: fc.option(fc.string(), { nil: undefined }),
        sipCode: fc.option(fc.integer({ min: 200, max: 699 }), { nil: undefined }),
      }),
      (ending) => assert.match(endingInWords(ending), /\.$/),
    ),
  );
});

test('durations', () => {
  assert.deepEqual([0, 7.9, 754, 3723, -1].map(duration), ['0:00', '0:07', '12:34', '1:02:03', '0:00']);
});

test('names: a service, a person, or the number', () => {
  assert.equal(nameOf('9196', 'Outbound Call'), 'Echo');
  assert.equal(nameOf('+13125550100', 'Bob'), 'Bob');
  assert.equal(nameOf('+13125550100', 'Outbound Call'), '+13125550100');
  assert.equal(nameOf('sip:line2@sip.localhost', undefined), 'line2');
  assert.equal(nameOf('', ''), 'Unknown caller');
});

test('numbers lose their ornament, names keep theirs', () => {
  assert.equal(cleaned(' +1 (312) 555-01.00 '), '+13125550100');
  assert.equal(cleaned('jane.doe-2@sip.localhost'), 'jane.doe-2@sip.localhost');
  assert.equal(cleaned('*72#'), '*72#');
});
