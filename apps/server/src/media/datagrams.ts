import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Datagrams, Receive, SocketPort } from '@sidetone/media';

/** Asked of the operating system for each socket; it may grant less. Bursts wait there while a handshake computes. */
const RECEIVE_BUFFER = 1 << 20;

type Answered = (error: Error | null, address: string, family: number) => void;

/** Addresses are literals: answering at once saves a turn of the event loop for each packet. */
const literal =
  (family: 4 | 6) =>
  (host: string, _options: unknown, done: Answered): void =>
    done(null, host, family);

/** UDP of the operating system, one socket for each bind. */
export const udpSockets: SocketPort = {
  bind(address: string, port: number, receive: Receive): Promise<Datagrams | undefined> {
    return new Promise((resolve) => {
      const family = isIPv6(address) ? 6 : 4;
      const socket: Socket = createSocket({
        type: `udp${family}`,
        ipv6Only: family === 6,
        lookup: literal(family),
      });
      const refused = (): void => {
        socket.close();
        resolve(undefined);
      };
      socket.once('error', refused);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', refused);
        // An ICMP error says nothing that consent and RTP timeouts do not say better.
        socket.on('error', () => {});
        try {
          socket.setRecvBufferSize(RECEIVE_BUFFER);
        } catch {
          // The default buffer serves too.
        }
        socket.on('message', (packet, from) => receive(packet, from.address, from.port));
        let open = true;
        resolve({
          address,
          port,
          send: (packet, host, to) => {
            // No callback: it would cost a task for each packet, and a lost one is lost.
            if (open) socket.send(packet, to, host);
          },
          close: () => {
            if (!open) return;
            open = false;
            socket.close();
          },
        });
      });
    });
  },
};
