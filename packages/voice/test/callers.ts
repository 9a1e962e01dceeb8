import assert from 'node:assert/strict';
import { createResponse, type ExtraHeaders, parseNameAddr, parseUri } from '@sidetone/sip';
import { sdp, type VoiceBench } from './voice-bench.ts';

export const uri = (text: string) => {
  const parsed = parseUri(text);
  assert.ok(parsed.ok);
  return parsed.value;
};
export const nameAddr = (text: string) => {
  const parsed = parseNameAddr(text);
  assert.ok(parsed.ok);
  return parsed.value;
};

export interface Dial {
  readonly from?: string;
  readonly user?: string;
  readonly offer?: string | undefined;
  readonly headers?: ExtraHeaders;
  readonly callId?: string;
}

/** A client's INVITE, as vsp sends it. */
export function dial(bench: VoiceBench, destination: string, options: Dial = {}): string {
  const { leg, out } = bench.vsp.agent.invite(
    {
      requestUri: uri(`sip:${destination}@sip.localhost`),
      from: nameAddr(options.from ?? '"Ann" <sip:+13125550100@sip.localhost>'),
      to: nameAddr(`<sip:${destination}@sip.localhost>`),
      ...('offer' in options && options.offer === undefined ? {} : { sdp: options.offer ?? sdp() }),
      headers: [
        ['P-Asserted-Identity', `<sip:${options.user ?? 'line1'}@sip.localhost>`],
        ...(options.headers ?? []),
      ],
      callId: options.callId ?? 'client-call',
    },
    bench.now,
  );
  bench.vsp.act(out);
  return leg;
}

/** A carrier's INVITE, as the proxy passes it. */
export function callIn(
  bench: VoiceBench,
  to: string,
  offer: string | undefined,
  headers: ExtraHeaders = [],
): string {
  const { leg, out } = bench.proxy.agent.invite(
    {
      requestUri: uri(`sip:${to}@127.0.0.1:5060`),
      from: nameAddr('"Bob" <sip:+15550100@192.0.2.10>'),
      to: nameAddr(`<sip:${to}@127.0.0.1>`),
      ...(offer === undefined ? {} : { sdp: offer }),
      headers: [['X-Sidetone-Trunk', 'carrier'], ...headers],
    },
    bench.now,
  );
  bench.proxy.act(out);
  return leg;
}

/** The proxy answers voice's question where a user is. */
export function bindings(bench: VoiceBench, contacts: readonly string[], status = 200): void {
  const asked = bench.proxy.take('request');
  assert.equal(asked.request.method, 'OPTIONS');
  const response = createResponse(asked.request, status, {
    contact: contacts.map((c) => nameAddr(`<${c}>`)),
  });
  bench.tell({ type: 'sip', message: response, flow: { transport: 'local', node: 'proxy' } });
}
