import type { CallEvent, CallNews, ConferenceNews, PlayedMedia } from '@sidetone/wire';
import { savedRecording } from './saved-recording.ts';
import { isoMicros } from './stamp.ts';

/*
 * `conference.*` tells less of the leg than events of a call do, and `occurred_at` again in the payload: published pages show it there,
 * published types beside it.
 */

type Told = Record<string, unknown>;

const TYPES: { readonly [T in ConferenceNews['type']]: true } = {
  conferenceCreated: true,
  conferenceEnded: true,
  conferencePlayStarted: true,
  conferencePlayEnded: true,
  conferenceSpeakStarted: true,
  conferenceSpeakEnded: true,
  conferenceRecorded: true,
  floorChanged: true,
  joined: true,
  left: true,
  memberPlayStarted: true,
  memberPlayEnded: true,
  memberSpeakStarted: true,
  memberSpeakEnded: true,
};

export const isConferenceNews = (what: CallNews): what is ConferenceNews => Object.hasOwn(TYPES, what.type);

export function conferencePayload({ leg, clientState, at }: CallEvent, what: ConferenceNews): Told {
  const about = { conference_id: what.conference, connection_id: leg.connection, occurred_at: isoMicros(at) };
  const ids = {
    call_control_id: leg.control,
    call_leg_id: leg.leg,
    call_session_id: leg.session,
    client_state: clientState,
    ...about,
  };
  switch (what.type) {
    case 'conferenceCreated':
    case 'floorChanged':
    case 'joined':
    case 'left':
      return ids;
    case 'conferenceEnded':
      return { ...ids, reason: what.reason };
    case 'conferencePlayStarted':
      return { ...about, creator_call_session_id: what.creator, ...mediaOf(what.media) };
    case 'conferencePlayEnded':
      return {
        ...about,
        creator_call_session_id: what.creator,
        ...mediaOf(what.media),
        status: what.status,
      };
    case 'conferenceSpeakStarted':
      return { ...about, creator_call_session_id: what.creator };
    case 'conferenceSpeakEnded':
      return { ...about, creator_call_session_id: what.creator, status: what.status };
    case 'conferenceRecorded':
      return { ...ids, ...savedRecording(what.recording) };
    case 'memberPlayStarted':
      return { ...ids, creator_call_session_id: what.creator, ...mediaOf(what.media) };
    case 'memberPlayEnded':
      return { ...ids, creator_call_session_id: what.creator, ...mediaOf(what.media), status: what.status };
    case 'memberSpeakStarted':
      return { ...ids, creator_call_session_id: what.creator };
    case 'memberSpeakEnded':
      return { ...ids, creator_call_session_id: what.creator, status: what.status };
  }
}

const mediaOf = ({ url, name }: PlayedMedia): Told => ({
  ...(url === undefined ? {} : { media_url: url }),
  ...(name === undefined ? {} : { media_name: name }),
});
