import assert from 'node:assert/strict';
import { createResponse, type ExtraHeaders } from '@sidetone/sip';
import type { CallEvent, Command, DialCommand, LegCommand, LegIds, MediaReply, Source } from '@sidetone/wire';
import { dial, nameAddr, uri } from './callers.ts';
import { connection, type Far, people, sdp, trunk, VoiceBench } from './voice-bench.ts';

/*
 * A back end in front of voice, for tests of commands: who there is, what is done, what is seen.
 *
 *   line1   parks, account `default`        line4   parks, account `other`
 *   line2   account `default`, plain        line5   is told of plain calls
 *   1900    an application of `default` with the number +13125550190; 1901 hangs up after 30 s without a command
 *   1904    an application of `other`
 */

export const WEBHOOK = {
  url: 'https://app.example/hook',
  failoverUrl: null,
  apiVersion: '2',
  timeoutSecs: null,
} as const;

export const application = (id: string, change: object = {}) => ({
  id,
  accountId: 'default',
  name: `app ${id}`,
  active: true,
  webhook: WEBHOOK,
  firstCommandSecs: null,
  subdomain: null,
  profileId: null,
  inboundChannelLimit: null,
  outboundChannelLimit: null,
  ...change,
});

export const BACK_ENDS = {
  connections: [
    connection('line1', { parking: true, webhook: WEBHOOK, numbers: ['+13125550100'] }),
    connection('line2', { numbers: ['+13125550101'] }),
    connection('line4', { parking: true, webhook: WEBHOOK, accountId: 'other' }),
    connection('line5', { webhook: WEBHOOK, numbers: ['+13125550105'] }),
  ],
  trunks: [trunk()],
  applications: [
    application('1900', { numbers: ['+13125550190'] }),
    application('1901', { numbers: ['+13125550191'], firstCommandSecs: 30 }),
    application('1904', { accountId: 'other' }),
  ],
};

/** A leg as the test sees it: its names, and the far room's name of the dialog. */
export interface Party {
  readonly far: Far;
  readonly dialog: string;
  readonly control: string;
  readonly leg: string;
}

export class BackEnd extends VoiceBench {
  /** Calls that are over stay listed in their queues. */
  keepsQueued = false;
  #calls = 0;

  constructor(options: ConstructorParameters<typeof VoiceBench>[0] = {}) {
    super({ identity: people(BACK_ENDS), ...options });
  }

  /** Commands that must be taken. */
  ok(command: Command): LegIds | undefined {
    const result = this.command(command);
    assert.ok(result.ok, JSON.stringify(result));
    return result.ids;
  }

  /** Why a command is refused: with nothing said to anybody and nothing written. */
  refusal(command: Command): string {
    const seen = (): unknown => [
      [...this.journal],
      this.media.length,
      this.news.length,
      this.records.length,
      this.written,
      this.voice.size,
    ];
    const before = JSON.stringify(seen());
    const result = this.command(command);
    assert.equal(JSON.stringify(seen()), before, 'a refused command has changed something');
    if (result.ok) return 'ok';
    const { why, field } = result.refusal;
    return field === undefined ? why : `${why} ${field}`;
  }

  do<T extends LegCommand['type']>(
    type: T,
    { control }: Pick<Party, 'control'>,
    more: Partial<Extract<LegCommand, { type: T }>> = {},
  ): LegIds | undefined {
    return this.ok({ type, account: 'default', control, ...more } as LegCommand);
  }

  tries(type: LegCommand['type'], { control }: Pick<Party, 'control'>, more: object = {}): string {
    return this.refusal({ type, account: 'default', control, ...more } as LegCommand);
  }

  /** A client of a parking connection calls: parked, not answered. */
  parked(user = 'line1', headers: ExtraHeaders = [], offer: string | null = sdp()): Party {
    const from = `<sip:+13125550100@sip.localhost>`;
    const callId = `client-${++this.#calls}`;
    const dialog = dial(this, '+15550100', { user, from, headers, callId, offer: offer ?? undefined });
    return this.#last(this.vsp, dialog);
  }

  /** A carrier calls a number of an application. */
  arrived(number = '+13125550190', offer: string | null = sdp()): Party {
    const { leg, out } = this.proxy.agent.invite(
      {
        requestUri: uri(`sip:${number}@127.0.0.1:5060`),
        from: nameAddr('"Bob" <sip:+15550177@192.0.2.10>'),
        to: nameAddr(`<sip:${number}@127.0.0.1>`),
        ...(offer === null ? {} : { sdp: offer }),
        headers: [['X-Sidetone-Trunk', 'carrier']],
        callId: `carrier-${++this.#calls}`,
      },
      this.now,
    );
    this.proxy.act(out);
    return this.#last(this.proxy, leg);
  }

  #last(far: Far, dialog: string): Party {
    const { leg } = this.news.findLast(({ what }) => what.type === 'initiated')!;
    return { far, dialog, control: leg.control, leg: leg.leg };
  }

  /** Parked and answered. */
  talking(party = this.parked()): Party {
    this.do('answer', party);
    party.far.take('accepted');
    return party;
  }

  dialCommand(more: Partial<DialCommand> = {}): DialCommand {
    return {
      type: 'dial',
      account: 'default',
      connection: '1900',
      to: ['+15550122'],
      from: '+13125550100',
      ...more,
    };
  }

  /** Somebody whom the carrier rings. */
  dialled(more: Partial<DialCommand> = {}): Party {
    const ids = this.ok(this.dialCommand(more))!;
    return { ...this.rings(), control: ids.control, leg: ids.leg };
  }

  /** The call that the carrier has got last. */
  rings(): Pick<Party, 'far' | 'dialog'> {
    return { far: this.proxy, dialog: this.proxy.take('incoming').leg };
  }

  /** The leg of a transfer that rings now. */
  transferred(): Party {
    return { ...this.#last(this.proxy, ''), ...this.rings() };
  }

  answers({ far, dialog }: Pick<Party, 'far' | 'dialog'>, status = 200, headers: ExtraHeaders = []): void {
    const described = (status < 300 && status !== 180 ? { sdp: sdp('sendrecv', 6_000) } : {}) as object;
    far.act(far.agent.respond(dialog, status, { ...described, headers }, this.now));
  }

  /** Dialled and answered. */
  up(more: Partial<DialCommand> = {}): Party {
    const party = this.dialled(more);
    this.answers(party);
    return party;
  }

  hangsUp({ far, dialog }: Pick<Party, 'far' | 'dialog'>, headers: ExtraHeaders = []): void {
    far.act(far.agent.bye(dialog, headers, this.now));
  }

  givesUp({ far, dialog }: Pick<Party, 'far' | 'dialog'>): void {
    far.act(far.agent.cancel(dialog, [], this.now));
  }

  holds({ far, dialog }: Pick<Party, 'far' | 'dialog'>, on = true): void {
    far.act(far.agent.reinvite(dialog, sdp(on ? 'sendonly' : 'sendrecv'), 'hold', this.now));
  }

  /** A browser of this user is bound. */
  bound(contacts: readonly string[], status = 200): void {
    const asked = this.proxy.take('request');
    const parts = { contact: contacts.map((contact) => nameAddr(`<${contact}>`)) };
    const message = createResponse(asked.request, status, parts);
    this.tell({ type: 'sip', message, flow: { transport: 'local', node: 'proxy' } });
  }

  refers({ far, dialog }: Pick<Party, 'far' | 'dialog'>, referTo: string): number {
    const request = { method: 'REFER', headers: [['Refer-To', referTo]] as const };
    far.act(far.agent.requestInDialog(dialog, request, 'refer', this.now));
    return far.take('inDialogResult').status;
  }

  /** The events of a leg, in their order. */
  of({ leg }: Pick<Party, 'leg'>): string[] {
    return this.news.filter(({ lane }) => lane === leg).map(({ what }) => what.type);
  }

  last({ leg }: Pick<Party, 'leg'>): CallEvent {
    return this.news.findLast(({ lane }) => lane === leg)!;
  }

  /** `cause sip source` of its hang-up. */
  hangup(party: Pick<Party, 'leg'>): string {
    const { what } = this.last(party);
    return what.type === 'hangup' ? `${what.cause} ${what.sip} ${what.source}` : what.type;
  }

  isAlive = ({ control }: Pick<Party, 'control'>): boolean => this.voice.legOf(control)?.alive === true;

  /** What each leg in media hears: the name of the other one, or a sound. */
  hears(): Map<string, string> {
    const heard = new Map<string, string>();
    const word = (source: Source): string => (source.kind === 'leg' ? source.leg : source.kind);
    for (const command of this.media) {
      if (command.op === 'source') heard.set(command.leg, word(command.source));
      if (command.op === 'close') heard.delete(command.leg);
    }
    return heard;
  }

  /** These two hear each other, and nobody else does. */
  pair(one: Party, other: Party): void {
    const heard = this.hears();
    assert.equal(heard.get(one.leg), other.leg, JSON.stringify([...heard]));
    assert.equal(heard.get(other.leg), one.leg, JSON.stringify([...heard]));
    for (const [leg, source] of heard)
      if (leg !== one.leg && leg !== other.leg)
        assert.ok(source !== one.leg && source !== other.leg, `${leg} hears ${source}`);
  }

  /** Answered and at no place: silence, and nobody hears it. */
  alone(party: Party): void {
    assert.ok(this.isAlive(party), 'it is gone');
    const heard = this.hears();
    assert.equal(heard.get(party.leg), 'silence', JSON.stringify([...heard]));
    assert.ok(![...heard.values()].includes(party.leg), 'somebody hears a parked leg');
  }

  /** Lanes: numbered without gaps, `initiated` first, `hangup` last but for recordings, `answered` once at most. */
  lanes(): void {
    for (const lane of new Set(this.news.map((event) => event.lane))) {
      const told = this.news.filter((event) => event.lane === lane);
      const types = told.map(({ what }) => what.type);
      assert.deepEqual(
        told.map(({ n }) => n),
        told.map((_, i) => i),
        `${lane}: ${types.join(' ')}`,
      );
      assert.equal(new Set(told.map(({ id }) => id)).size, told.length);
      if (types[0] === 'conferenceCreated') {
        const ended = types.indexOf('conferenceEnded');
        assert.ok(ended < 0 || ended === types.length - 1, types.join(' '));
        continue;
      }
      assert.equal(types[0], 'initiated', types.join(' '));
      const stays = types.filter((type) => type === 'joined' || type === 'left');
      for (const [i, type] of stays.entries())
        assert.equal(type, i % 2 === 0 ? 'joined' : 'left', types.join(' '));
      const end = types.indexOf('hangup');
      const behind = end < 0 ? [] : types.slice(end + 1);
      assert.ok(
        behind.every((type) => type === 'recorded' || type === 'recordFailed'),
        types.join(' '),
      );
      assert.ok(types.filter((type) => type === 'answered').length <= 1, types.join(' '));
      const queued = types.filter((type) => type === 'enqueued' || type === 'dequeued');
      for (const [i, type] of queued.entries())
        assert.equal(type, i % 2 === 0 ? 'enqueued' : 'dequeued', types.join(' '));
      if (end >= 0) assert.equal(stays.length % 2, 0, types.join(' '));
      if (end >= 0 && !this.keepsQueued) assert.equal(queued.length % 2, 0, types.join(' '));
    }
  }

  /** Each lane has its end. */
  laneEnds(): void {
    for (const lane of new Set(this.news.map((event) => event.lane))) {
      // What becomes of a recording may be told behind the end.
      const last = this.news.findLast(
        ({ lane: of, what }) => of === lane && what.type !== 'recorded' && what.type !== 'recordFailed',
      )?.what.type;
      assert.ok(last === 'hangup' || last === 'conferenceEnded', `the last of ${lane} is ${last}`);
    }
  }

  /** Behind everything: nothing left, and each lane has its end. */
  clean(): void {
    this.mediaReply = (): MediaReply | undefined => undefined;
    this.tell({ type: 'drain' });
    this.advance(700_000);
    for (const { account, name } of this.queues.viewsOf('default')) {
      for (const { control } of this.queues.queued(account, name) ?? [])
        this.ok({ type: 'queue', account, queue: name, ask: { do: 'remove', control } });
      this.ok({ type: 'queue', account, queue: name, ask: { do: 'delete' } });
    }
    assert.deepEqual(this.voice.size, { calls: 0, media: 0, dialogs: 0 });
    assert.equal(this.voice.deadline(), null);
    assert.deepEqual([...this.journal.keys()], []);
    assert.deepEqual([...this.engine], []);
    this.lanes();
    this.laneEnds();
    const recorded = this.records.map((record) => record.leg_id);
    assert.equal(new Set(recorded).size, recorded.length, 'a leg is recorded twice');
  }
}
