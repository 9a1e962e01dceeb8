import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Flow, headersNamed, parseDigest, type SipSend } from '@sidetone/sip';
import type { Trunk } from '@sidetone/wire';
import fc from 'fast-check';
import { address, type Parts, Rig, requests, responses, routeSet, statuses, trunk, VOICE } from './rig.ts';

const CALL: Parts = { uri: 'sip:+1800@sip.test', callId: 'c' };
const ACCOUNT = { user_name: 'us', password: 'pw' };

const asks = (realm: string, name: 'WWW' | 'Proxy' = 'Proxy', more = '') => ({
  headers: [[`${name}-Authenticate`, `Digest realm="${realm}", nonce="n-${realm}"${more}`]] as const,
});

/** The realms a request has credentials for, by header. */
const answered = ({ message }: SipSend): string[] =>
  ['Authorization', 'Proxy-Authorization'].flatMap((name) =>
    headersNamed(message, name).map((value) => `${name} ${parseDigest(value)?.['realm']}`),
  );

const leaks = (sends: readonly SipSend[]): boolean =>
  sends.some(
    (send) => send.message.kind === 'request' && send.message.method !== 'ACK' && answered(send).length > 0,
  );

for (const transport of ['udp', 'tcp'] as const) {
  const CARRIER: Flow = { transport, host: '192.0.2.50', port: 5070 };
  const rigWith = (more: Partial<Trunk> = {}): Rig => {
    const rig = new Rig();
    rig.people({ trunks: [trunk('t', '192.0.2.50', { ...ACCOUNT, transport, ...more })] });
    return rig;
  };
  /** A call that the carrier challenged and the far end answered; its route set. */
  const up = (rig: Rig, contact: string, challenge = true) => {
    const [invite] = requests(rig.send(VOICE, CALL).out);
    let last = invite!;
    if (challenge) [last] = requests(rig.reply(invite!, 407, asks('carrier')), 'INVITE') as [typeof last];
    const [ok] = responses(rig.reply(last, 200, { contact: [address(contact)] }));
    return { route: routeSet(ok!), uri: contact };
  };
  const inDialog = (rig: Rig, method: string, dialog: { route: Parts['route']; uri: string }, cseq = 2) => {
    const more = dialog.route === undefined ? {} : { route: dialog.route };
    return requests(
      rig.send(VOICE, { method, callId: 'c', toTag: 'callee', cseq, uri: dialog.uri, ...more }).out,
      method,
    )[0]!;
  };
  const AT_CARRIER = `sip:gw@192.0.2.50:5070${transport === 'tcp' ? ';transport=tcp' : ''}`;

  describe(`carrier-password-answered-to-any-host: ${transport}`, () => {
    for (const method of ['INVITE', 'BYE', 'INFO', 'UPDATE']) {
      it(`${method} by a Contact elsewhere: no credentials, whatever realm it states`, () => {
        const rig = rigWith();
        const dialog = up(rig, 'sip:x@198.51.100.66:5070');
        const sent = inDialog(rig, method, dialog);
        assert.equal(sent.flow.transport !== 'local' && sent.flow.host, '198.51.100.66');
        for (const realm of ['attacker', 'carrier']) {
          const again = inDialog(rig, method, dialog, realm === 'carrier' ? 4 : 3);
          const out = rig.reply(again, 407, asks(realm));
          assert.equal(leaks(out), false);
          assert.deepEqual(statuses(out), [407]);
        }
      });

      it(`${method} by a Route elsewhere, or to another port of the carrier`, () => {
        for (const place of ['198.51.100.66:5070', '192.0.2.50:5071']) {
          const rig = rigWith();
          const { route } = up(rig, AT_CARRIER);
          const detour = [...route, address(`sip:${place};lr`)];
          const out = rig.reply(
            inDialog(rig, method, { route: detour, uri: AT_CARRIER }),
            407,
            asks('carrier'),
          );
          assert.equal(leaks(out), false);
          assert.deepEqual(statuses(out), [407]);
        }
      });

      it(`${method} that the carrier challenges itself is answered, also after a restart`, () => {
        for (const restart of [false, true]) {
          const rig = rigWith();
          const dialog = up(rig, AT_CARRIER);
          if (restart) rig.restart();
          const out = rig.reply(inDialog(rig, method, dialog), 407, asks('carrier'));
          const [again] = requests(out, method);
          assert.deepEqual(answered(again!), ['Proxy-Authorization carrier']);
          assert.deepEqual(again!.flow, CARRIER);
        }
      });

      it(`${method}: a realm that is not the carrier's, by its own address`, () => {
        for (const challenge of [true, false]) {
          const rig = rigWith();
          const dialog = up(rig, AT_CARRIER, challenge);
          const out = rig.reply(inDialog(rig, method, dialog), 401, asks('attacker', 'WWW'));
          assert.equal(leaks(out), false);
          assert.deepEqual(statuses(out), [401]);
          assert.equal(rig.logs.at(-1)?.event, 'challenge not answered');
        }
      });
    }

    it('the next call: only the realms of the first, also after a restart', () => {
      for (const restart of [false, true]) {
        const rig = rigWith();
        up(rig, AT_CARRIER);
        if (restart) rig.restart();
        const [invite] = requests(rig.send(VOICE, { ...CALL, callId: 'd' }).out);
        const out = rig.reply(invite!, 407, asks('attacker'));
        assert.equal(leaks(out), false);
        assert.deepEqual(statuses(out), [407]);
        const [other] = requests(rig.send(VOICE, { ...CALL, callId: 'e' }).out);
        assert.equal(requests(rig.reply(other!, 407, asks('carrier')), 'INVITE').length, 1);
      }
    });

    it('a realm that is stated is the only one, from the first call on', () => {
      const rig = rigWith({ realms: ['carrier'] });
      const [invite] = requests(rig.send(VOICE, CALL).out);
      assert.equal(leaks(rig.reply(invite!, 407, asks('attacker'))), false);
      const [other] = requests(rig.send(VOICE, { ...CALL, callId: 'd' }).out);
      assert.equal(requests(rig.reply(other!, 407, asks('carrier')), 'INVITE').length, 1);
      // Also where no call was challenged before.
      const dialog = up(rig, AT_CARRIER, false);
      assert.equal(requests(rig.reply(inDialog(rig, 'BYE', dialog), 407, asks('carrier')), 'BYE').length, 1);
    });

    it('a challenge from another port, host or transport that knows the branch', () => {
      const others: Flow[] = [
        { transport, host: '192.0.2.50', port: 5071 },
        { transport, host: '198.51.100.66', port: 5070 },
        { transport: transport === 'udp' ? 'tcp' : 'udp', host: '192.0.2.50', port: 5070 },
      ];
      for (const flow of others) {
        const rig = rigWith();
        const [invite] = requests(rig.send(VOICE, CALL).out);
        const out = rig.reply({ ...invite!, flow }, 407, asks('carrier'));
        assert.equal(leaks(out), false);
        assert.deepEqual(statuses(out), [407]);
      }
    });

    it('once it rings, a challenge is the word of the far end', () => {
      const rig = rigWith();
      const [invite] = requests(rig.send(VOICE, CALL).out);
      rig.reply(invite!, 180);
      assert.equal(leaks(rig.reply(invite!, 407, asks('attacker'))), false);
    });

    it('a trunk that has moved, or has another account, begins anew', () => {
      for (const more of [{ host: '192.0.2.60' }, { user_name: 'them' }]) {
        const rig = rigWith();
        const dialog = up(rig, AT_CARRIER);
        rig.people({ trunks: [trunk('t', '192.0.2.50', { ...ACCOUNT, transport, ...more })] });
        rig.restart();
        assert.equal(leaks(rig.reply(inDialog(rig, 'BYE', dialog), 407, asks('carrier'))), false);
        const [invite] = requests(rig.send(VOICE, { ...CALL, callId: 'd' }).out);
        assert.equal(requests(rig.reply(invite!, 407, asks('another')), 'INVITE').length, 1);
      }
    });

    it('a carrier by name: its Record-Route may name it so', () => {
      const rig = rigWith({ hostName: 'sbc.carrier.example' });
      const { route } = up(rig, AT_CARRIER);
      const named = [...route, address(`sip:SBC.carrier.example:5070;lr;transport=${transport}`)];
      const bye = inDialog(rig, 'BYE', { route: named, uri: 'sip:x@10.0.0.1' });
      assert.deepEqual(bye.flow, CARRIER);
      assert.equal(requests(rig.reply(bye, 407, asks('carrier')), 'BYE').length, 1);
    });

    it('a carrier that has lost our Record-Route is known by its place', () => {
      const rig = rigWith();
      up(rig, AT_CARRIER);
      const bye = inDialog(rig, 'BYE', { route: [], uri: AT_CARRIER });
      assert.equal(requests(rig.reply(bye, 407, asks('carrier')), 'BYE').length, 1);
    });
  });

  describe(`challenge-after-challenge: ${transport}`, () => {
    for (const [first, second] of [
      ['WWW', 'Proxy'],
      ['Proxy', 'WWW'],
      ['Proxy', 'Proxy'],
    ] as const)
      it(`${first} of the edge, then ${second} of the core: the last request has both`, () => {
        const rig = rigWith();
        const [invite] = requests(rig.send(VOICE, CALL).out);
        const status = { WWW: 401, Proxy: 407 } as const;
        const [again] = requests(rig.reply(invite!, status[first], asks('edge', first)), 'INVITE');
        assert.equal(answered(again!).length, 1);
        const [last] = requests(rig.reply(again!, status[second], asks('core', second)), 'INVITE');
        assert.equal(answered(last!).length, 2);
        assert.deepEqual(statuses(rig.reply(last!, 200)), [200]);
        // Both are the trunk's realms now, and there is no third.
        const [next] = requests(rig.send(VOICE, { ...CALL, callId: 'd' }).out);
        const both = { headers: [...asks('core', 'Proxy').headers, ...asks('third', 'Proxy').headers] };
        const [with2] = requests(rig.reply(next!, 407, both), 'INVITE');
        assert.deepEqual(answered(with2!), ['Proxy-Authorization core']);
        assert.equal(leaks(rig.reply(with2!, 407, asks('third'))), false);
      });

    it('two challenges in one response are answered together', () => {
      const rig = rigWith();
      const [invite] = requests(rig.send(VOICE, CALL).out);
      const both = { headers: [...asks('edge', 'WWW').headers, ...asks('core').headers] };
      const [again] = requests(rig.reply(invite!, 407, both), 'INVITE');
      assert.deepEqual(answered(again!), ['Authorization edge', 'Proxy-Authorization core']);
      // Refused: asked again, they are not answered again.
      assert.deepEqual(statuses(rig.reply(again!, 407, both)), [407]);
    });

    it('a stale nonce is answered again, the other answer stays', () => {
      const rig = rigWith();
      const [invite] = requests(rig.send(VOICE, CALL).out);
      const [second] = requests(rig.reply(invite!, 401, asks('edge', 'WWW')), 'INVITE');
      const [third] = requests(rig.reply(second!, 407, asks('core')), 'INVITE');
      const stale = [['WWW-Authenticate', 'Digest realm="edge", nonce="fresh", stale=TRUE']] as const;
      const [fourth] = requests(rig.reply(third!, 401, { headers: stale }), 'INVITE');
      assert.deepEqual(answered(fourth!).sort(), ['Authorization edge', 'Proxy-Authorization core']);
      assert.match(headersNamed(fourth!.message, 'Authorization')[0]!, /nonce="fresh"/);
    });

    it('endless challenges end the call: at most three more requests', () => {
      const challenge = fc.record({
        realm: fc.constantFrom('a', 'b', 'c', 'd'),
        name: fc.constantFrom('WWW' as const, 'Proxy' as const),
        stale: fc.boolean(),
      });
      fc.assert(
        fc.property(fc.array(challenge, { minLength: 8, maxLength: 8 }), (challenges) => {
          const rig = rigWith();
          let [invite] = requests(rig.send(VOICE, CALL).out);
          let sent = 1;
          for (const [i, { realm, name, stale }] of challenges.entries()) {
            const more = `x${i}", stale=${stale}, opaque="`;
            const text = `Digest realm="${realm}", nonce="${more}"`;
            const headers = [[`${name}-Authenticate`, text]] as const;
            const out = rig.reply(invite!, name === 'WWW' ? 401 : 407, { headers });
            [invite] = requests(out, 'INVITE');
            if (invite === undefined) {
              assert.deepEqual(statuses(out), [name === 'WWW' ? 401 : 407]);
              break;
            }
            sent += 1;
            assert.ok(new Set(answered(invite).map((line) => line.split(' ')[1])).size <= 2);
          }
          assert.ok(sent <= 4 && invite === undefined);
        }),
        { numRuns: 60 },
      );
    });
  });
}
