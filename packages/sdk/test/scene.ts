import type { Call } from '../src/call.ts';
import { Client } from '../src/client.ts';
import type { ClientOptions } from '../src/options.ts';
import { TelnyxRTC } from '../src/telnyx-rtc.ts';
import { FakeBrowser, type FakeSocket, type Json, settle } from './fake-browser.ts';

/** A client in a fake browser, and what its application saw. */
export class Scene {
  readonly browser = new FakeBrowser();
  readonly client: Client;
  readonly events: { name: string; payload: Json }[] = [];
  /** `raw/common` of every callUpdate. */
  readonly states: string[] = [];

  constructor(options: Partial<ClientOptions> = {}, native = false) {
    const all = { login: 'line1', password: 'secret', ...options };
    const environment = this.browser.environment();
    this.client = native ? new Client(all, environment) : new TelnyxRTC(all, environment);
    for (const name of [
      'telnyx.ready',
      'telnyx.error',
      'telnyx.warning',
      'telnyx.socket.open',
      'telnyx.socket.close',
    ] as const)
      this.client.on(name, (payload) => this.events.push({ name, payload: payload as Json }));
    this.client.on('telnyx.notification', (notification) => {
      if (notification.type === 'callUpdate')
        this.states.push(`${notification.call.state}/${notification.call.commonState}`);
      else this.events.push({ name: notification.type, payload: notification as Json });
    });
  }

  get socket(): FakeSocket {
    return this.browser.socket;
  }

  /** The codes of the errors so far. */
  get errors(): number[] {
    return this.named('telnyx.error').map((payload) => payload['error'].code);
  }

  named(name: string): Json[] {
    return this.events.filter((event) => event.name === name).map((event) => event.payload);
  }

  /** A scene whose client is ready. */
  static async ready(options: Partial<ClientOptions> = {}, native = false): Promise<Scene> {
    const scene = new Scene(options, native);
    void scene.client.connect();
    await scene.registers([]);
    return scene;
  }

  /** The newest socket opens and the client becomes ready on it. */
  async registers(reattached: string[]): Promise<void> {
    this.socket.opens();
    this.socket.says({
      jsonrpc: '2.0',
      id: this.socket.last('login')['id'],
      result: { sessid: 'session-1' },
      voice_sdk_id: 'token-1',
    });
    await settle();
    await this.socket.asks('telnyx_rtc.clientReady', { reattached_sessions: reattached });
    await this.socket.replies('telnyx_rtc.gatewayState', {
      params: { state: 'REGED', call_report_id: 'report', dc: 'lab', region: 'eu' },
    });
  }

  /** A call whose invite was sent. */
  async invites(options: Json = {}): Promise<Call> {
    const call = this.client.newCall({ destinationNumber: '9196', ...options });
    await settle();
    this.browser.peer.finds('host');
    await this.browser.passes(0);
    await settle();
    return call;
  }

  /** A call that is active. */
  async talks(options: Json = {}): Promise<Call> {
    const call = await this.invites(options);
    await this.socket.replies('telnyx_rtc.invite', { message: 'CALL CREATED' });
    await this.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp: 'their answer' });
    return call;
  }

  /** The server calls; gives the call, which rings. */
  async rings(params: Json = {}): Promise<Call> {
    await this.socket.asks('telnyx_rtc.invite', {
      callID: 'in-1',
      sdp: 'their offer',
      caller_id_name: 'Bob',
      caller_id_number: '1002',
      callee_id_name: 'Alice',
      callee_id_number: '1001',
      telnyx_leg_id: 'leg-1',
      ...params,
    });
    return this.client.calls['in-1']!;
  }
}
