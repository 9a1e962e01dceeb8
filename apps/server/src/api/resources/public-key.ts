import { z } from 'zod';
import { operation } from '../operation.ts';

export const publicKey = [
  operation({
    id: 'retrievePublicKey',
    method: 'GET',
    path: '/public_key',
    tag: 'Webhooks',
    summary: 'The Ed25519 key that webhooks are signed by now: 32 bytes in base64',
    answer: { status: 200, form: 'data', schema: z.object({ public: z.string().length(44) }) },
    handle: (call) => ({ public: call.world.webhooks.publicKey }),
  }),
];
