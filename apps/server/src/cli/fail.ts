/** One clear sentence on stderr, and exit status 1 once nothing is left to do. */
export function fail(sentence: string): void {
  process.stderr.write(`sidetone: ${sentence}\n`);
  process.exitCode = 1;
}
