/** SIP.js as a phone: registered by SIP over WebSocket. */

import './capture.ts';

import { type Session, SessionState, UserAgent } from 'sip.js';
import { SessionManager } from 'sip.js/lib/platform/web';
import { becomes, begin, note, type Phone, present } from './phone-driver.ts';

let manager: SessionManager;
let domain = '';

function watch(session: Session, direction: 'inbound' | 'outbound'): void {
  const { id } = session;
  begin(
    {
      id,
      direction,
      caller: session.remoteIdentity.uri.user ?? '',
      methods: {
        answer: () => manager.answer(session),
        hangup: () => manager.hangup(session),
        hold: () => manager.hold(session),
        unhold: () => manager.unhold(session),
        dtmf: async (tones: string) => {
          for (const tone of tones) await manager.sendDTMF(session, tone);
        },
      },
    },
    direction === 'inbound' ? 'ringing' : 'trying',
  );
  session.stateChange.addListener((state) => {
    if (state === SessionState.Established) becomes(id, 'active');
    if (state === SessionState.Terminated) becomes(id, 'destroy');
  });
}

const phone: Phone = {
  register: async (options) => {
    domain = options.domain;
    await new Promise<void>((resolve, reject) => {
      manager = new SessionManager(options.host, {
        aor: `sip:${options.login}@${domain}`,
        delegate: {
          onRegistered: () => resolve(),
          onCallCreated: (session) => {
            const inbound = 'accept' in session;
            watch(session, inbound ? 'inbound' : 'outbound');
          },
          // Without it the library refuses every call.
          onCallReceived: () => undefined,
          onCallHold: (session, held) => becomes(session.id, held ? 'held' : 'active'),
          onServerDisconnect: (error) => note('disconnected', error),
        },
        media: { constraints: { audio: true, video: false } },
        registererOptions: { expires: 120, regId: 1 },
        userAgentOptions: {
          authorizationUsername: options.login,
          authorizationPassword: options.password,
          logLevel: 'warn',
          sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
        },
      });
      manager
        .connect()
        .then(() => manager.register())
        .catch(reject);
    });
  },
  unregister: () => manager.unregister(),
  call: (destination) => {
    const target = UserAgent.makeURI(`sip:${destination}@${domain}`);
    if (target === undefined) throw new Error(`${destination} is no user part`);
    manager.call(target.toString()).catch((error: unknown) => note('call failed', error));
  },
};

present(phone);
