import {
  type ExtraHeaders,
  type Flow,
  formatNameAddr,
  headersNamed,
  listHeader,
  type NameAddr,
  parseNameAddr,
  type SipRequest,
  splitList,
} from '@sidetone/sip';
import { isUnicast } from './own-address.ts';

/*
 * The way to a phone when its address is none: proxies on the way (Path, RFC 3327), and connections that the phone keeps open
 * (outbound, RFC 5626). All of it is read behind the digest: who is not known writes no routes here.
 *
 *   phone ──REGISTER── edge proxy (Path: itself) ──REGISTER──▶ we ── 200, Path echoed
 *   phone ◀──INVITE── edge proxy ◀── INVITE, Route: the Path, by the flow that the REGISTER came by
 */

/** One flow of a phone that keeps several (RFC 5626 §4.2). */
export interface PhoneFlow {
  /** `+sip.instance` as written. */
  readonly instance: string;
  readonly regId: number;
}

/** How a REGISTER wants its contacts reached. */
export interface Reach {
  readonly path: readonly NameAddr[];
  /** The phone and everything between understand outbound. */
  readonly outbound: boolean;
}

export interface ReachRefusal {
  readonly status: number;
  readonly headers: ExtraHeaders;
}

/** More proxies than any network of ours has between a phone and its registrar. */
const MAX_PATHS = 5;
const MAX_PATH_LENGTH = 1024;
const MAX_INSTANCE = 200;
/** A phone sends a keep-alive at least this often (RFC 5626 §4.4), so that the NATs before it keep its flow. Seconds. */
export const FLOW_TIMER = 120;

const refuse = (status: number, headers: ExtraHeaders = []): ReachRefusal => ({ status, headers });

/**
 * Reads Path and outbound of a REGISTER from outside. Without `path` in Supported the phone would not know that requests come through
 * proxies: 420 (RFC 3327 §5.3). Path values are URIs of loose routers at a unicast host; requests go out by the flow of the
 * REGISTER in any case, so no Path makes us send to a third party.
 */
export function readReach(request: SipRequest, flow: Flow): Reach | ReachRefusal {
  if (flow.transport === 'local') return { path: [], outbound: false };
  const supported = listHeader(request, 'Supported').map((tag) => tag.toLowerCase());
  const texts = headersNamed(request, 'Path').flatMap((value) => splitList(value));
  if (texts.length > 0 && !supported.includes('path')) return refuse(420, [['Unsupported', 'path']]);
  if (texts.length > MAX_PATHS || texts.reduce((sum, text) => sum + text.length, 0) > MAX_PATH_LENGTH)
    return refuse(400);
  const path: NameAddr[] = [];
  for (const text of texts) {
    const read = parseNameAddr(text);
    if (!read.ok || !isRouter(read.value)) return refuse(400);
    path.push(read.value);
  }
  if (!supported.includes('outbound')) return { path, outbound: false };
  // RFC 5626 §6: a first hop that does not know of outbound would not keep the phone's flow.
  const first = path.at(-1);
  const direct = request.headers.via.length === 1;
  const asked = request.headers.contact !== '*' && request.headers.contact.some((c) => flowOf(c) !== null);
  const capable = direct || (first !== undefined && first.uri.params['ob'] !== undefined);
  if (asked && !capable) return refuse(439);
  return { path, outbound: capable };
}

const isRouter = ({ uri }: NameAddr): boolean =>
  (uri.scheme === 'sip' || uri.scheme === 'sips') &&
  uri.params['lr'] !== undefined &&
  uri.headers === undefined &&
  isUnicast(uri.host) &&
  !uri.host.toLowerCase().endsWith('.sidetone.invalid');

/** The flow that a Contact names (`+sip.instance` and `reg-id`, RFC 5626 §4.2); `null` without, or when it is malformed. */
export function flowOf({ params }: NameAddr): PhoneFlow | null {
  const instance = params['+sip.instance'];
  const regId = params['reg-id'];
  if (instance === undefined || instance === '' || instance.length > MAX_INSTANCE) return null;
  if (regId === undefined || !/^[1-9]\d{0,9}$/.test(regId) || Number(regId) > 2 ** 31 - 1) return null;
  return { instance, regId: Number(regId) };
}

/** What a 200 says of it (RFC 3327 §5.3, RFC 5626 §6). `flows`: bindings were made by instance and reg-id. */
export const reachHeaders = ({ path }: Reach, flows: boolean): ExtraHeaders => [
  ['Supported', 'path, outbound'],
  ...path.map((router): readonly [string, string] => ['Path', formatNameAddr(router)]),
  ...(flows ? [['Require', 'outbound'] as const, ['Flow-Timer', String(FLOW_TIMER)] as const] : []),
];

/** Bindings by phone, in order: flows of one instance are ways to the same phone (RFC 5626 §7), to be tried one after the other. */
export function byPhone<B extends { readonly outbound?: PhoneFlow }>(
  bindings: readonly B[],
): readonly (readonly [B, ...B[]])[] {
  const phones: [B, ...B[]][] = [];
  const known = new Map<string, [B, ...B[]]>();
  for (const binding of bindings) {
    const name = binding.outbound?.instance;
    const phone = name === undefined ? undefined : known.get(name);
    if (phone !== undefined) {
      phone.push(binding);
      continue;
    }
    const first: [B, ...B[]] = [binding];
    phones.push(first);
    if (name !== undefined) known.set(name, first);
  }
  return phones;
}
