import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  bodyText,
  formatUri,
  type NameAddr,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '@sidetone/sip';
import { browserOffer, Client } from './drive/client.ts';
import { address, DeskPhone, type Parts, Place } from './drive/desk-phone.ts';
import { plainSdp } from './drive/phone.ts';
import { freePorts, Product, run } from './drive/running.ts';

const ANSWER = browserOffer({ setup: 'active' });
const SDP = 'application/sdp';

const user = (user_name: string) => ({ user_name, password: `${user_name} password` });
const route = ({ headers }: SipRequest | SipResponse): readonly NameAddr[] => headers.recordRoute;
const targetOf = ({ headers }: SipRequest | SipResponse): string =>
  formatUri((headers.contact[0] as NameAddr).uri);

const requestsAt = ({ heard }: Place): readonly SipMessage[] => heard.filter((m) => m.kind === 'request');

/** Phones at addresses of their own, and a browser's dialect, against the running product. */
describe('phones, over real sockets', { timeout: 120_000 }, () => {
  let product: Product;
  const places: Place[] = [];
  const clients: Client[] = [];
  let serial = 0;

  before(async () => {
    const limits = { contacts_per_user: 10, reattach_seconds: 0 };
    const connections = [user('bob'), user('alice'), user('mallory'), user('crowd')];
    product = await Product.start({ connections, limits }, await freePorts(51_720));
  });
  after(async () => {
    for (const place of places) place.close();
    for (const client of clients) client.close();
    await product?.stop();
  });

  const udp = async (host: string, port?: number): Promise<Place> => {
    const place = await Place.udp(host, product.ports.sip, port);
    places.push(place);
    return place;
  };
  const tcp = async (host: string): Promise<Place> => {
    const place = await Place.tcp(host, product.ports.sip);
    places.push(place);
    return place;
  };
  const ws = async (host: string): Promise<Place> => {
    const place = await Place.ws(host, product.ports.http);
    places.push(place);
    return place;
  };
  const login = async (name: string): Promise<Client> => {
    const client = await Client.loggedIn(product.ports.http, name);
    clients.push(client);
    return client;
  };
  const fresh = (): string => {
    serial += 1;
    return `phones-${serial}`;
  };

  const here = (name: string, { host, port }: Place, transport = ''): NameAddr =>
    address(`sip:${name}@${host}:${port}${transport}`);

  async function register(
    phone: DeskPhone,
    place: Place,
    contact: NameAddr,
    more: Partial<Parts> = {},
    answers: Place = place,
  ): Promise<void> {
    const parts = { method: 'REGISTER', callId: fresh(), contact, ...more };
    assert.equal((await phone.ask(place, parts, answers)).status, 200);
  }

  describe('ten-contacts-lock-the-user-out', () => {
    it('twelve contacts of a phone, then eleven browsers: all are taken, the newest of all is rung', async () => {
      const place = await udp('127.0.0.6');
      const phone = new DeskPhone('crowd');
      for (let port = 20_000; port < 20_012; port++) {
        await register(phone, place, address(`sip:crowd@127.0.0.6:${port}`));
        const caller = await login('alice');
        const callId = await caller.invite('crowd');
        const invite = await place.request('INVITE');
        assert.equal(invite.uri.port, port);
        phone.answer(place, invite, 486);
        await caller.says('telnyx_rtc.bye', callId);
        caller.close();
      }
      const crowd: Client[] = [];
      for (let i = 0; i < 11; i++) crowd.push(await login('crowd'));
      const caller = await login('alice');
      const callId = await caller.invite('crowd');
      const { callID } = await crowd.at(-1)!.says('telnyx_rtc.invite');
      await crowd.at(-1)!.inCall('bye', callID, { cause: 'USER_BUSY', causeCode: 17 });
      await caller.says('telnyx_rtc.bye', callId);
      for (const one of [...crowd, caller]) one.close();
    });
  });

  /** A phone calls; the call as it knows it. */
  async function calls(phone: DeskPhone, place: Place, to: string, contact: NameAddr, sdp: string) {
    const callId = fresh();
    const parts = { method: 'INVITE', uri: `sip:${to}@sip.localhost`, to: `sip:${to}@sip.localhost` };
    const asked = phone.ask(place, { ...parts, callId, contact, sdp });
    return { callId, asked, to: parts.to };
  }

  describe('phone-that-moves-in-mid-call', () => {
    it('registers elsewhere and sends a re-INVITE from there: hold and BYE of the browser find it', async () => {
      const [before, now] = [await udp('127.0.0.5'), await udp('127.0.0.8')];
      const bob = new DeskPhone('bob');
      await register(bob, before, here('bob', before));
      const alice = await login('alice');
      const contact = here('bob', before);
      const { callId, asked, to } = await calls(bob, before, 'alice', contact, plainSdp(41_000));
      const { callID } = await alice.says('telnyx_rtc.invite');
      await alice.inCall('answer', callID, { sdp: ANSWER });
      const ok = await asked;
      assert.equal(ok.status, 200);
      const { tag } = ok.headers.to.params;
      const dialog = { callId, uri: targetOf(ok), to, toTag: tag!, route: [...route(ok)].reverse() };
      bob.acks(before, { ...dialog, contact });

      const moved = here('bob', now);
      await register(bob, now, moved);
      const again = { ...dialog, contact: moved, sdp: plainSdp(41_000).replaceAll('127.0.0.1', '127.0.0.8') };
      assert.equal((await bob.ask(now, { method: 'INVITE', ...again })).status, 200);
      bob.acks(now, { ...dialog, contact: moved });

      // Another user who knows the names of the dialog, but not its token, is known by what proves it.
      const [mallory, elsewhere] = [new DeskPhone('mallory'), await udp('127.0.0.66')];
      await register(mallory, elsewhere, here('mallory', elsewhere));
      for (const from of ['sip:bob@sip.localhost', 'sip:mallory@sip.localhost']) {
        const stolen = { ...again, route: [], contact: here('mallory', elsewhere), from };
        assert.equal((await mallory.ask(elsewhere, { method: 'INVITE', ...stolen })).status, 403);
      }

      const held = await alice.inCall('modify', callID, { action: 'hold' });
      assert.equal(held.result?.['holdState'], 'held');
      const reinvite = await now.request('INVITE');
      assert.equal(formatUri(reinvite.uri), formatUri(moved.uri));
      assert.match(bodyText(reinvite), /a=sendonly/);
      const body = plainSdp(41_000, '0 8 101', 'recvonly');
      bob.answer(now, reinvite, 200, { contact: [moved], body, contentType: SDP });
      await now.request('ACK');
      await alice.inCall('bye', callID, { cause: 'NORMAL_CLEARING', causeCode: 16 });
      bob.answer(now, await now.request('BYE'), 200);
      assert.deepEqual(requestsAt(before), []);
      alice.close();
    });

    const transports = [
      ['UDP', udp, ''],
      ['TCP', tcp, ';transport=tcp'],
      ['WebSocket', ws, ''],
    ] as const;
    for (const [name, open, transport] of transports)
      for (const how of ['re-INVITE', 'UPDATE', 'REGISTER of the same contact'])
        it(`${name}, ${how}: BYE of another phone finds it${name === 'UDP' ? ', also after a handover' : ''}`, async () => {
          const private_ =
            name === 'WebSocket'
              ? address('sip:bob@d3sk.invalid;transport=ws')
              : address(`sip:bob@192.168.1.50:5062${transport}`);
          const sdp = name === 'WebSocket' ? browserOffer() : plainSdp(41_000);
          const [before, now, desk] = [
            await open('127.0.0.5'),
            await open('127.0.0.8'),
            await udp('127.0.0.9'),
          ];
          const [bob, alice] = [new DeskPhone('bob'), new DeskPhone('alice')];
          await register(bob, before, private_);
          await register(alice, desk, here('alice', desk));
          const { callId, asked, to } = await calls(bob, before, 'alice', private_, sdp);
          const ring = await desk.request('INVITE');
          const answer = { contact: [here('alice', desk)], body: plainSdp(41_002), contentType: SDP };
          alice.answer(desk, ring, 200, answer);
          const ok = await asked;
          assert.equal(ok.status, 200);
          const toTag = ok.headers.to.params['tag']!;
          const dialog = { callId, uri: targetOf(ok), to, toTag, route: [...route(ok)].reverse() };
          bob.acks(before, { ...dialog, contact: private_ });
          await desk.request('ACK');

          if (how === 're-INVITE') {
            const parts = { method: 'INVITE', ...dialog, contact: private_ };
            assert.equal((await bob.ask(now, { ...parts, sdp })).status, 200);
            bob.acks(now, { ...dialog, contact: private_ });
          } else if (how === 'UPDATE') {
            const parts = { method: 'UPDATE', ...dialog, contact: private_ };
            assert.equal((await bob.ask(now, parts)).status, 200);
          } else await register(bob, now, private_);
          if (name === 'UDP') {
            const handed = await run('handover', '--data', product.dataDir);
            assert.equal(handed.code, 0, handed.stderr);
          }
          const theirs = {
            callId: ring.headers.callId,
            uri: targetOf(ring),
            to: formatUri(ring.headers.from.uri),
            toTag: ring.headers.from.params['tag']!,
            fromTag: 'desk',
            route: route(ring),
            contact: here('alice', desk),
          };
          assert.equal((await alice.ask(desk, { method: 'BYE', ...theirs })).status, 200);
          bob.answer(now, await now.request('BYE'), 200);
          assert.deepEqual(
            before.heard.filter((m) => m.kind === 'request'),
            [],
          );
        });
  });

  it('phone-that-listens-at-another-port: called at its Contact, in every request of the dialog', async () => {
    const [source, listens] = [await udp('127.0.0.7'), await udp('127.0.0.7')];
    const mallory = new DeskPhone('mallory');
    const contact = here('mallory', listens, ';transport=udp');
    const writes = { via: listens, rport: false as const };
    await register(mallory, source, contact, writes, listens);
    const alice = await login('alice');
    const callId = await alice.invite('mallory');
    const invite = await listens.request('INVITE');
    assert.equal(formatUri(invite.uri), formatUri(contact.uri));
    // It answers from the port it sends from.
    const answer = { contact: [contact], body: plainSdp(41_004), contentType: SDP };
    mallory.answer(source, invite, 200, answer);
    await alice.says('telnyx_rtc.answer', callId);
    await listens.request('ACK');
    assert.equal((await alice.inCall('info', callId, { dtmf: '5' })).result?.['message'], 'SENT');
    await alice.inCall('bye', callId, { cause: 'NORMAL_CLEARING', causeCode: 16 });
    mallory.answer(source, await listens.request('BYE'), 200);

    // And it calls.
    const to = 'sip:alice@sip.localhost';
    const own = { callId: fresh(), contact, ...writes };
    const sdp = plainSdp(41_004);
    const asked = mallory.ask(source, { method: 'INVITE', uri: to, to, sdp, ...own }, listens);
    const { callID } = await alice.says('telnyx_rtc.invite');
    await alice.inCall('answer', callID, { sdp: ANSWER });
    const ok = await asked;
    assert.equal(ok.status, 200);
    const toTag = ok.headers.to.params['tag']!;
    mallory.acks(source, { uri: targetOf(ok), to, toTag, route: [...route(ok)].reverse(), ...own });
    await alice.inCall('bye', callID, { cause: 'NORMAL_CLEARING', causeCode: 16 });
    mallory.answer(source, await listens.request('BYE'), 200);
    assert.deepEqual(source.heard, []);
    alice.close();
  });
});
