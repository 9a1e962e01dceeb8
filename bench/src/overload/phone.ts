import { createSocket } from 'node:dgram';
import { answerChallenge, chooseChallenge } from '@sidetone/sip';
import { answer, first, message, methodOf, Repeats, SDP, statusOf } from './sip-text.ts';

/** A registered phone that answers every call at once: 180, 200. */
export interface Phone {
  readonly answered: number;
  tick(): void;
  close(): void;
}

export async function registerPhone(
  server: number,
  domain: string,
  userName: string,
  password: string,
): Promise<Phone> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 23, sendBufferSize: 1 << 22 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const send = (text: string): void => socket.send(text, server, '127.0.0.1');
  const repeats = new Repeats();
  const contact = `Contact: <sip:${userName}@127.0.0.1:${port}>`;
  let answered = 0;
  let registered: () => void = () => {};
  const isRegistered = new Promise<void>((resolve) => (registered = resolve));

  const register = (cseq: number, more: readonly string[]): void =>
    send(
      message(`REGISTER sip:${domain} SIP/2.0`, [
        `Via: SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bKreg${port}x${cseq}`,
        'Max-Forwards: 70',
        `From: <sip:${userName}@${domain}>;tag=p${port}`,
        `To: <sip:${userName}@${domain}>`,
        `Call-ID: reg${port}`,
        `CSeq: ${cseq} REGISTER`,
        contact,
        'Expires: 3600',
        ...more,
      ]),
    );

  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    const status = statusOf(text);
    if (status === 401) {
      const challenge = chooseChallenge([first(text, 'WWW-Authenticate')]);
      if (challenge === null) return;
      const credentials = { userName, password };
      const uri = `sip:${domain}`;
      const how = { method: 'REGISTER', uri, credentials, count: 1, cnonce: 'c' };
      register(2, [`Authorization: ${answerChallenge(challenge, how)}`]);
      return;
    }
    if (status === 200) return registered();
    if (status > 0) return;
    const id = first(text, 'Call-ID');
    switch (methodOf(text)) {
      case 'INVITE': {
        send(answer(text, '180 Ringing', 'ua', [contact]));
        const ok = answer(text, '200 OK', 'ua', [contact, 'Content-Type: application/sdp'], SDP);
        repeats.start(id, () => send(ok));
        answered += 1;
        return;
      }
      case 'ACK':
        return repeats.stop(id);
      case 'CANCEL':
      case 'BYE':
        repeats.stop(id);
        return send(answer(text, '200 OK', 'ua'));
      default:
        return send(answer(text, '200 OK', 'ua'));
    }
  });
  register(1, []);
  await isRegistered;
  return {
    get answered() {
      return answered;
    },
    tick: () => repeats.tick(),
    close: () => socket.close(),
  };
}
