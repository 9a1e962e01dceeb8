import type { Random } from '@sidetone/core';
import { createProxy, type SipProxy } from '@sidetone/proxy';
import { createVoice, type Voice } from '@sidetone/voice';
import { createVsp, type Vsp } from '@sidetone/vsp';
import { createWebhooks, type Webhooks } from '@sidetone/webhooks';
import type { Identity } from '@sidetone/wire';
import { EPOCH, type World } from './world.ts';

/** Our own address on the simulated network. */
export const HOUSE = { host: '192.0.2.1', port: 5060 };

/** What one life of the signalling process is made of. */
export interface Services {
  readonly vsp: Vsp;
  readonly voice: Voice;
  readonly proxy: SipProxy;
  readonly webhooks: Webhooks;
}

interface Around {
  readonly world: World;
  readonly random: Random;
  readonly identity: Identity;
}

export function createServices({ world, random, identity }: Around, nonceSecret: Uint8Array): Services {
  const epoch = (): number => EPOCH + Math.round(world.now);
  const vsp = createVsp({
    random,
    epoch,
    domain: identity.domain,
    region: 'sim',
    dc: 'sim',
    keepMs: 120_000,
  });
  const voice = createVoice({
    random,
    epoch,
    identity: () => identity,
    publicAddress: { hosts: [HOUSE.host], port: HOUSE.port },
    ringMs: 90_000,
    limits: { calls: 500, callsPerUser: 100, mediaPorts: 10_000 },
  });
  const proxy = createProxy({
    random,
    epoch,
    identity: () => identity,
    address: { hosts: [HOUSE.host], udp: HOUSE.port },
    digest: ['MD5'],
    nonceSecret,
  });
  const webhooks = createWebhooks({ epoch });
  return { vsp, voice, proxy, webhooks };
}
