import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConferenceNews, EVENT_NAME } from '@sidetone/wire';
import { dataOf, envelopeOf, eventOf as readEvent } from '../src/index.ts';
import { eventOf } from './bench.ts';

const AT = '2026-11-30T06:40:00.123456Z';
const ABOUT = { conference_id: 'c1', connection_id: '1234567890123456789', occurred_at: AT };
const IDS = {
  call_control_id: 'v3:l',
  call_leg_id: 'l',
  call_session_id: 's1',
  client_state: null,
  ...ABOUT,
};
const BY = { conference: 'c1', creator: 's0' } as const;
const CREATOR = { creator_call_session_id: 's0' };
const URL = { media: { url: 'https://files.example/a.wav', overlay: false } } as const;
const NAME = { media: { name: 'a', overlay: false } } as const;
const TOLD_URL = { media_url: 'https://files.example/a.wav' };

/** A kind without a row does not compile. */
const ROWS: { readonly [T in ConferenceNews['type']]: [Extract<ConferenceNews, { type: T }>, object] } = {
  conferenceCreated: [{ type: 'conferenceCreated', conference: 'c1' }, IDS],
  conferenceEnded: [
    { type: 'conferenceEnded', conference: 'c1', reason: 'host_left' },
    { ...IDS, reason: 'host_left' },
  ],
  conferencePlayStarted: [
    { type: 'conferencePlayStarted', ...BY, ...URL },
    { ...ABOUT, ...CREATOR, ...TOLD_URL },
  ],
  conferencePlayEnded: [
    { type: 'conferencePlayEnded', ...BY, ...NAME, status: 'completed' },
    { ...ABOUT, ...CREATOR, media_name: 'a', status: 'completed' },
  ],
  conferenceSpeakStarted: [
    { type: 'conferenceSpeakStarted', ...BY },
    { ...ABOUT, ...CREATOR },
  ],
  conferenceSpeakEnded: [
    { type: 'conferenceSpeakEnded', ...BY, status: 'cancelled' },
    { ...ABOUT, ...CREATOR, status: 'cancelled' },
  ],
  conferenceRecorded: [
    {
      type: 'conferenceRecorded',
      conference: 'c1',
      recording: {
        id: 'r1',
        format: 'wav',
        channels: 2,
        startedAt: 1_790_000_000_000,
        endedAt: 1_790_000_060_000,
        url: 'https://voice.example/recordings/r1.wav',
      },
    },
    {
      ...IDS,
      recording_id: 'r1',
      channels: 'dual',
      format: 'wav',
      recording_started_at: '2026-09-21T14:13:20.000000Z',
      recording_ended_at: '2026-09-21T14:14:20.000000Z',
      recording_urls: { wav: 'https://voice.example/recordings/r1.wav' },
      public_recording_urls: {},
    },
  ],
  floorChanged: [{ type: 'floorChanged', conference: 'c1' }, IDS],
  joined: [{ type: 'joined', conference: 'c1' }, IDS],
  left: [{ type: 'left', conference: 'c1' }, IDS],
  memberPlayStarted: [
    { type: 'memberPlayStarted', ...BY, ...URL },
    { ...IDS, ...CREATOR, ...TOLD_URL },
  ],
  memberPlayEnded: [
    { type: 'memberPlayEnded', ...BY, ...URL, status: 'call_hangup' },
    { ...IDS, ...CREATOR, ...TOLD_URL, status: 'call_hangup' },
  ],
  memberSpeakStarted: [
    { type: 'memberSpeakStarted', ...BY },
    { ...IDS, ...CREATOR },
  ],
  memberSpeakEnded: [
    { type: 'memberSpeakEnded', ...BY, status: 'completed' },
    { ...IDS, ...CREATOR, status: 'completed' },
  ],
};

describe('webhooks: conference.* says when, in both places', () => {
  for (const [news, payload] of Object.values(ROWS))
    it(`tells ${EVENT_NAME[news.type]}, and keeps it whole in the journal`, () => {
      const event = eventOf('l', 0, news);
      assert.deepEqual(JSON.parse(JSON.stringify(dataOf(event))), {
        record_type: 'event',
        event_type: EVENT_NAME[news.type],
        id: 'l-0',
        occurred_at: AT,
        payload,
      });
      assert.deepEqual(readEvent(JSON.parse(JSON.stringify(event))), event);
      const { conference: _, ...torn } = news;
      assert.equal(readEvent({ ...event, what: torn }), null);
    });

  it('tells floor.changed with and without data: published pages and types differ', () => {
    const event = eventOf('l', 0, { type: 'floorChanged', conference: 'c1' });
    const body = envelopeOf(event, 1, 'https://app.example') as Record<string, unknown>;
    assert.equal(body['event_type'], 'conference.floor.changed');
    assert.deepEqual(body['data'], dataOf(event));
  });
});
