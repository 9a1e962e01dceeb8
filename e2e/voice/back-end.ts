import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The generations of the official package that drive the calls. */
export const PACKAGES = ['1.27.0', '4.6.0', '5.51.0', '7.24.0'] as const;
export type PackageVersion = (typeof PACKAGES)[number];

// biome-ignore lint/suspicious/noExplicitAny: four generations of a package, called by name as an application without types does
export type Json = any;

/** Commands to a leg by their name on the wire, and the method of later generations; version 1 has the wire's names. */
const METHODS = {
  answer: 'answer',
  reject: 'reject',
  hangup: 'hangup',
  bridge: 'bridge',
  transfer: 'transfer',
  refer: 'refer',
  client_state_update: 'updateClientState',
  send_sip_info: 'sendSipInfo',
  send_dtmf: 'sendDtmf',
  playback_start: 'startPlayback',
  playback_stop: 'stopPlayback',
  speak: 'speak',
  gather: 'gather',
  gather_using_audio: 'gatherUsingAudio',
  gather_using_speak: 'gatherUsingSpeak',
  gather_stop: 'stopGather',
  record_start: 'startRecording',
  record_stop: 'stopRecording',
  record_pause: 'pauseRecording',
  record_resume: 'resumeRecording',
  switch_supervisor_role: 'switchSupervisorRole',
  enqueue: 'enqueue',
  leave_queue: 'leaveQueue',
  streaming_start: 'startStreaming',
  streaming_stop: 'stopStreaming',
  fork_start: 'startForking',
  fork_stop: 'stopForking',
  transcription_start: 'startTranscription',
  transcription_stop: 'stopTranscription',
} as const;
/** Commands to a conference, as those to a leg. */
const CONFERENCE_METHODS = {
  join: 'join',
  leave: 'leave',
  mute: 'mute',
  unmute: 'unmute',
  hold: 'hold',
  unhold: 'unhold',
  play: 'play',
  stop: 'stop',
  speak: 'speak',
  update: 'update',
  send_dtmf: 'sendDtmf',
  gather_using_audio: 'gatherDtmfAudio',
  record_start: 'recordStart',
  record_pause: 'recordPause',
  record_resume: 'recordResume',
  record_stop: 'recordStop',
  end: 'endConference',
} as const;
export type ConferenceAction = keyof typeof CONFERENCE_METHODS;

export type ActionName = keyof typeof METHODS;

/** This version of the package has no such method. */
export class NotOffered extends Error {}

export interface Delivery {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A back end's half of the tests: one version of the published package, with nothing changed but where the API is. */
export class BackEnd {
  readonly version: PackageVersion;
  readonly client: Json;
  #publicKey = '';

  constructor(version: PackageVersion, url: string, apiKey: string) {
    this.version = version;
    // The ES modules of two of them cannot find their own verifier.
    const loaded: Json = require(`telnyx-${version}`);
    if (version === '1.27.0') {
      this.client = loaded(apiKey);
      const { hostname, port } = new URL(url);
      this.client.setHost(hostname, port, 'http');
      return;
    }
    const Telnyx = loaded.default ?? loaded;
    this.client = new Telnyx({ apiKey, baseURL: `${url}/v2`, maxRetries: 0 });
  }

  get #first(): boolean {
    return this.version === '1.27.0';
  }

  /** Calls the first of the methods (`resource.method`) that the package has. */
  async call(names: string | readonly string[], ...args: readonly unknown[]): Promise<Json> {
    for (const name of typeof names === 'string' ? [names] : names) {
      const path = name.split('.');
      const method = path.pop()!;
      const owner: Json = path.reduce<Json>((at, part) => at?.[part], this.client);
      if (typeof owner?.[method] === 'function') return await owner[method](...args);
    }
    throw new NotOffered(`telnyx ${this.version} has no ${String(names)}`);
  }

  /** Gives a command to a leg; it must be answered with `ok`. */
  async act(name: ActionName, control: string, body?: object): Promise<void> {
    const { data } = await this.#act(name, control, body);
    assert.equal(data.result, 'ok', `${name}: ${JSON.stringify(data)}`);
  }

  async #act(name: ActionName, control: string, body?: object): Promise<Json> {
    const given = body === undefined ? [] : [body];
    if (!this.#first) return await this.call(`calls.actions.${METHODS[name]}`, control, ...given);
    const leg: Json = new this.client.Call({ call_control_id: control });
    if (typeof leg[name] !== 'function') throw new NotOffered(`telnyx ${this.version} has no ${name}`);
    return await leg[name](...given);
  }

  /** `bridge`: versions 1 and 4 name the other leg as the wire does, later ones rename the field. */
  async bridge(control: string, other: string, more: object = {}): Promise<void> {
    await this.act('bridge', control, { [this.#otherLeg]: other, ...more });
  }

  get #otherLeg(): string {
    return this.#first || this.version === '4.6.0' ? 'call_control_id' : 'call_control_id_to_bridge_with';
  }

  /** The command is refused with this code, where published programs look for it. */
  async refused(code: string, name: ActionName, control: string, body?: object): Promise<void> {
    const renamed =
      name === 'bridge'
        ? Object.entries(body ?? {}).map(([k, v]) => [k === 'with' ? this.#otherLeg : k, v])
        : [];
    const asked = this.#act(name, control, name === 'bridge' ? Object.fromEntries(renamed) : body);
    await this.#refusedWith(code, name, asked);
  }

  async #refusedWith(code: string, name: string, asked: Promise<Json>): Promise<void> {
    try {
      await asked;
    } catch (error) {
      if (error instanceof NotOffered) throw error;
      const told = JSON.stringify([(error as Error).message, error, (error as { raw?: unknown }).raw]);
      assert.ok(told.includes(code), `${name} is refused with ${code}: ${told}`);
      return;
    }
    assert.fail(`${name} is refused with ${code}, but was taken`);
  }

  /** Makes a conference; its id. */
  async createConference(body: object): Promise<string> {
    const { data } = await this.call('conferences.create', body);
    assert.equal(data.record_type, 'conference');
    return data.id;
  }

  /** Gives a command to a conference; it must be answered with `ok`. */
  async direct(name: ConferenceAction, conference: string, body: object = {}): Promise<void> {
    const { data } = await this.#direct(name, conference, body);
    assert.equal(data.result, 'ok', `${name}: ${JSON.stringify(data)}`);
  }

  async #direct(name: ConferenceAction, conference: string, body: object): Promise<Json> {
    if (!this.#first)
      return await this.call(`conferences.actions.${CONFERENCE_METHODS[name]}`, conference, body);
    const one: Json = new this.client.Conference({ id: conference });
    if (typeof one[name] !== 'function') throw new NotOffered(`telnyx ${this.version} has no ${name}`);
    return await one[name](body);
  }

  /** The command is refused with this code, where published programs look for it. */
  async conferenceRefuses(
    code: string,
    name: ConferenceAction,
    conference: string,
    body: object = {},
  ): Promise<void> {
    await this.#refusedWith(code, name, this.#direct(name, conference, body));
  }

  async conference(id: string): Promise<Json> {
    return (await this.call('conferences.retrieve', id)).data;
  }

  async conferences(filter: object): Promise<Json[]> {
    return Object.values<Json>((await this.call('conferences.list', { filter })).data).filter(
      (one) => one?.record_type === 'conference',
    );
  }

  async participants(conference: string, filter: object = {}): Promise<Json[]> {
    const names = ['conferences.listParticipants', 'conferences.participants'];
    const listed = await this.call(names, conference, { filter });
    return Object.values<Json>(listed.data).filter((one) => one?.record_type === 'participant');
  }

  async dial(body: object): Promise<Json> {
    const { data } = await this.call(['calls.dial', 'calls.create'], body);
    assert.equal(data.is_alive, false, 'a call has only begun when dial is answered');
    assert.equal(data.record_type, 'call');
    return data;
  }

  async retrieve(control: string): Promise<Json> {
    return (await this.call(['calls.retrieveStatus', 'calls.retrieve'], control)).data;
  }

  /** Every living leg of a connection, one on a page, by the package's own paging where it has some. */
  async activeCalls(connection: string): Promise<Json[]> {
    return await all(await this.call('connections.listActiveCalls', connection, { 'page[size]': 1 }));
  }

  /** The calls in a queue, one on a page where the package pages. */
  async queued(name: string): Promise<Json[]> {
    if (!this.#first)
      return await all(await this.call('queues.calls.list', name, { 'page[size]': this.#paged }));
    // What it lists it hangs on an object, by numbers, and leaves there what was listed before.
    const { data, meta }: Json = await this.call('queues.list_calls', name);
    return Array.from({ length: meta.total_results }, (_, i) => data[i]);
  }

  /** 4.6.0 does not page the calls of a queue. */
  get #paged(): number {
    return this.version === '4.6.0' ? 20 : 1;
  }

  async callEvents(session: string): Promise<Json[]> {
    const filter = { filter: { application_session_id: session } };
    if (this.#first) return (await this.call('callEvents.list', { page: { size: 100 }, ...filter })).data;
    return await all(await this.call('callEvents.list', { 'page[size]': 100, ...filter }));
  }

  /** Reads the key that webhooks are signed with, as programs do. */
  async readPublicKey(url: string, apiKey: string): Promise<void> {
    const answer = await fetch(`${url}/v2/public_key`, { headers: { Authorization: `Bearer ${apiKey}` } });
    const { data } = (await answer.json()) as Json;
    assert.equal(data.public.length, 44);
    this.#publicKey = data.public;
  }

  /** What the package makes of a delivery; throws when it does not believe the signature. */
  async unwrap({ body, headers }: Delivery): Promise<Json> {
    const key = this.#publicKey;
    if (this.#first)
      return this.client.webhooks.constructEvent(
        body,
        headers['telnyx-signature-ed25519'],
        headers['telnyx-timestamp'],
        key,
        300,
      );
    return await this.client.webhooks.unwrap(body, { headers, key });
  }
}

/** The items of a list, over its pages; an end must come. */
async function all(first: Json): Promise<Json[]> {
  if (typeof first.iterPages !== 'function') return first.data;
  const items: Json[] = [];
  for await (const item of first) {
    items.push(item);
    assert.ok(items.length < 1_000, 'the list has no end');
  }
  return items;
}
