import { err, ok, type Result } from '@sidetone/core';
import type { Dialog } from '../dialog.ts';
import type { Flow } from '../flow.ts';
import { parseNameAddr } from '../header-grammar.ts';
import type { LegSnapshot } from '../leg-snapshot.ts';
import type { NameAddr, SipResponse } from '../message.ts';
import { parseMessage } from '../parse.ts';
import { parseUri } from '../uri.ts';

/** A snapshot whose parts are read. */
export interface ReadSnapshot {
  readonly snapshot: LegSnapshot;
  readonly dialog: Dialog;
  /** Our un-ACKed 2xx. */
  readonly response: SipResponse | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** More routes than a dialog has. */
const MOST_ROUTES = 32;
const MOST_TEXT = 65_536;
/** RFC 3261 §8.1.1.5. */
const HIGHEST_SEQ = 2 ** 31;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MOST_TEXT;
const isSeq = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < HIGHEST_SEQ;
const isSeqOrNull = (value: unknown): value is number | null => value === null || isSeq(value);

function address(value: unknown): NameAddr | null {
  if (!isText(value)) return null;
  const read = parseNameAddr(value);
  return read.ok ? read.value : null;
}

/** Reads a snapshot that another process wrote down; the error names the first field that is wrong. */
export function readSnapshot(value: unknown): Result<ReadSnapshot, string> {
  if (!isFields(value)) return err('snapshot');
  const { leg, role, callId, routes, localSeq, remoteSeq, acked, ackSdp, open, proof } = value;
  if (!isText(leg)) return err('leg');
  if (role !== 'uac' && role !== 'uas') return err('role');
  if (!isText(callId)) return err('callId');
  const local = address(value['local']);
  if (local === null || !isText(local.params['tag'])) return err('local');
  const remote = address(value['remote']);
  if (remote === null) return err('remote');
  const target = isText(value['target']) ? parseUri(value['target']) : null;
  if (!target?.ok) return err('target');
  if (!Array.isArray(routes) || routes.length > MOST_ROUTES) return err('routes');
  const routeSet = routes.map(address);
  if (!routeSet.every((route) => route !== null)) return err('routes');
  if (proof !== undefined && !isProof(proof)) return err('proof');
  if (!isSeq(localSeq)) return err('localSeq');
  if (!isSeqOrNull(remoteSeq)) return err('remoteSeq');
  if (!isSeqOrNull(acked)) return err('acked');
  if (ackSdp !== undefined && !isText(ackSdp)) return err('ackSdp');
  if (!isSeqOrNull(open)) return err('open');
  const unacked = readUnacked(value['unacked']);
  if (unacked === null) return err('unacked');
  const dialog: Dialog = {
    role,
    callId,
    local,
    remote,
    remoteTarget: target.value,
    routeSet,
    localSeq,
    remoteSeq,
  };
  return ok({ snapshot: value as unknown as LegSnapshot, dialog, response: unacked.response });
}

/** `null` for what is malformed. */
function readUnacked(value: unknown): { readonly response: SipResponse | null } | null {
  if (value === null) return { response: null };
  if (!isFields(value) || !isSeq(value['seq']) || !isFlow(value['flow']) || !isText(value['response']))
    return null;
  if (typeof value['reinvite'] !== 'boolean' || typeof value['offerless'] !== 'boolean') return null;
  if (!Number.isFinite(value['giveUpAt'])) return null;
  const read = parseMessage(Buffer.from(value['response'], 'latin1'));
  if (!read.ok || read.value.kind !== 'response' || read.value.headers.via.length === 0) return null;
  return { response: read.value };
}

const isProof = (value: unknown): boolean =>
  isFields(value) && isFlow(value['hop']) && Array.isArray(value['realms']) && value['realms'].every(isText);

function isFlow(value: unknown): value is Flow {
  if (!isFields(value)) return false;
  const { transport, node, host, port, connection } = value;
  if (transport === 'local') return node === 'vsp' || node === 'voice' || node === 'proxy';
  const known = transport === 'udp' || ['tcp', 'tls', 'ws', 'wss'].includes(String(transport));
  return known && isText(host) && isSeq(port) && (connection === undefined || isText(connection));
}
