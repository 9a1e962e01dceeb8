import { connect } from 'node:net';
import { jsonLines } from '../media/json-lines.ts';
import { socketPath } from '../supervise/data-sockets.ts';
import { dataFolder } from './data-folder.ts';
import { fail } from './fail.ts';

/** `sidetone handover`: has the running service replace its signalling process under its calls, and prints how that goes. */
export async function handover(options: { readonly data: string }): Promise<void> {
  const dataDir = dataFolder(options.data);
  if (dataDir === undefined) return;
  const socket = connect(socketPath(dataDir, 'admin'));
  socket.setEncoding('utf8');
  let outcome: { readonly ok: boolean; readonly line: string } | undefined;
  socket.on(
    'data',
    jsonLines(
      ({ ok, line }) => {
        if (typeof line !== 'string') return;
        if (typeof ok === 'boolean') outcome = { ok, line };
        else process.stdout.write(`${line}\n`);
      },
      () => socket.destroy(),
    ),
  );
  let refused: NodeJS.ErrnoException | undefined;
  socket.on('error', (error) => (refused = error));
  socket.write('{"do":"handover"}\n');
  await new Promise<void>((done) => socket.once('close', () => done()));
  if (outcome?.ok === true) process.stdout.write(`${outcome.line}\n`);
  else if (outcome !== undefined) fail(outcome.line);
  else if (refused?.code === 'EACCES')
    fail(`only the user who runs the service in ${options.data} may hand it over`);
  else if (refused !== undefined)
    fail(`no service runs with the data folder ${options.data}; name the right one with --data`);
  else fail('the service ended before the handover did');
}
