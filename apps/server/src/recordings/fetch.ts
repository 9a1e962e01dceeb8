import { Readable } from 'node:stream';
import type { EpochMs } from '@sidetone/core';
import type { ByteRange } from './keeper.ts';
import { typeOf } from './links.ts';
import type { RecordingService } from './service.ts';

/** The answer to a link of a recording. Whoever has it may fetch the file, in parts too (RFC 9110 §14). */
export async function fetchRecording(
  service: Pick<RecordingService, 'links' | 'store' | 'keeperOf'>,
  request: Request,
  now: EpochMs,
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const file = pathname.slice(pathname.lastIndexOf('/') + 1);
  const [expires, signature] = ['expires', 'signature'].map((name) => searchParams.get(name) ?? undefined);
  const named = service.links.read(file, expires, signature, now);
  if (named === null) return plain(404, 'There is no such recording.');
  if (named === 'expired')
    return plain(410, 'This link has expired: GET /v2/recordings/{id} has a fresh one.');
  const recording = await service.store.find(named.id);
  if (recording === null || recording.format !== named.format)
    return plain(404, 'This recording is no more.');
  const range = rangeOf(request.headers.get('range'), recording.bytes);
  if (range === 'outside')
    return plain(416, 'The file is shorter.', { 'Content-Range': `bytes */${recording.bytes}` });
  // Whoever asks for the head alone reads no body: nothing may be left open for it (RFC 9110 §9.3.2).
  const isHead = request.method === 'HEAD';
  const stream = isHead ? null : await service.keeperOf(recording)?.open(recording.key, range);
  if (stream === undefined) return plain(404, 'This recording is no more.');
  const length = range === undefined ? recording.bytes : range.last - range.first + 1;
  const name = recording.key.slice(recording.key.lastIndexOf('/') + 1);
  return new Response(stream && (Readable.toWeb(stream) as ReadableStream), {
    status: range === undefined ? 200 : 206,
    headers: {
      ...COMMON,
      'Content-Type': typeOf(recording.format),
      'Content-Length': String(length),
      'Content-Disposition': `inline; filename*=UTF-8''${encodeURIComponent(name)}`,
      'Accept-Ranges': 'bytes',
      ...(range === undefined
        ? {}
        : { 'Content-Range': `bytes ${range.first}-${range.last}/${recording.bytes}` }),
    },
  });
}

const COMMON = { 'Cache-Control': 'private, no-store', 'X-Content-Type-Options': 'nosniff' } as const;

const plain = (status: number, words: string, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(`${words}\n`, {
    status,
    headers: { ...COMMON, ...headers, 'Content-Type': 'text/plain; charset=utf-8' },
  });

/** One range; several, and what is none, mean the whole file. */
function rangeOf(header: string | null, bytes: number): ByteRange | 'outside' | undefined {
  const asked = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '');
  if (asked === null) return undefined;
  const [, from = '', to = ''] = asked;
  if (from === '' && to === '') return undefined;
  const first = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (first >= bytes || (from === '' && Number(to) === 0)) return 'outside';
  return last < first ? undefined : { first, last };
}
