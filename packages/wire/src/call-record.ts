import type { EpochMs } from '@sidetone/core';
import type { CodecName, LegStats } from './media-control.ts';

/** The minimal CDR: one per leg, written when the leg ends. */
export interface CallRecord {
  readonly session_id: string;
  readonly leg_id: string;
  /** From the platform's side: `inbound` = this leg called us, `outbound` = we called it. */
  readonly direction: 'inbound' | 'outbound';
  /** `client` a WebRTC client, `phone` a registered SIP phone, `trunk` a carrier, `service` a built-in number. */
  readonly kind: 'client' | 'phone' | 'trunk' | 'service';
  readonly user_name?: string;
  readonly trunk?: string;
  readonly from: string;
  readonly to: string;
  readonly started_at: EpochMs;
  readonly answered_at?: EpochMs;
  readonly ended_at: EpochMs;
  /** By name, for example NORMAL_CLEARING; `rejected` and `cancelled` are told apart here. */
  readonly cause: string;
  readonly cause_code: number;
  readonly sip_code?: number;
  readonly ended_by: 'caller' | 'callee' | 'platform';
  readonly codec?: CodecName;
  readonly media?: LegStats;
  /** Its part in a transfer: it asked for it, it was handed over, or it was the target. */
  readonly transfer?: 'transferor' | 'transferee' | 'target';
  /** An attended transfer joined it with legs of this session; `session_id` stays the one it began in. */
  readonly joined_session_id?: string;
}
