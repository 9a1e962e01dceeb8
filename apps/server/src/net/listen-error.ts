/** A listener could not start. The message is one sentence for the operator that names the configuration key. */
export class ListenError extends Error {
  constructor(key: string, host: string, port: number, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === 'EADDRINUSE'
        ? 'is already in use; stop the program that uses it, or choose another port'
        : code === 'EACCES'
          ? 'may not be opened by this user'
          : code === 'EADDRNOTAVAIL'
            ? 'is not an address of this machine'
            : `cannot be opened (${code ?? String(cause)})`;
    super(`${key}: ${host}:${port} ${why}`);
    this.name = 'ListenError';
  }
}
