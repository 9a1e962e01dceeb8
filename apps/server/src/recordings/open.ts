import type { Logger } from 'pino';
import { httpAddress } from '../cli/banner.ts';
import { epoch } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import { sqliteFileOf } from '../identity/open.ts';
import type { Secrets } from '../identity/secrets.ts';
import { Links } from './links.ts';
import { openSqliteRecordings } from './open-sqlite.ts';
import { openPostgresRecordings } from './postgres-recordings.ts';
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
  const { keep_days } = config.recordings;
  return createRecordingService({
    dataDir,
    store:
      postgres === undefined
        ? openSqliteRecordings(sqliteFileOf(config, dataDir))
        : openPostgresRecordings(postgres.url),
    links: new Links(config.http.public_url ?? httpAddress(config), secrets.nonceKey),
    ...(keep_days === undefined ? {} : { keepDays: keep_days }),
    epoch,
    log,
  });
}
