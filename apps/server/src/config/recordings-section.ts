import { z } from 'zod';

const s3 = z
  .strictObject({
    endpoint: z
      .string()
      .max(2048)
      .regex(/^https?:\/\/[^\s?#@]+$/, 'must look like https://s3.example.com')
      .describe('Where the store is, without the bucket.'),
    region: z.string().min(1).max(64).default('us-east-1'),
    bucket: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/, 'must be the name of a bucket'),
    prefix: z.string().max(256).default('').describe('In front of the name of every file, as "calls/".'),
    access_key: z.string().min(1).max(256),
    secret_key: z.string().min(1).max(1024).optional(),
    secret_key_file: z
      .string()
      .min(1)
      .optional()
      .describe('A file with the secret key, instead of secret_key; white space around it is dropped.'),
  })
  .refine((store) => (store.secret_key === undefined) !== (store.secret_key_file === undefined), {
    message: 'needs either secret_key or secret_key_file',
  });

export const recordingsSection = z.strictObject({
  keep_days: z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Recordings that are older are removed. Default: they are kept until somebody removes them.'),
  s3: s3
    .optional()
    .describe(
      'A store that speaks the S3 protocol keeps the files of new recordings, instead of the data folder.',
    ),
});
