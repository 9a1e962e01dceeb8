import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MOST_TEXT, readSsml, speakable } from '../src/sounds/speech/ssml.ts';
import { espeakVoice, voiceOf } from '../src/sounds/speech/voices.ts';

describe('voices', () => {
  const table: readonly (readonly [voice: string, language: string | undefined, espeak: string])[] = [
    ['female', undefined, 'en-us+f3'],
    ['male', undefined, 'en-us+m3'],
    ['alice', 'en-GB', 'en-gb+f3'],
    ['man', 'de-DE', 'de+m3'],
    ['WOMAN', 'pt_BR', 'pt-br+f3'],
    ['female', 'es-MX', 'es-419+f3'],
    ['female', 'es-ES', 'es+f3'],
    ['female', 'fr-CA', 'fr-fr+f3'],
    ['female', 'zh-CN', 'cmn+f3'],
    ['female', 'arb', 'ar+f3'],
    ['female', 'xx-YY', 'en-us+f3'],
    ['female', '; rm -rf /', 'en-us+f3'],
    ['Polly.Joanna', undefined, 'en-us+f3'],
    // As published: a language beside a voice of Polly is ignored.
    ['Polly.Joanna', 'fr-FR', 'en-us+f3'],
    ['AWS.Polly.Joanna-Neural', undefined, 'en-us+f3'],
    ['Polly.Matthew-Neural', undefined, 'en-us+m3'],
    ['Polly.Léa', undefined, 'fr-fr+f3'],
    ['polly.hans', 'en-US', 'de+m3'],
    ['Polly.Vitória', undefined, 'pt-br+f3'],
    ['Polly.Zhiyu', undefined, 'cmn+f3'],
    ['Polly.Liv', undefined, 'nb+f3'],
    ['Azure.en-US-JennyNeural', undefined, 'en-us+f3'],
    ['Azure.en-US-GuyNeural', 'de-DE', 'en-us+m3'],
    ['Azure.en-GB-RyanMultilingualNeural', undefined, 'en-gb+m3'],
    ['Azure.es-MX-JorgeNeural', undefined, 'es-419+m3'],
    ['Google.en-US-Wavenet-D', undefined, 'en-us+f3'],
    ['Google.cmn-CN-Standard-A', undefined, 'cmn+f3'],
    ['Telnyx.KokoroTTS.af', undefined, 'en-us+f3'],
    ['Telnyx.KokoroTTS.bm_george', undefined, 'en-gb+m3'],
    ['ElevenLabs.Default.21m00Tcm4TlvDq8ikWAM', 'it', 'it+f3'],
    ['Joanna', 'de-DE', 'de+f3'],
    ['some-id-of-nobody', undefined, 'en-us+f3'],
    ['', undefined, 'en-us+f3'],
    ['__proto__', 'constructor', 'en-us+f3'],
  ];
  for (const [voice, language, espeak] of table)
    it(`${voice || '(none)'}, ${language ?? 'no language'} speaks as ${espeak}`, () => {
      const found = voiceOf(voice, language);
      assert.equal(espeakVoice(found), espeak);
      assert.equal(found.name, voice);
    });

  it('any text is a voice, in bounded time', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 400, unit: 'binary' }),
        fc.option(fc.string(), { nil: undefined }),
        (v, l) => {
          assert.match(espeakVoice(voiceOf(v, l)), /^[a-z]{2,4}(-[a-z0-9]{2,3})?\+[fm]3$/);
        },
      ),
    );
    const began = performance.now();
    for (const evil of ['a.'.repeat(1e5), 'en-us-'.repeat(1e5), '-'.repeat(1e5)]) voiceOf(evil, evil);
    assert.ok(performance.now() - began < 1000);
  });

  const here = (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, 'espeak-ng')));
  it(
    'espeak-ng has every voice that we name',
    here ? {} : { skip: 'espeak-ng is not installed (npm run peers)' },
    () => {
      const named = new Set(table.map(([voice, language]) => espeakVoice(voiceOf(voice, language))));
      for (const code of [
        'af',
        'be',
        'ca',
        'el',
        'fa',
        'he',
        'hi',
        'ja',
        'ko',
        'ru',
        'sv',
        'tr',
        'uk',
        'vi',
        'yue',
        'fr-be',
        'no',
      ])
        named.add(espeakVoice({ name: '', language: code, gender: 'male' }));
      // Exit status 1 when it does not exist.
      for (const voice of named)
        execFileSync('espeak-ng', ['--stdin', '--stdout', '-b', '1', '-v', voice], {
          input: 'a',
          stdio: 'pipe',
        });
      assert.ok(named.size > 25);
    },
  );
});

describe('SSML', () => {
  const table: readonly (readonly [what: string, source: string, ssml: string, text?: string])[] = [
    ['words', 'Hello', 'Hello', 'Hello'],
    ['the elements', '<speak><p><s>One</s></p></speak>', '<p><s>One</s></p>', 'One'],
    ['a pause', 'a<break time="1.5s"/>b', 'a<break time="1500ms"/>b', 'a b'],
    [
      'a pause of an hour',
      '<break time="3600s" strength="strong"></break>',
      '<break time="10000ms" strength="strong"/>',
    ],
    ['a pause of nonsense', '<break time="-1s"/>', '<break/>'],
    [
      'prosody',
      '<prosody rate="slow" pitch="+10%" volume="x-loud">a</prosody>',
      '<prosody rate="slow" pitch="+10%" volume="x-loud">a</prosody>',
    ],
    [
      'say-as',
      '<say-as interpret-as="telephone" x="y">555</say-as>',
      '<say-as interpret-as="telephone">555</say-as>',
      '555',
    ],
    ['sub', "<sub alias='World &amp; Co'>W</sub>", '<sub alias="World &amp; Co">W</sub>', 'W'],
    ['files', '<audio src="file:///etc/passwd">gone</audio><mark name="x"/>', 'gone', 'gone'],
    [
      'voices of others',
      '<voice name="x"><amazon:effect name="whispered">psst</amazon:effect></voice>',
      'psst',
      'psst',
    ],
    [
      'entities',
      '&lt;b&gt; &#65;&#x42; &amp; &unknown; &#0;',
      '&lt;b&gt; AB &amp; &amp;unknown;  ',
      '<b> AB & &unknown;',
    ],
    ['a DTD', '<!DOCTYPE s [<!ENTITY a "b">]>x', ']&gt;x'],
    ['a comment, CDATA, an instruction', 'a<!-- <break/> --><![CDATA[<b>]]><?x y?>c', 'a&lt;b&gt;c', 'a<b>c'],
    [
      'what is not closed',
      '<p><emphasis level="strong">a',
      '<p><emphasis level="strong">a</emphasis></p>',
      'a',
    ],
    ['what was not open', 'a</p></speak>b', 'ab', 'a b'],
    ['crossed', '<p><s>a</p>b</s>', '<p><s>a</s></p>b'],
    ['signs', '1 < 2 & 3 > 2', '1 &lt; 2 &amp; 3 &gt; 2', '1 < 2 & 3 > 2'],
    ['attributes without end', '<p a="', '&lt;p a=&quot;'],
    ['commands to espeak-ng', 'a\u0001+10Sb\u0000c', 'a +10Sb c', 'a +10Sb c'],
    [
      'an attribute twice',
      '<prosody rate="slow" rate="fast">a</prosody>',
      '<prosody rate="slow">a</prosody>',
    ],
    [
      'attributes that break out',
      '<say-as interpret-as="x&quot;/&gt;&lt;audio src=&quot;y">a</say-as>',
      '<say-as>a</say-as>',
    ],
  ];
  for (const [what, source, ssml, text] of table)
    it(what, () => {
      const read = readSsml(source);
      assert.equal(read.ssml, `<speak>${ssml}</speak>`);
      if (text !== undefined) assert.equal(read.text, text);
    });

  const pieces = fc.constantFrom(
    '<speak>',
    '</speak>',
    '<p>',
    '</p>',
    '<break time="2s"/>',
    '<prosody rate="slow">',
    '</prosody>',
    '<audio src="x"/>',
    '<sub alias="a<b">',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '<!',
    '>',
    '<',
    '&',
    '&amp;',
    '&#x1F600;',
    '"',
    "'",
    'word',
    ' ',
    '\u0001',
    '/>',
    '<__proto__>',
  );

  it('whatever comes, what leaves is well-formed and of the elements that are let through', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 60 }), (parts) => {
        const { ssml, text } = readSsml(parts.join(''));
        const open: string[] = [];
        const rest = ssml.replace(
          /<(\/?)([a-z-]+)((?: [a-z-]+="[^"<>]*")*)(\/?)>/g,
          (_, end, name, _attributes, empty) => {
            assert.ok(
              ['speak', 'p', 's', 'break', 'prosody', 'emphasis', 'say-as', 'sub', 'phoneme'].includes(name),
            );
            if (end === '/') assert.equal(open.pop(), name);
            else if (empty === '') open.push(name);
            return '';
          },
        );
        assert.deepEqual(open, []);
        assert.doesNotMatch(rest, /[<>]|&(?!(amp|lt|gt|quot);)/);
        assert.equal(speakable(text), text);
        // Reading it again changes nothing.
        assert.equal(readSsml(ssml).ssml, ssml);
      }),
      { numRuns: 3000 },
    );
  });

  it('is bounded in size, depth and time', () => {
    assert.throws(() => readSsml('x'.repeat(MOST_TEXT + 1)), { why: 'too-large' });
    const deep = readSsml('<p>'.repeat(6000)).ssml;
    assert.equal(deep.match(/<p>/g)?.length, 32);
    const began = performance.now();
    for (const evil of ['<', '<!', '<p a="', '</p', '&', "<p a='", '<p ', '<![CDATA[', '<?', '<p a = ']) {
      readSsml(evil.repeat(Math.floor(MOST_TEXT / evil.length)));
      readSsml(`<p${' a="b"'.repeat(3000)}`);
    }
    assert.ok(performance.now() - began < 5000, `${performance.now() - began}`);
  });
});
