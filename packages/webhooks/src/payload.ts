import {
  type CallEvent,
  type CallNews,
  type CommandHeaders,
  type ConferenceNews,
  EVENT_NAME,
  type PlayedMedia,
  type StreamedAs,
} from '@sidetone/wire';
import { conferencePayload, isConferenceNews } from './conference-payload.ts';
import { qualityOf } from './quality.ts';
import { savedRecording } from './saved-recording.ts';
import { isoMicros } from './stamp.ts';

type LegNews = Exclude<CallNews, ConferenceNews>;

/** Names of SIP headers that the API tells beside the custom ones. */
const SIP_HEADERS = new Set(['user-to-user', 'diversion']);
/** As programs know them; the rate of the clock of RTP of G.722 is another one (RFC 3551 §4.5.2). */
const SAMPLING_RATE = { OPUS: 48_000, G722: 16_000, PCMU: 8000, PCMA: 8000 } as const;

/** The event as the API shows it: what `data` holds in a webhook. */
export function dataOf(event: CallEvent): Record<string, unknown> {
  const { what } = event;
  return {
    record_type: 'event',
    event_type: EVENT_NAME[event.what.type],
    id: event.id,
    occurred_at: isoMicros(event.at),
    payload: isConferenceNews(what) ? conferencePayload(event, what) : payloadOf(event, what),
  };
}

/**
 * The whole body of a webhook, payload version 2.
 * @param attempt counts up from 1
 * @param url as the back end gave it: programs build the next one from it
 */
export function envelopeOf(event: CallEvent, attempt: number, url: string): object {
  const data = dataOf(event);
  // The published page shows this one without `data`, published types with it.
  const bare = event.what.type === 'floorChanged' ? data : {};
  return { ...bare, data, meta: { attempt, delivered_to: url } };
}

function payloadOf({ leg, clientState }: CallEvent, what: LegNews): Record<string, unknown> {
  return {
    call_control_id: leg.control,
    call_leg_id: leg.leg,
    call_session_id: leg.session,
    connection_id: leg.connection,
    client_state: clientState,
    from: leg.from,
    to: leg.to,
    calling_party_type: leg.party,
    ...newsOf(what, leg),
  };
}

function newsOf(what: LegNews, leg: CallEvent['leg']): Record<string, unknown> {
  const start_time = isoMicros(leg.startedAt);
  switch (what.type) {
    case 'initiated':
      return {
        direction: leg.direction,
        state: what.state,
        start_time,
        caller_id_name: what.callerName,
        from_sip_uri: what.fromUri,
        to_sip_uri: what.toUri,
        ...headersOf(what.headers),
        offered_codecs: what.offeredCodecs.join(','),
        connection_codecs: what.connectionCodecs.join(','),
        shaken_stir_attestation: null,
        shaken_stir_validated: false,
        call_screening_result: null,
        tags: [],
      };
    case 'answered':
      return {
        state: 'answered',
        start_time,
        ...headersOf(what.headers),
        codec: what.codec,
        sampling_rate: what.codec === null ? null : SAMPLING_RATE[what.codec],
        ...(what.stream === undefined ? {} : streamOf(what.stream)),
        tags: [],
      };
    case 'bridged':
      return { state: 'bridged' };
    case 'hangup':
      return {
        state: 'hangup',
        start_time,
        hangup_cause: what.cause,
        hangup_source: what.source,
        sip_hangup_cause: what.sip,
        call_quality_stats: what.quality === null ? null : qualityOf(what.quality),
        ...headersOf(what.headers),
        tags: [],
      };
    case 'digit':
      return { digit: what.digit };
    case 'playStarted':
      return mediaOf(what.media);
    case 'playEnded':
      return { ...mediaOf(what.media), status: what.status, status_detail: what.detail };
    case 'speakEnded':
      return { status: what.status };
    case 'gathered':
      return {
        digits: what.digits,
        status: what.status,
        ...(what.gatherId === null ? {} : { gather_id: what.gatherId }),
      };
    case 'enqueued':
      return {
        queue: what.queue,
        current_position: what.position,
        queue_avg_wait_time_secs: what.averageWaitSecs,
      };
    case 'dequeued':
      return {
        queue: what.queue,
        queue_position: what.position,
        wait_time_secs: what.waitSecs,
        reason: what.reason,
      };
    case 'machineDetected':
    case 'greetingEnded':
    case 'premiumMachineDetected':
    case 'premiumGreetingEnded':
      return { result: what.result };
    case 'forkStarted':
    case 'forkStopped':
      return { stream_type: 'decrypted' };
    case 'transcript':
      return {
        transcription_data: {
          transcript: what.text,
          confidence: what.confidence,
          is_final: what.final,
          transcription_track: what.track,
        },
      };
    case 'streamStarted':
    case 'streamStopped':
      return { stream_url: what.stream.url, stream_id: what.stream.id };
    case 'streamFailed': {
      const { stream_url, stream_track: track } = streamOf(what.stream);
      const stream_params = { stream_url, track };
      return {
        failure_reason: what.reason,
        stream_id: what.stream.id,
        stream_type: 'websocket',
        stream_params,
      };
    }
    case 'recorded':
      return savedRecording(what.recording);
    case 'recordFailed':
      return { recording_id: what.id, reason: what.problem };
    case 'referCompleted':
    case 'referFailed':
      return { sip_notify_response: what.status };
    case 'infoReceived':
      return { content_type: what.contentType, body: what.body };
    case 'held':
    case 'unheld':
    case 'speakStarted':
    case 'referStarted':
      return {};
  }
}

function headersOf(headers: CommandHeaders): object {
  const told = headers.map(([name, value]) => ({ name, value }));
  const isSip = ({ name }: { name: string }): boolean => SIP_HEADERS.has(name.toLowerCase());
  return {
    custom_headers: told.filter((header) => !isSip(header)),
    sip_headers: told.filter(isSip),
  };
}

const streamOf = ({ url, track }: StreamedAs) => ({
  stream_url: url,
  stream_track: `${track}_track${track === 'both' ? 's' : ''}`,
});

const mediaOf = ({ url, name, overlay }: PlayedMedia): Record<string, unknown> => ({
  ...(url === undefined ? {} : { media_url: url }),
  ...(name === undefined ? {} : { media_name: name }),
  overlay,
});
