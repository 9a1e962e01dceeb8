import assert from 'node:assert/strict';
import type { Row } from './row.ts';

/** Names and values that the published enum has, as far as an application reads them. */
const EVENT_NAMES: Readonly<Record<string, string>> = {
  Ready: 'telnyx.ready',
  Notification: 'telnyx.notification',
  Error: 'telnyx.error',
  Warning: 'telnyx.warning',
  SocketOpen: 'telnyx.socket.open',
  SocketClose: 'telnyx.socket.close',
  SocketError: 'telnyx.socket.error',
  SocketMessage: 'telnyx.socket.message',
  StatsFrame: 'telnyx.stats.frame',
  StatsReport: 'telnyx.stats.report',
};

const TYPES: readonly string[] = [
  'callUpdate',
  'conferenceUpdate',
  'vertoClientReady',
  'userMediaError',
  'peerConnectionFailureError',
  'signalingStateClosed',
];

const REGIONS = {
  EU: 'eu',
  US_CENTRAL: 'us-central',
  US_EAST: 'us-east',
  US_WEST: 'us-west',
  CA_CENTRAL: 'ca-central',
  APAC: 'apac',
  SOUTH_ASIA: 'south-asia',
};

const ERRORS: Readonly<Record<string, number>> = {
  SDP_CREATE_OFFER_FAILED: 40001,
  SDP_CREATE_ANSWER_FAILED: 40002,
  SDP_SET_LOCAL_DESCRIPTION_FAILED: 40003,
  SDP_SET_REMOTE_DESCRIPTION_FAILED: 40004,
  SDP_SEND_FAILED: 40005,
  MEDIA_MICROPHONE_PERMISSION_DENIED: 42001,
  MEDIA_DEVICE_NOT_FOUND: 42002,
  MEDIA_GET_USER_MEDIA_FAILED: 42003,
  HOLD_FAILED: 44001,
  INVALID_CALL_PARAMETERS: 44002,
  BYE_SEND_FAILED: 44003,
  SUBSCRIBE_FAILED: 44004,
  PEER_CLOSED_DURING_INIT: 44005,
  WEBSOCKET_CONNECTION_FAILED: 45001,
  WEBSOCKET_ERROR: 45002,
  RECONNECTION_EXHAUSTED: 45003,
  GATEWAY_FAILED: 45004,
  LOGIN_FAILED: 46001,
  INVALID_CREDENTIALS: 46002,
  AUTHENTICATION_REQUIRED: 46003,
  ICE_RESTART_FAILED: 47001,
  NETWORK_OFFLINE: 48001,
  SESSION_NOT_REATTACHED: 48501,
  UNEXPECTED_ERROR: 49001,
};

const WARNINGS: Readonly<Record<string, number>> = {
  HIGH_RTT: 31001,
  HIGH_JITTER: 31002,
  HIGH_PACKET_LOSS: 31003,
  LOW_MOS: 31004,
  LOW_LOCAL_AUDIO: 31005,
  LOW_INBOUND_AUDIO: 31006,
  LOW_BYTES_RECEIVED: 32001,
  LOW_BYTES_SENT: 32002,
  ICE_CONNECTIVITY_LOST: 33001,
  ICE_GATHERING_EMPTY: 33003,
  PEER_CONNECTION_FAILED: 33004,
  ONLY_HOST_ICE_CANDIDATES: 33005,
  ANSWER_WHILE_PEER_ACTIVE: 33006,
  DUPLICATE_INBOUND_ANSWER: 33007,
  MULTIPLE_ACTIVE_CALLS_DETECTED: 33010,
  SHARED_REMOTE_ELEMENT_OVERWRITE: 33011,
  TOKEN_EXPIRING_SOON: 34001,
  UNKNOWN_REATTACHED_SESSION: 35002,
  SIGNALING_RECOVERY_REQUIRED: 36003,
  MEDIA_RECOVERY_REQUIRED: 36004,
  RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT: 36005,
};

export const EXPORT_ROWS: readonly Row[] = [
  {
    name: 'exports TelnyxRTC; the constructor refuses options without credentials',
    covers: ['export TelnyxRTC', 'option invalid'],
    async run(cell) {
      await cell.open();
      assert.equal(await cell.run('typeof sut.sdk.TelnyxRTC'), 'function');
      for (const options of ['{}', `{ login: 'x' }`, `{ password: 'x' }`]) {
        const thrown = await cell.run(
          `(() => { try { new sut.sdk.TelnyxRTC(${options}); return ''; } catch (error) { return String(error.message ?? error); } })()`,
        );
        assert.match(String(thrown), /Invalid init options/, options);
      }
    },
  },
  {
    name: 'exports Call, SwEvent',
    covers: ['export Call', 'export SwEvent'],
    needs: { exports: ['Call', 'SwEvent'] },
    async run(cell) {
      await cell.open();
      assert.equal(await cell.run('typeof sut.sdk.Call'), 'function');
      const events = await cell.run<Record<string, string>>('({ ...sut.sdk.SwEvent })');
      for (const [name, value] of Object.entries(EVENT_NAMES))
        if (cell.has(value)) assert.equal(events[name], value, name);
    },
  },
  {
    name: 'exports NOTIFICATION_TYPE, Region',
    covers: ['export NOTIFICATION_TYPE', 'export Region'],
    needs: { exports: ['NOTIFICATION_TYPE', 'Region'] },
    async run(cell) {
      await cell.open();
      const types = await cell.run<Record<string, string>>('({ ...sut.sdk.NOTIFICATION_TYPE })');
      for (const type of TYPES) assert.equal(types[type], type);
      assert.deepEqual(await cell.run('({ ...sut.sdk.Region })'), REGIONS);
    },
  },
  {
    name: 'exports error and warning codes and their registries',
    covers: ['export SDK_ERRORS', 'export TELNYX_ERROR_CODES', 'constants errors', 'constants warnings'],
    needs: { exports: ['SDK_ERRORS', 'SDK_WARNINGS', 'TELNYX_ERROR_CODES', 'TELNYX_WARNING_CODES'] },
    async run(cell) {
      await cell.open();
      const errors = await cell.run<Record<string, number>>('({ ...sut.sdk.TELNYX_ERROR_CODES })');
      for (const [name, code] of Object.entries(ERRORS)) assert.equal(errors[name], code, name);
      const warnings = await cell.run<Record<string, number>>('({ ...sut.sdk.TELNYX_WARNING_CODES })');
      for (const [name, code] of Object.entries(WARNINGS)) assert.equal(warnings[name], code, name);
      for (const [registry, codes] of [
        ['SDK_ERRORS', ERRORS],
        ['SDK_WARNINGS', WARNINGS],
      ] as const) {
        const entries = await cell.run<Record<string, Record<string, unknown>>>(
          `JSON.parse(JSON.stringify(sut.sdk.${registry}))`,
        );
        for (const [name, code] of Object.entries(codes)) {
          const entry = entries[code] ?? {};
          assert.equal(entry['name'], name);
          for (const words of ['message', 'description'])
            assert.equal(typeof entry[words], 'string', `${name} ${words}`);
          for (const list of ['causes', 'solutions'])
            assert.ok(Array.isArray(entry[list]) && entry[list].length > 0, `${name} ${list}`);
        }
      }
    },
  },
  {
    name: 'exports reason codes of the pre-call check',
    covers: ['export reason codes', 'pre-call reason codes'],
    needs: { exports: ['IceReasonCode', 'NetworkReasonCode', 'MicrophoneReasonCode'] },
    async run(cell) {
      await cell.open();
      const values = async (name: string): Promise<string[]> =>
        (await cell.run<string[]>(`Object.values(sut.sdk.${name})`)).sort();
      const named = (prefix: string, words: string): string[] =>
        words
          .split(' ')
          .map((word) => `${prefix}_${word}`)
          .sort();
      assert.deepEqual(
        await values('IceReasonCode'),
        named(
          'ice',
          'no_candidates only_host_candidates only_relay_candidates gathering_timeout no_selected_pair turn_required server_no_candidates strict_network multiple_interfaces vpn_detected',
        ),
      );
      assert.deepEqual(
        await values('NetworkReasonCode'),
        named(
          'network',
          'high_jitter high_rtt packet_loss high_packet_loss low_bitrate poor_quality fair_quality no_audio_flow one_way_audio',
        ),
      );
      assert.deepEqual(
        await values('MicrophoneReasonCode'),
        named(
          'microphone',
          'permission_denied no_device capture_permission_denied capture_no_device capture_not_supported capture_failed silent silence_detected',
        ),
      );
    },
  },
];
