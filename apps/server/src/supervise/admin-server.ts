import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { jsonLines } from '../media/json-lines.ts';

/** One line of an answer: what happens (`line`), or how it ended (`ok`), which is the last. */
export type AdminAnswer = { readonly line: string } | { readonly ok: boolean; readonly line: string };

/** A command and how its progress is told. Never rejects. */
export type AdminCommand = (say: (line: string) => void) => Promise<{ ok: boolean; line: string }>;

/**
 * The supervisor's socket in the data folder, for commands of the operator on this machine: `{"do":"handover"}` is answered by JSON lines.
 * Only the user who runs the service may open it. It also says that this folder is taken: rejects with a sentence when another service
 * answers there.
 */
export async function listenAdmin(
  path: string,
  commands: Readonly<Record<string, AdminCommand>>,
): Promise<Server> {
  if (await answers(path))
    throw new Error('another sidetone serves from this data folder; stop it, or name another with --data');
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on(
      'data',
      jsonLines(
        (request) => void answer(socket, commands, request),
        () => socket.destroy(),
      ),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`cannot listen on ${path} (${error.message})`)));
    server.listen(path, () => {
      chmodSync(path, 0o600);
      server.unref();
      resolve(server);
    });
  });
}

async function answer(
  socket: Socket,
  commands: Readonly<Record<string, AdminCommand>>,
  request: Readonly<Record<string, unknown>>,
): Promise<void> {
  const say = (message: AdminAnswer): void => {
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  const name = request['do'];
  const command = typeof name === 'string' && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) say({ ok: false, line: 'this service does not know that command' });
  else say(await command((line) => say({ line })));
  socket.end();
}

/** Does a service listen there? What a killed one left behind is no service. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
