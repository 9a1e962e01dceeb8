import { destination, type Logger, pino } from 'pino';

/**
 * The log: JSON lines on stderr. info = one line per lifecycle change. Never tokens, passwords, digits or keys; what
 * services log is already free of them (core `LogLine`), and this list catches slips at the edge.
 */
export function createLog(process: 'supervisor' | 'signalling' | 'media' | 'test', level: string): Logger {
  return pino(
    {
      level,
      base: { process },
      redact: {
        paths: ['password', 'passwd', 'token', 'login_token', 'digits', '*.password', '*.token'],
        censor: '[redacted]',
      },
    },
    destination({ fd: 2, sync: false }),
  );
}
