/**
 * Any voice name speaks: what is told of language and gender is used, the rest is the default. Named voices of the vendors have a language
 * of their own, which comes before the one of the command (as published for Polly).
 */

export interface Voice {
  /** As the application wrote it. */
  readonly name: string;
  /** BCP 47, lower case. */
  readonly language: string;
  readonly gender: 'female' | 'male';
}

const DEFAULT_LANGUAGE = 'en-us';
const MOST_NAME = 256;

const GENERIC: Readonly<Record<string, Voice['gender']>> = {
  female: 'female',
  woman: 'female',
  alice: 'female',
  male: 'male',
  man: 'male',
};

/** Voices by their first names, without marks above letters: those of Polly with their language. */
const POLLY: Readonly<Record<string, readonly [female: string, male: string]>> = {
  'en-us': [
    'joanna salli kimberly kendra ivy ruth danielle',
    'matthew joey justin kevin stephen gregory patrick',
  ],
  'en-gb': ['amy emma', 'brian arthur'],
  'en-gb-wls': ['', 'geraint'],
  'en-au': ['nicole olivia', 'russell'],
  'en-in': ['raveena aditi kajal', ''],
  'en-ie': ['niamh', ''],
  'en-nz': ['aria', ''],
  'en-za': ['ayanda', ''],
  'fr-fr': ['lea celine', 'mathieu remi'],
  'fr-ca': ['chantal gabrielle', 'liam'],
  'fr-be': ['isabelle', ''],
  'de-de': ['vicki marlene', 'hans daniel'],
  'de-at': ['hannah', ''],
  'de-ch': ['sabrina', ''],
  'es-es': ['conchita lucia', 'enrique sergio'],
  'es-mx': ['mia', 'andres'],
  'es-us': ['lupe penelope', 'miguel pedro'],
  'it-it': ['carla bianca', 'giorgio adriano'],
  'pt-br': ['camila vitoria', 'ricardo thiago'],
  'pt-pt': ['ines', 'cristiano'],
  'nl-nl': ['lotte laura', 'ruben'],
  'nl-be': ['lisa', ''],
  'ru-ru': ['tatyana', 'maxim'],
  'pl-pl': ['maja ewa ola', 'jacek jan'],
  'tr-tr': ['filiz burcu', ''],
  'sv-se': ['astrid elin', ''],
  'nb-no': ['liv ida', ''],
  'da-dk': ['naja sofie', 'mads'],
  'is-is': ['dora', 'karl'],
  'cy-gb': ['gwyneth', ''],
  'ro-ro': ['carmen', ''],
  'fi-fi': ['suvi', ''],
  'ca-es': ['arlet', ''],
  'cs-cz': ['jitka', ''],
  'ja-jp': ['mizuki kazuha tomoko', 'takumi'],
  'ko-kr': ['seoyeon jihye', ''],
  'cmn-cn': ['zhiyu', ''],
  'yue-cn': ['hiujin', ''],
  arb: ['zeina', ''],
  'ar-ae': ['hala', 'zayd'],
};

/** Others that are named after a locale (`en-US-GuyNeural`); women are the default, so only men are listed. */
const MEN = new Set(
  (
    'guy davis tony jason eric roger steffan christopher brandon andrew brian jacob adam ryan thomas alfie elliot ethan noah oliver ' +
    'william darren duncan ken neil tim liam prabhat arjun connor mitchell luke wayne james henri alain claude jerome yves antoine jean ' +
    'thierry gerard conrad bernd christoph florian kasper killian klaus ralf jonas jan alvaro arnau dario elias nil saul teo jorge ' +
    'cecilio gerardo liberto luciano pelayo yago alonso diego benigno calimero cataldo fabiano gianni lisandro rinaldo antonio donato ' +
    'fabio humberto julio nicolau valerio duarte maarten arnaud dmitry marek ahmet mattias finn jeppe harri antonin keita naoki daichi ' +
    'yunxi yunyang yunjian yunfeng injoon bongjin gookmin hamed fahed madhur ostap ardi pattara namminh avri nestoras emil lukas'
  ).split(' '),
);

interface Known {
  readonly language: string;
  readonly gender: Voice['gender'];
}

const NAMES: ReadonlyMap<string, Known> = new Map(
  Object.entries(POLLY).flatMap(([language, [women, men]]) => [
    ...words(women).map((name): [string, Known] => [name, { language, gender: 'female' }]),
    ...words(men).map((name): [string, Known] => [name, { language, gender: 'male' }]),
  ]),
);

function words(list: string): string[] {
  return list === '' ? [] : list.split(' ');
}

/** @param voice any text @param language any text, or none */
export function voiceOf(voice: string, language?: string): Voice {
  const name = voice.slice(0, MOST_NAME);
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const asked = localeOf(language ?? '');
  const generic = of(GENERIC, plain.trim());
  if (generic !== undefined) return { name, language: asked ?? DEFAULT_LANGUAGE, gender: generic };
  // `azure.en-us-jennyneural`, `google.en-us-wavenet-d`: the locale is in the name.
  const located = /(?:^|[.:/\s])([a-z]{2,3}-(?:[a-z]{4}-)?(?:[a-z]{2}|\d{3}))(?:-|$)([a-z]*)/.exec(plain);
  if (located !== null) {
    const first = located[2]!.replace(/(multilingual)?(turbo)?neural.*$/, '');
    const male = MEN.has(first) || NAMES.get(first)?.gender === 'male';
    return { name, language: located[1]!, gender: male ? 'male' : 'female' };
  }
  // Kokoro: `af_heart`, `bm`: American or British, female or male.
  const kokoro = /(?:^|kokoro\w*\.)([abefhijpz])([fm])(?:_|$)/.exec(plain);
  if (kokoro !== null)
    return {
      name,
      language: of(KOKORO, kokoro[1]!) ?? DEFAULT_LANGUAGE,
      gender: kokoro[2] === 'm' ? 'male' : 'female',
    };
  // `polly.joanna`, `aws.polly.joanna-neural`, `joanna`.
  for (const word of plain.split(/[^a-z]+/)) {
    const known = NAMES.get(word);
    if (known === undefined) continue;
    const own = /polly/.test(plain) ? known.language : (asked ?? known.language);
    return { name, language: own, gender: known.gender };
  }
  const male =
    /(?:^|[^a-z])(?:male|man)(?:[^a-z]|$)/.test(plain) || plain.split(/[^a-z]+/).some((w) => MEN.has(w));
  return { name, language: asked ?? DEFAULT_LANGUAGE, gender: male ? 'male' : 'female' };
}

const KOKORO: Readonly<Record<string, string>> = {
  a: 'en-us',
  b: 'en-gb',
  e: 'es-es',
  f: 'fr-fr',
  h: 'hi-in',
  i: 'it-it',
  j: 'ja-jp',
  p: 'pt-br',
  z: 'cmn-cn',
};

/** What a table itself says; names such as `__proto__` are nobody's voice. */
const of = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

const localeOf = (language: string): string | undefined =>
  /^[a-z]{2,3}([-_][a-z0-9]{2,8}){0,3}$/i.test(language.trim())
    ? language.trim().toLowerCase().replace(/_/g, '-')
    : undefined;

/** Voices of espeak-ng 1.51 that are a language alone. */
const ESPEAK = new Set(
  (
    'af am an ar as az ba be bg bn bs ca cmn cs cv cy da de el eo es et eu fa fi ga gd gn gu he hi hr ht hu hy ia id is it ja ka kk kl kn ko ' +
    'ku ky la lb lt lv mi mk ml mr ms mt my nb ne nl om or pa pl pt ro ru sd si sk sl sq sr sv sw ta te th tk tn tr tt ug uk ur uz vi yue'
  ).split(' '),
);
/** By the whole locale, or by the language alone. */
const ESPEAK_LOCALES: Readonly<Record<string, string>> = {
  'en-us': 'en-us',
  'en-ca': 'en-us',
  'en-gb': 'en-gb',
  'en-gb-wls': 'en-gb',
  'en-au': 'en-gb',
  'en-nz': 'en-gb',
  'en-ie': 'en-gb',
  'en-in': 'en-gb',
  'en-za': 'en-gb',
  'en-029': 'en-029',
  'pt-br': 'pt-br',
  'fr-be': 'fr-be',
  'fr-ch': 'fr-ch',
  'es-es': 'es',
  'zh-hk': 'yue',
  en: 'en-us',
  fr: 'fr-fr',
  zh: 'cmn',
  no: 'nb',
  nn: 'nb',
  arb: 'ar',
  tl: 'en-us',
  iw: 'he',
  in: 'id',
};
const SPANISH_OF_AMERICA = /^es-(419|ar|bo|cl|co|cr|cu|do|ec|gt|hn|mx|ni|pa|pe|pr|py|sv|us|uy|ve)$/;

/** How espeak-ng calls it; languages that it does not have are spoken as the default. */
export function espeakVoice({ language, gender }: Voice): string {
  const main = language.split('-', 1)[0]!;
  const found =
    of(ESPEAK_LOCALES, language) ??
    (SPANISH_OF_AMERICA.test(language) ? 'es-419' : undefined) ??
    of(ESPEAK_LOCALES, main) ??
    (ESPEAK.has(main) ? main : DEFAULT_LANGUAGE);
  return `${found}+${gender === 'female' ? 'f3' : 'm3'}`;
}
