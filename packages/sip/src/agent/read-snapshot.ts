import {
  type Check,
  type Checks,
  err,
  isText as isAnyText,
  isFields,
  isFlag,
  isNumber,
  listOf,
  maybe,
  ok,
  oneOf,
  orNull,
  type Result,
  recordOf,
  wrongField,
} from '@sidetone/core';
import { isFlow } from '../checks.ts';
import type { Dialog } from '../dialog.ts';
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

/** More routes than a dialog has. */
const MOST_ROUTES = 32;
const MOST_TEXT = 65_536;
/** RFC 3261 §8.1.1.5. */
const HIGHEST_SEQ = 2 ** 31;

const isText = (value: unknown): value is string => isAnyText(value) && value.length <= MOST_TEXT;
const isSeq: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < HIGHEST_SEQ;

function address(value: unknown): NameAddr | null {
  const read = isText(value) ? parseNameAddr(value) : null;
  return read?.ok ? read.value : null;
}

function response(text: unknown): SipResponse | null {
  const read = isText(text) ? parseMessage(Buffer.from(text, 'latin1')) : null;
  if (!read?.ok || read.value.kind !== 'response') return null;
  return read.value.headers.via.length === 0 ? null : read.value;
}

const isAddress: Check = (value) => address(value) !== null;

/** In the order in which they are judged: the first wrong one is named. */
const SNAPSHOT: Checks<LegSnapshot> = {
  leg: isText,
  role: oneOf('uac', 'uas'),
  callId: isText,
  local: (value) => isText(address(value)?.params['tag']),
  remote: isAddress,
  target: (value) => isText(value) && parseUri(value).ok,
  routes: listOf(isAddress, MOST_ROUTES),
  proof: maybe(recordOf<NonNullable<LegSnapshot['proof']>>({ hop: isFlow, realms: listOf(isText) })),
  localSeq: isSeq,
  remoteSeq: orNull(isSeq),
  acked: orNull(isSeq),
  ackSdp: maybe(isText),
  open: orNull(isSeq),
  unacked: orNull(
    recordOf<NonNullable<LegSnapshot['unacked']>>({
      seq: isSeq,
      reinvite: isFlag,
      offerless: isFlag,
      response: (value) => response(value) !== null,
      flow: isFlow,
      giveUpAt: isNumber,
    }),
  ),
};

/** Reads a snapshot that another process wrote down; the error names the first field that is wrong. */
export function readSnapshot(value: unknown): Result<ReadSnapshot, string> {
  if (!isFields(value)) return err('snapshot');
  const wrong = wrongField(SNAPSHOT, value);
  if (wrong !== null) return err(wrong);
  const snapshot = value as unknown as LegSnapshot;
  const target = parseUri(snapshot.target);
  const local = address(snapshot.local);
  const remote = address(snapshot.remote);
  if (!target.ok || local === null || remote === null) return err('snapshot');
  const { role, callId, localSeq, remoteSeq, unacked } = snapshot;
  const dialog: Dialog = {
    role,
    callId,
    local,
    remote,
    remoteTarget: target.value,
    routeSet: snapshot.routes.map(address).filter((route) => route !== null),
    localSeq,
    remoteSeq,
  };
  return ok({ snapshot, dialog, response: response(unacked?.response) });
}
