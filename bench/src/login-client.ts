import { WebSocket } from 'ws';

/** How a client logs in. */
export type Login = { readonly login: string; readonly passwd: string } | { readonly login_token: string };

/**
 * A client that logs in and then only answers pings. Resolves when it is registered; rejects when it is refused or loses its
 * socket before. `from` is the loopback address it comes from: one address may open so many sockets and no more.
 */
export function logIn(url: string, login: Login, from = '127.0.0.1'): Promise<WebSocket> {
  const socket = new WebSocket(url, { localAddress: from, perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
    socket.on('open', () =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'login', method: 'login', params: login })),
    );
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as {
        id?: unknown;
        method?: string;
        error?: { message: string };
      };
      if (frame.id === 'login' && frame.error !== undefined) reject(new Error(frame.error.message));
      if (frame.method === 'telnyx_rtc.clientReady') resolve(socket);
      if (frame.method === 'telnyx_rtc.ping')
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: frame.id, result: { message: 'OK' } }));
    });
  });
}
