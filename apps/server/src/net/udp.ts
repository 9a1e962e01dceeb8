import { createSocket, type SocketOptions } from 'node:dgram';
import { lookup as lookupName } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type Family, familyOf } from '@sidetone/core';
import { ListenError } from './listen-error.ts';
import { type Hosts, openEach } from './listen-hosts.ts';

/**
 * What may wait in the kernel while we work: some thousand messages. Where net.core.rmem_max is lower, the system gives less and says
 * nothing.
 */
const RECEIVE_BYTES = 8 << 20;

/** An address needs no look-up, nor the turn that Node waits for its result. */
const addressAtOnce: NonNullable<SocketOptions['lookup']> = (host, options, done) => {
  const family = familyOf(host);
  if (family === null) lookupName(host, options, done);
  else done(null, host, family);
};

export interface UdpListener {
  /** By the socket of the family of `host`; a name goes by the first of its addresses for which there is one. */
  send(bytes: Uint8Array, port: number, host: string, failed: (error: Error) => void): void;
  close(): void;
}

interface UdpSocket {
  readonly family: Family;
  send(bytes: Uint8Array, port: number, address: string, failed: (error: Error) => void): void;
  close(): void;
}

type Received = (bytes: Buffer, host: string, port: number) => void;

/** Opens a UDP socket on each host. Rejects with `ListenError` naming `key`. */
export async function listenUdp(
  key: string,
  hosts: Hosts,
  port: number,
  received: Received,
): Promise<UdpListener> {
  const sockets = await openEach(hosts, (host) => openUdp(key, host, port, received));
  const by = (family: Family | null) => sockets.find((socket) => socket.family === family);
  return {
    send: (bytes, toPort, host, failed) => {
      const family = familyOf(host);
      const socket = by(family);
      if (socket !== undefined) socket.send(bytes, toPort, host, failed);
      else if (family !== null) failed(new Error(`no socket for IPv${family}`));
      else
        resolve(host).then(
          (address) => by(familyOf(address))!.send(bytes, toPort, address, failed),
          (error: Error) => failed(error),
        );
    },
    close: () => {
      for (const socket of sockets) socket.close();
    },
  };

  async function resolve(name: string): Promise<string> {
    const found = await lookup(name, { all: true });
    const usable = found.find(({ address }) => by(familyOf(address)) !== undefined);
    if (usable === undefined) throw new Error(`${name} has no address of a family that we listen in`);
    return usable.address;
  }
}

function openUdp(key: string, host: string, port: number, received: Received): Promise<UdpSocket> {
  return new Promise((ready, reject) => {
    const family = familyOf(host) ?? 4;
    // Each family has a socket of its own, so that no IPv4 peer has an IPv6 address.
    const socket = createSocket({
      type: `udp${family}`,
      ipv6Only: family === 6,
      recvBufferSize: RECEIVE_BYTES,
      lookup: addressAtOnce,
    });
    const refuse = (cause: Error): void => reject(new ListenError(key, host, port, cause));
    socket.once('error', refuse);
    socket.bind(port, host, () => {
      socket.off('error', refuse);
      // An ICMP error of one peer must not end the listener: the transaction times out instead.
      socket.on('error', () => {});
      socket.on('message', (bytes, source) => received(bytes, source.address, source.port));
      let open = true;
      ready({
        family,
        send: (bytes, toPort, toHost, failed) => {
          if (!open) return;
          socket.send(bytes, toPort, toHost, (error) => {
            if (error) failed(error);
          });
        },
        close: () => {
          open = false;
          socket.close();
        },
      });
    });
  });
}
