/** JsSIP as a phone: registered by SIP over WebSocket. */

import './capture.ts';

import * as JsSIP from 'jssip';
import { becomes, begin, note, type Phone, type PhoneOptions, present } from './phone-driver.ts';

interface Message {
  getHeader?(name: string): string | undefined;
  readonly status_code?: number;
}
interface Ended {
  readonly cause: string;
  readonly message: Message | null;
}
interface Session {
  readonly id: string;
  readonly remote_identity: { readonly uri: { readonly user: string } };
  on(event: string, listener: (data: never) => void): void;
  answer(options: object): void;
  terminate(): void;
  hold(options: object, done: () => void): boolean;
  unhold(options: object, done: () => void): boolean;
  sendDTMF(tones: string, options: object): void;
}

const MEDIA = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };

// biome-ignore lint/suspicious/noExplicitAny: the library's own types do not know all of its options.
let ua: any;
let domain = '';

function watch({ session, originator }: { session: Session; originator: string }): void {
  const { id } = session;
  const inbound = originator === 'remote';
  begin(
    {
      id,
      direction: inbound ? 'inbound' : 'outbound',
      caller: session.remote_identity.uri.user,
      methods: {
        answer: () => session.answer(MEDIA),
        hangup: () => session.terminate(),
        // Done when the re-INVITE is: until then the library takes no other.
        hold: () => session.hold({}, () => becomes(id, 'held')),
        unhold: () => session.unhold({}, () => becomes(id, 'active')),
        dtmf: (tones: string, transportType: 'INFO' | 'RFC2833') =>
          session.sendDTMF(tones, { transportType, duration: 100, interToneGap: 60 }),
      },
    },
    inbound ? 'ringing' : 'trying',
  );
  const over = ({ cause, message }: Ended): void =>
    becomes(id, 'destroy', message?.getHeader?.('Reason') ?? cause, message?.status_code);
  session.on('progress', () => {
    if (!inbound) becomes(id, 'early');
  });
  session.on('confirmed', () => becomes(id, 'active'));
  session.on('hold', (({ originator: by }: { originator: string }) => {
    if (by === 'remote') becomes(id, 'held by the other side');
  }) as (data: never) => void);
  session.on('unhold', (({ originator: by }: { originator: string }) => {
    if (by === 'remote') becomes(id, 'active');
  }) as (data: never) => void);
  session.on('ended', over as (data: never) => void);
  session.on('failed', over as (data: never) => void);
}

const phone: Phone = {
  register: (options: PhoneOptions) =>
    new Promise((resolve, reject) => {
      domain = options.domain;
      ua = new JsSIP.UA({
        sockets: [new JsSIP.WebSocketInterface(options.host)],
        uri: `sip:${options.login}@${domain}`,
        password: options.password,
        register_expires: 120,
      });
      ua.on('newRTCSession', watch);
      ua.on('registered', () => resolve());
      ua.on('registrationFailed', ({ cause }: Ended) => reject(new Error(`not registered: ${cause}`)));
      ua.on('disconnected', (data: object) => note('disconnected', JSON.stringify(data)));
      ua.start();
    }),
  unregister: () =>
    new Promise((resolve) => {
      ua.once('unregistered', () => resolve());
      ua.unregister();
    }),
  call: (destination) => {
    ua.call(`sip:${destination}@${domain}`, MEDIA);
  },
};

present(phone);
