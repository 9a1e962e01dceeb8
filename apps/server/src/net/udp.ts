import { createSocket, type SocketOptions } from 'node:dgram';
import { lookup as resolve } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { ListenError } from './listen-error.ts';

/**
 * What may wait in the kernel while we work: some thousand messages. Where net.core.rmem_max is lower, the system gives less and says
 * nothing.
 */
const RECEIVE_BYTES = 8 << 20;

/** An address needs no look-up, nor the turn that Node waits for its result. */
const lookup: NonNullable<SocketOptions['lookup']> = (host, options, done) => {
  const family = isIP(host);
  if (family === 0) resolve(host, options, done);
  else done(null, host, family);
};

export interface UdpListener {
  send(bytes: Uint8Array, port: number, host: string, failed: (error: Error) => void): void;
  close(): void;
}

/** Opens a UDP socket. Rejects with `ListenError` naming `key`. */
export function listenUdp(
  key: string,
  host: string,
  port: number,
  received: (bytes: Buffer, host: string, port: number) => void,
): Promise<UdpListener> {
  return new Promise((ready, reject) => {
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      recvBufferSize: RECEIVE_BYTES,
      lookup,
    });
    const refuse = (cause: Error): void => reject(new ListenError(key, host, port, cause));
    socket.once('error', refuse);
    socket.bind(port, host, () => {
      socket.off('error', refuse);
      // An ICMP error of one peer must not end the listener: the transaction times out instead.
      socket.on('error', () => {});
      socket.on('message', (bytes, source) => received(bytes, source.address, source.port));
      ready({
        send: (bytes, toPort, toHost, failed) => {
          socket.send(bytes, toPort, toHost, (error) => {
            if (error) failed(error);
          });
        },
        close: () => socket.close(),
      });
    });
  });
}
