import { answerBinding } from '@sidetone/rtc';
import type { Hosts } from '../net/listen-hosts.ts';
import { listenUdp, type UdpListener } from '../net/udp.ts';

/** The embedded STUN server (RFC 8489 Binding, no authentication): clients learn the address we see them at. */
export async function listenStun(hosts: Hosts, port: number): Promise<UdpListener> {
  const listener: UdpListener = await listenUdp('stun.port', hosts, port, (bytes, fromHost, fromPort) => {
    const answer = answerBinding(bytes, { address: fromHost, port: fromPort });
    if (answer !== null) listener.send(answer, fromPort, fromHost, () => {});
  });
  return listener;
}
