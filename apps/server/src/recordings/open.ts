import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { httpAddress } from '../cli/banner.ts';
import { epoch } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { sqliteFileOf } from '../identity/open.ts';
import type { Secrets } from '../identity/secrets.ts';
import type { Keeper } from './keeper.ts';
import { Links } from './links.ts';
import { openSqliteRecordings } from './open-sqlite.ts';
import { openPostgresRecordings } from './postgres-recordings.ts';
import { s3Keeper } from './s3-keeper.ts';
import { createRecordingService, type RecordingService } from './service.ts';

/** Recordings as the configuration has them. */
export function openRecordings(options: {
  readonly config: Config;
  readonly dataDir: string;
  readonly secrets: Secrets;
  readonly log: Logger;
}): RecordingService {
  const { config, dataDir, secrets, log } = options;
  const { postgres } = config.store;
  const { keep_days, s3 } = config.recordings;
  return createRecordingService({
    dataDir,
    store:
      postgres === undefined
        ? openSqliteRecordings(sqliteFileOf(config, dataDir))
        : openPostgresRecordings(postgres.url),
    links: new Links(config.http.public_url ?? httpAddress(config), secrets.nonceKey),
    ...(s3 === undefined ? {} : { keeper: keeperOf(s3) }),
    ...(keep_days === undefined ? {} : { keepDays: keep_days }),
    epoch,
    log,
  });
}

function keeperOf(s3: NonNullable<Config['recordings']['s3']>): Keeper {
  const { endpoint, region, bucket, prefix, access_key: accessKey, secret_key: secret, secret_key_file } = s3;
  const secretKey = secret ?? secretIn(secret_key_file!);
  return s3Keeper({ endpoint, region, bucket, prefix, accessKey, secretKey, epoch });
}

function secretIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`recordings.s3.secret_key_file: cannot read ${file} (${code})`);
  }
}
