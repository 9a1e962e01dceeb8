import { hostAndPort } from './addresses.ts';

/** A listener could not start. The message is one sentence for the operator that names the configuration key. */
export class ListenError extends Error {
  /** This machine has no address of that family. */
  readonly lacksFamily: boolean;

  constructor(key: string, host: string, port: number, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === 'EADDRINUSE'
        ? 'is already in use; stop the program that uses it, or choose another port'
        : code === 'EACCES'
          ? 'may not be opened by this user'
          : code === 'EADDRNOTAVAIL'
            ? 'is not an address of this machine'
            : code === 'EAFNOSUPPORT'
              ? `cannot be opened: this machine has no IPv${host.includes(':') ? 6 : 4}`
              : `cannot be opened (${code ?? String(cause)})`;
    super(`${key}: ${hostAndPort(host, port)} ${why}`);
    this.lacksFamily = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
    this.name = 'ListenError';
  }
}
