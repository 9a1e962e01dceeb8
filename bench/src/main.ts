import { conditions } from './conditions.ts';

/** `npm run bench [NAME …]`: side-by-side measurements, printed with their conditions. Nothing here is asserted. */
const BENCHES: Readonly<
  Record<string, () => Promise<{ run: (print: (line: string) => void) => Promise<void> }>>
> = {
  'sip-parse': () => import('./sip-parse.ts'),
  srtp: () => import('./srtp.ts'),
  relay: () => import('./relay.ts'),
  conference: () => import('./conference.ts'),
  streams: () => import('./streams.ts'),
  recording: () => import('./recording.ts'),
  latency: () => import('./latency.ts'),
  setup: () => import('./setup.ts'),
  registrar: () => import('./registrar.ts'),
  overload: () => import('./overload.ts'),
  identity: () => import('./identity.ts'),
  commands: () => import('./commands.ts'),
  webhooks: () => import('./webhooks.ts'),
  'sdk-size': () => import('./sdk-size.ts'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 1;
} else {
  console.log(`conditions: ${conditions()}`);
  for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
    console.log(`\n== ${name}`);
    await (await BENCHES[name]!()).run((line) => console.log(line));
  }
}
