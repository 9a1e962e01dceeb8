import { answerBinding } from '@sidetone/rtc';
import { type Flow, parseMessage, type SipMessage, writeMessage } from '@sidetone/sip';
import { listenSipTcp } from './sip-tcp.ts';
import type { SipTransportOptions } from './sip-transport-options.ts';
import { createSipWebSockets, type SipWebSockets } from './sip-websocket.ts';
import { listenUdp } from './udp.ts';

export interface SipTransport {
  /** What the HTTP server hands upgrades to. */
  readonly webSockets: SipWebSockets;
  send(message: SipMessage, flow: Flow): void;
  close(): void;
}

/** The SIP sockets of the process: UDP and TCP on one host of each family, and WebSockets of the HTTP server. Rejects with `ListenError`. */
export async function openSipTransport(options: SipTransportOptions): Promise<SipTransport> {
  const udp = await listenUdp('sip.udp', options.host, options.udp, (bytes, host, port) => {
    const flow: Flow = { transport: 'udp', host, port };
    if (isKeepAlive(bytes)) return;
    // RFC 5626 §5.4: phones keep a UDP flow by STUN.
    const pong = bytes[0] === 0 ? answerBinding(bytes, { address: host, port }) : null;
    if (pong !== null) return udp.send(pong, port, host, () => {});
    const parsed = parseMessage(bytes);
    if (parsed.ok) options.received(parsed.value, flow);
    else options.unparseable(parsed.error, flow);
  });
  const tcp = await listenSipTcp(options).catch((error: unknown) => {
    udp.close();
    throw error;
  });
  const webSockets = createSipWebSockets(options);
  return {
    webSockets,
    send: (message, flow) => {
      const written = writeMessage(message);
      if (flow.transport === 'udp') udp.send(written, flow.port, flow.host, () => options.failed(flow));
      else if (flow.transport === 'tcp') tcp.send(written, flow);
      else if (flow.transport === 'ws' || flow.transport === 'wss') webSockets.send(written, flow);
      else options.failed(flow);
    },
    close: () => {
      webSockets.close();
      udp.close();
      tcp.close();
    },
  };
}

/** CRLF keep-alives and the four zero bytes some phones send (RFC 5626 §3.5.1). */
const isKeepAlive = (bytes: Uint8Array): boolean =>
  bytes.length <= 4 && bytes.every((b) => b === 0 || b === 13 || b === 10);
