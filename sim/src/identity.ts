import type { Identity } from '@sidetone/wire';
import { fixedIdentity } from '@sidetone/wire/testing';
import { CARRIER } from './carrier.ts';
import { APPLICATION, isProgrammed, type Kind } from './habits.ts';

const WEBHOOK = { url: 'https://app.test/', failoverUrl: null, apiVersion: '2', timeoutSecs: null } as const;

/** @param told users of which connections a back end is told of; the first one's calls are parked where it is asked. */
export const identityOf = (
  ringAll: boolean,
  kind: Kind,
  told: readonly boolean[],
  patience: number | null,
): Identity =>
  fixedIdentity({
    domain: 'sip.test',
    connections: ['line1', 'line2'].map((userName, i) => ({
      userName,
      password: `password-${i + 1}`,
      numbers: [`+1312555010${i}`],
      simultaneousRinging: ringAll,
      parking: i === 0 && kind === 'client to back end',
      ringback: told[2] === true ? 'tone' : 'ringing',
      webhook: told[i] === true || (i === 0 && isProgrammed(kind)) ? WEBHOOK : null,
    })),
    applications: [
      {
        id: APPLICATION.id,
        accountId: 'default',
        name: 'app',
        active: true,
        webhook: WEBHOOK,
        firstCommandSecs: patience,
        subdomain: null,
        profileId: null,
        inboundChannelLimit: null,
        outboundChannelLimit: null,
        numbers: [APPLICATION.number],
      },
    ],
    trunks: [
      {
        name: 'carrier',
        ...CARRIER,
        transport: 'udp',
        prefixes: ['+'],
        codecs: ['OPUS', 'PCMU', 'PCMA'],
        dtmf: 'rfc4733',
        policy: 'quality',
      },
    ],
  });
