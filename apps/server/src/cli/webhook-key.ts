import { activateWebhookKey, loadSecrets, prepareWebhookKey } from '../identity/secrets.ts';
import { createSigner } from '../webhooks/signer.ts';
import { dataFolder } from './data-folder.ts';
import { fail } from './fail.ts';

/**
 * `sidetone webhook key [rotate|activate]`: the keys that webhooks are signed by. Receivers learn the next one before it signs, so that
 * none is refused: `rotate`, tell it to them, `activate`, restart or handover, take the old one away from them.
 */
export function webhookKey(options: { readonly verb: string | undefined; readonly data: string }): void {
  const { verb } = options;
  const dataDir = dataFolder(options.data);
  if (dataDir === undefined) return;
  try {
    if (verb === 'rotate') prepareWebhookKey(dataDir);
    else if (verb === 'activate') {
      if (!activateWebhookKey(dataDir))
        return fail('no key waits; "sidetone webhook key rotate" makes the next one');
    } else if (verb !== undefined)
      return fail(`cannot make sense of "webhook key ${verb}"; see "sidetone --help"`);
    process.stdout.write(linesOf(dataDir).join(''));
  } catch (error) {
    fail((error as Error).message);
  }
}

function linesOf(dataDir: string): string[] {
  const { signing, next, previous } = loadSecrets(dataDir).webhookKeys;
  const line = (seed: Uint8Array | undefined, what: string): string[] =>
    seed === undefined ? [] : [`${createSigner(seed).publicKey}  ${what}\n`];
  return [
    ...line(signing, 'signs, from the next start or handover on if it was activated since the last'),
    ...line(next, 'next: tell it to your receivers, then "sidetone webhook key activate"'),
    ...line(previous, 'before'),
  ];
}
