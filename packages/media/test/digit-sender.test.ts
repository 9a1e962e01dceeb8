import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DigitSender } from '../src/digit-sender.ts';

function run(sender: DigitSender, ticks: number): string[] {
  const out: string[] = [];
  for (let i = 0; i < ticks; i++) {
    const suppressed = sender.tick((digit, elapsed, first, end) =>
      out.push(`${digit}${elapsed}${first ? ' first' : ''}${end ? ' end' : ''}`),
    );
    if (!suppressed) out.push('-');
  }
  return out;
}

describe('digit sender', () => {
  it('sends growing updates, the end three times, and a gap', () => {
    const sender = new DigitSender();
    sender.add('5', 60, 100);
    sender.add('#', 40, 60);
    assert.deepEqual(run(sender, 14), [
      '520 first',
      '540',
      '560 end',
      '560 end',
      '560 end',
      '-',
      '-',
      '-',
      '#20 first',
      '#40 end',
      '#40 end',
      '#40 end',
      '-',
      '-',
    ]);
    assert.deepEqual(run(sender, 3), ['-', '-', '-']);
  });

  it('bounds durations and the queue', () => {
    const sender = new DigitSender();
    sender.add('1', 1, 1);
    assert.equal(run(sender, 2)[1], '140 end');
    let taken = 0;
    while (sender.add('1', 100, 100)) taken++;
    assert.equal(taken, 128);
  });
});
