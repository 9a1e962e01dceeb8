import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRequest, parseNameAddr } from '@sidetone/sip';
import { callerOf } from '../src/from-sip.ts';

const caller = (from: string, asserted?: string) => {
  const parsed = parseNameAddr(from);
  assert.ok(parsed.ok, from);
  const { uri } = parsed.value;
  return callerOf(
    createRequest({
      method: 'INVITE',
      uri,
      from: parsed.value,
      to: { uri, params: {} },
      callId: 'c',
      cseq: 1,
      headers: asserted === undefined ? [] : [['P-Asserted-Identity', asserted]],
    }),
  );
};

test('tel-uri, number-parameters-in-the-user-part: the caller is a number, whatever URI it stands in', () => {
  for (const [from, asserted] of [
    ['"Ann" <sip:+15550100200@h>'],
    ['"Ann" <sip:+15550100200;cpc=ordinary@h;user=phone>'],
    ['"Ann" <tel:+1-555-010-0200;verstat=TN-Validation-Passed>'],
    ['"Ann" <sip:h>', '<tel:+15550100200>'],
    ['"Ann" <sip:h>', '"A" <sip:+15550100200;npdi@h>'],
    ['"Ann" <sip:h>', 'tel:+15550100200'],
  ] as const)
    assert.deepEqual(caller(from, asserted), { name: 'Ann', number: '+15550100200' }, from);
  assert.deepEqual(caller('<sip:h>', 'no address at all <'), { name: 'anonymous', number: 'anonymous' });
  assert.deepEqual(caller('<sip:h>'), { name: 'anonymous', number: 'anonymous' });
  assert.deepEqual(caller('<sip:line2@h>'), { name: 'line2', number: 'line2' });
});
