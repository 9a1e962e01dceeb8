import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MachineDetectionAsk } from '@sidetone/wire';
import { bench, carrierAnswers, ok } from './command-rig.ts';

const ASK: MachineDetectionAsk = {
  mode: 'detect',
  totalMs: 5_000,
  initialSilenceMs: 3_500,
  greetingMs: 1_500,
  afterGreetingSilenceMs: 800,
  maxWords: 5,
  greetingTotalMs: 50_000,
  greetingSilenceMs: 2_000,
};

/** What the callee sounds like, and how long each lasts in ms, from its answer on. */
type Sound = readonly ['speech' | 'silence' | 'beep', number];

function detect(mode: MachineDetectionAsk['mode'], sounds: readonly Sound[], restartAt = -1): string[] {
  const b = bench();
  const leg = ok(b, {
    type: 'dial',
    account: 'default',
    connection: '1900',
    to: ['+15550100'],
    from: '+13125550100',
    detect: { ...ASK, mode },
  })!;
  carrierAnswers(b);
  assert.deepEqual(
    b.media.flatMap((c) => (c.op === 'listen' ? [c.on] : [])),
    [true],
  );
  for (const [i, [what, ms]] of sounds.entries()) {
    if (i === restartAt) b.restart();
    b.tell({ type: 'mediaEvent', event: { event: 'heard', leg: leg.leg, n: i + 1, what, ms: 0 } });
    b.advance(ms);
  }
  const told = b.news.flatMap(({ what }) => ('result' in what ? [`${what.type} ${what.result}`] : []));
  ok(b, { type: 'hangup', account: 'default', control: leg.control });
  b.advance(700_000);
  assert.equal(b.voice.deadline(), null);
  assert.equal(b.journal.size, 0);
  return told;
}

const HELLO: readonly Sound[] = [
  ['silence', 400],
  ['speech', 600],
  ['silence', 1_000],
];
const GREETING: readonly Sound[] = [
  ['speech', 2_000],
  ['silence', 300],
  ['speech', 3_000],
];

describe('who has answered', () => {
  const rows: readonly [
    name: string,
    mode: MachineDetectionAsk['mode'],
    sounds: readonly Sound[],
    told: string[],
  ][] = [
    ['a person', 'detect', HELLO, ['machineDetected human']],
    ['a machine that speaks on', 'detect', GREETING, ['machineDetected machine']],
    ['nobody says anything', 'detect', [['silence', 6_000]], ['machineDetected machine']],
    [
      'many words with short pauses',
      'detect',
      Array.from(
        { length: 7 },
        () =>
          [
            ['speech', 300],
            ['silence', 200],
          ] as const,
      ).flat(),
      ['machineDetected machine'],
    ],
    [
      'a few words, again and again',
      'detect',
      [
        ['silence', 3_000],
        ['speech', 1_400],
        ['silence', 700],
        ['speech', 200],
      ],
      ['machineDetected not_sure'],
    ],
    ['no greeting is waited for after a person', 'greeting_end', HELLO, ['machineDetected human']],
    [
      'the end of the greeting: a beep',
      'greeting_end',
      [...GREETING, ['beep', 300]],
      ['machineDetected machine', 'greetingEnded beep_detected'],
    ],
    [
      'the end of the greeting: a pause',
      'greeting_end',
      [...GREETING, ['silence', 2_500]],
      ['machineDetected machine', 'greetingEnded ended'],
    ],
    [
      'a beep behind a pause, where a beep is waited for',
      'detect_beep',
      [...GREETING, ['silence', 2_500], ['beep', 300]],
      ['machineDetected machine', 'greetingEnded beep_detected'],
    ],
    [
      'no beep ever',
      'detect_beep',
      [...GREETING, ['silence', 60_000]],
      ['machineDetected machine', 'greetingEnded not_sure'],
    ],
    ['premium: a person', 'premium', HELLO, ['premiumMachineDetected human_residence']],
    [
      'premium: silence',
      'premium',
      [['silence', 60_000]],
      ['premiumMachineDetected silence', 'premiumGreetingEnded no_beep_detected'],
    ],
    [
      'premium: a beep',
      'premium',
      [...GREETING, ['beep', 100]],
      ['premiumMachineDetected machine', 'premiumGreetingEnded beep_detected'],
    ],
  ];
  for (const [name, mode, sounds, told] of rows) it(name, () => assert.deepEqual(detect(mode, sounds), told));

  it('goes on after the death of the process', () => {
    assert.deepEqual(detect('greeting_end', [...GREETING, ['beep', 300]], 3), [
      'machineDetected machine',
      'greetingEnded beep_detected',
    ]);
    assert.deepEqual(detect('detect', HELLO, 2), ['machineDetected human']);
  });
});
