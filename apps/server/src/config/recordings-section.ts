import { z } from 'zod';

export const recordingsSection = z.strictObject({
  keep_days: z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Recordings that are older are removed. Default: they are kept until somebody removes them.'),
});
