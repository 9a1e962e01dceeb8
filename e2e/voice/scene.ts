import assert from 'node:assert/strict';
import { Baresip } from '../src/baresip.ts';
import { freePort } from '../src/ports.ts';
import { RtpPeer } from '../src/rtp-peer.ts';
import { Sipp } from '../src/sipp.ts';
import type { PageCall, TestPage } from '../src/test-page.ts';
import { until, within } from '../src/wait.ts';
import type { BackEnd, Json } from './back-end.ts';
import { baresipEar, type Ear, type Heard, hear, pageEar, rtpEar } from './ears.ts';
import type { Hook } from './hook.ts';
import { CARRIERS, DESK, HZ, PASSWORD, type Sdk, type Stage } from './stage.ts';

export interface VoiceRow {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<void>;
}

/** A page as one party. */
export interface PageParty {
  readonly sdk: Sdk;
  readonly page: TestPage;
  readonly ear: Ear;
  readonly hz: number;
  readonly address: string;
}

/** A call of a page that is parked. */
export interface Parked {
  readonly control: string;
  /** The page's id of the call. */
  readonly id: string;
  readonly initiated: Json;
}

/** A carrier for one call: SIPp for its signalling, an RTP peer for its sound. */
export interface Carrier {
  readonly sipp: Sipp;
  readonly rtp: RtpPeer;
  readonly ear: Ear;
  readonly hz: number;
  readonly number: string;
  /** It picks up, and speaks. */
  answers(): Promise<void>;
  /** It hears and is spoken to where the newest description says. */
  speaks(): Promise<void>;
}

const FORMAT = { codec: 'PCMU', payloadType: 0, eventPayloadType: 101 } as const;
const SAYS = [HZ.carrier, HZ.second, 1_200] as const;

export const state = (text: string): string => Buffer.from(text).toString('base64');

/** One row on a stage: its parties, its legs and what was told of them. */
export class Scene {
  readonly stage: Stage;
  readonly #known: Set<string>;
  readonly #lives = new Map<string, string>();
  readonly #carriers: Carrier[] = [];
  readonly #phones: Baresip[] = [];
  #step = 'begin';

  constructor(stage: Stage) {
    this.stage = stage;
    this.#known = new Set(this.hook.told.map(({ control }) => control));
  }

  get api(): BackEnd {
    return this.stage.api;
  }

  get hook(): Hook {
    return this.stage.house.hook;
  }

  party(sdk: Sdk): PageParty {
    const page = this.stage.house.pages[sdk];
    return {
      sdk,
      page,
      ear: pageEar(`the page of ${sdk}`, page),
      hz: sdk === 'ours' ? HZ.ours : HZ.published,
      address: this.stage.address(sdk),
    };
  }

  /** What follows belongs to this step; a failure names it. */
  step(name: string): void {
    this.#step = name;
  }

  /** Each party hears exactly this. */
  async hears(...wanted: readonly (readonly [{ readonly ear: Ear }, Heard])[]): Promise<void> {
    await hear(
      this.#step,
      wanted.map(([{ ear }, what]) => [ear, what] as const),
    );
  }

  /** The leg that begins next; it must be told of as parked, or as one that we dialled. */
  async begins(what: 'parked' | 'bridging', direction: 'incoming' | 'outgoing' = 'outgoing'): Promise<Json> {
    const told = await this.hook.begins(this.#known);
    this.#known.add(told.call_control_id);
    assert.deepEqual([told.state, told.direction], [what, direction]);
    return told;
  }

  /** A page calls, and is parked. */
  async parks(sdk: Sdk, to: string, more: Readonly<Record<string, unknown>> = {}): Promise<Parked> {
    const { page } = this.party(sdk);
    const id = await page.newCall({ destinationNumber: to, callerNumber: DESK, ...more });
    const initiated = await this.begins('parked');
    const control = initiated.call_control_id;
    assert.deepEqual(
      [initiated.to, initiated.connection_id, initiated.calling_party_type, initiated.client_state],
      [to, this.stage.connections[sdk], 'sip', more['clientState'] ?? null],
    );
    await page.reaches(id, 'trying');
    return { control, id, initiated };
  }

  /** The page was told the same three names. */
  async isNamed({ id, initiated }: Parked, page: TestPage): Promise<void> {
    const ids = (await page.read(id, 'telnyxIDs')) as Record<string, string>;
    assert.deepEqual(
      [ids['telnyxCallControlId'], ids['telnyxSessionId'], ids['telnyxLegId']],
      [initiated.call_control_id, initiated.call_session_id, initiated.call_leg_id],
    );
  }

  /** A page calls, is answered by command, and hears nobody. */
  async answered(sdk: Sdk, to: string, more: Readonly<Record<string, unknown>> = {}): Promise<Parked> {
    const parked = await this.parks(sdk, to, more);
    const { page } = this.party(sdk);
    await this.api.act('answer', parked.control);
    await page.becomes(parked.id, 'active');
    await this.hook.gets(parked.control, 'answered');
    return parked;
  }

  /** Calls somebody, from the application; the leg's `call_control_id`. */
  async dials(to: string | readonly string[], more: object = {}): Promise<string> {
    const made = await this.api.dial({ connection_id: this.stage.application, to, from: DESK, ...more });
    const told = await this.begins('bridging');
    assert.deepEqual(
      [told.call_control_id, told.call_leg_id, told.call_session_id, told.connection_id],
      [made.call_control_id, made.call_leg_id, made.call_session_id, this.stage.application],
    );
    return made.call_control_id;
  }

  /** A page is rung, and answers. */
  async picksUp(sdk: Sdk): Promise<PageCall> {
    const { page } = this.party(sdk);
    const { id } = await page.rings();
    await page.act(id, 'answer');
    return await page.becomes(id, 'active');
  }

  /** The nth carrier: it waits for a call, or calls the account's number. */
  async carrier(role: 'uas' | 'uac', n = 0): Promise<Carrier> {
    const hz = SAYS[n]!;
    const rtp = await RtpPeer.open(FORMAT);
    const sipp = await Sipp.start({
      role,
      port: this.stage.carrierPorts[n]!,
      rtp: { host: '127.0.0.1', port: rtp.port },
      format: FORMAT,
      ...(role === 'uac'
        ? { number: DESK, server: { host: '127.0.0.1', port: this.stage.server.sipPort } }
        : {}),
    });
    const speaks = async (): Promise<void> => rtp.send(await sipp.remoteAudio(), hz);
    const carrier: Carrier = {
      sipp,
      rtp,
      hz,
      number: `${CARRIERS[n]!}0001111`,
      ear: rtpEar(`carrier ${n}`, rtp),
      answers: async () => {
        await sipp.says('180');
        await sipp.steer('answer');
        await sipp.gets('ACK');
        await speaks();
      },
      speaks,
    };
    this.#carriers.push(carrier);
    return carrier;
  }

  /** A registered desk phone, whose calls are parked. */
  async phone(): Promise<{ readonly phone: Baresip; readonly ear: Ear }> {
    const registers = { domain: 'sip.localhost', sipPort: this.stage.server.sipPort, password: PASSWORD };
    const user = this.stage.user('phone');
    const phone = await Baresip.start(await freePort(), [{ user, answer: 'manual', registers }]);
    this.#phones.push(phone);
    await phone.registered();
    return { phone, ear: baresipEar('the desk phone', phone) };
  }

  /** The carrier got BYE, and its scenario went as written. */
  async isHungUp({ sipp }: Carrier): Promise<void> {
    await sipp.gets('BYE');
    await sipp.finishes();
  }

  /** What was told of a leg in all, in this order; checked now or when the row is over. */
  async lived(control: string, types: string): Promise<void> {
    this.#lives.set(control, types);
    const wanted = types.split(' ');
    const told = (): string[] => this.hook.of(control).map(({ type }) => type);
    await until(`the webhooks "${types}" of ${control.slice(-6)}`, () => told().length >= wanted.length, {
      detail: () => this.hook.report(),
    });
    await this.hook.settles();
    assert.deepEqual(told(), wanted, this.hook.report());
    this.#sameNames(control);
  }

  #sameNames(control: string): void {
    const names = this.hook
      .of(control)
      // What a conference plays is nobody's.
      .filter(({ payload }) => payload.call_leg_id !== undefined)
      .map(({ payload }) => [payload.call_leg_id, payload.call_session_id, payload.connection_id].join());
    assert.equal(new Set(names).size, 1, 'a leg keeps its names');
  }

  /** As `lived`, where what was played and pressed is not counted: begins and ends well, and what started has ended once. */
  async alternates(control: string): Promise<void> {
    await this.hook.gets(control, 'hangup');
    await this.hook.settles();
    const types = this.hook.of(control).map(({ type }) => type);
    assert.deepEqual([types[0], types.at(-1)], ['initiated', 'hangup'], this.hook.report());
    for (const what of ['playback', 'speak'])
      for (let open = 0, i = 0; i < types.length; i++) {
        if (types[i] === `${what}.started`) open++;
        if (types[i] === `${what}.ended`) open--;
        assert.ok(open === 0 || open === 1, this.hook.report());
        assert.ok(open === 0 || i < types.length - 1, this.hook.report());
      }
    await this.lived(control, types.join(' '));
  }

  /** How a leg ended. */
  async hangup(control: string, cause: string, source: string, sip?: string): Promise<Json> {
    const payload = await this.hook.gets(control, 'hangup');
    assert.deepEqual([payload.hangup_cause, payload.hangup_source], [cause, source], this.hook.report());
    if (sip !== undefined) assert.equal(payload.sip_hangup_cause, sip);
    return payload;
  }

  /** Every leg of the row was accounted for, and nothing was told behind its end. */
  async isOver(): Promise<void> {
    for (const [control, types] of this.#lives) await this.lived(control, types);
    for (const { control } of this.hook.told)
      assert.ok(
        this.#lives.has(control) || this.#before(control),
        `a leg that no row knows\n${this.hook.report()}`,
      );
  }

  #before(control: string): boolean {
    return !this.hook.of(control).some(({ type }) => type === 'initiated' || type === 'conference.created');
  }

  async report(): Promise<string> {
    const { pages } = this.stage.house;
    return [
      `in the step "${this.#step}"`,
      this.hook.report(),
      ...this.#carriers.map(({ sipp }) => sipp.report()),
      ...this.#phones.map((phone) => phone.report()),
      `2.27.10: ${await pages['2.27.10'].report()}`,
      `ours: ${await pages.ours.report()}`,
      this.stage.server.log.slice(-3_000),
    ].join('\n');
  }

  /** Ends what is left of a row, and gives its ports back: carriers last, since each must hear of its end. */
  async close(): Promise<void> {
    for (const page of Object.values(this.stage.house.pages))
      for (const { id, state: now } of await page.calls().catch(() => []))
        if (now !== 'destroy' && now !== 'hangup') await page.act(id, 'hangup').catch(() => false);
    for (const control of this.#known)
      if (!this.hook.of(control).some(({ type }) => type === 'hangup'))
        await this.api.act('hangup', control).catch(() => undefined);
    for (const phone of this.#phones) await phone.stop();
    for (const { sipp, rtp } of this.#carriers) {
      await within('the carrier to be hung up', sipp.exited, 3_000).catch(() => undefined);
      await sipp.stop();
      rtp.close();
    }
  }
}
