/**
 * Comes with every test file (`scripts/test.ts`). A set-up that fails may leave a socket or a process open, and the file would never end: after
 * half an hour it fails, and says what it kept open.
 */
const LIMIT_MS = 30 * 60_000;

if (process.argv[1]?.endsWith('.test.ts'))
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`${process.argv[1]} does not end; still open: ${open}\n`);
    process.exit(1);
  }, LIMIT_MS).unref();
