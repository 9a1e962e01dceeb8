import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { LIMITS } from '../sounds/limits.ts';
import type { Draft, MediaStorage } from '../sounds/media-storage.ts';
import { ApiError, CODE, errorItem } from './errors.ts';
import { readBody } from './request.ts';

/** The part of a form that is the file. */
const FILE = 'media';
const UPLOAD_MS = 120_000;
const MOST_TYPE = 128;

export interface Uploaded {
  /** Fields that are text. */
  readonly fields: Record<string, unknown>;
  readonly media: (Draft & { readonly fileName: string }) | undefined;
}

/** Reads a JSON object or a form (RFC 7578) with one file, which goes to the disk as it comes. The caller removes or keeps it. */
export async function readUpload(
  request: Request,
  storage: Pick<MediaStorage, 'draftFile'>,
): Promise<Uploaded> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\s*;/i.test(type) || request.body === null)
    return { fields: await readBody(request), media: undefined };
  if (Number(request.headers.get('content-length') ?? 0) > LIMITS.sourceBytes + 64 * 1024) throw tooLarge();
  const file = await storage.draftFile();
  const fields: Record<string, unknown> = {};
  let media: Uploaded['media'];
  let written: Promise<void> | undefined;
  let excess = false;
  /** Ends the writing when the reading has failed: a file that is opened late would outlive its removal. */
  const broken = new AbortController();
  try {
    const form = new Busboy({
      headers: { 'content-type': type } as BusboyHeaders,
      limits: {
        fileSize: LIMITS.sourceBytes,
        files: 1,
        fields: 16,
        fieldSize: 8192,
        fieldNameSize: 64,
        parts: 20,
        headerPairs: 20,
      },
    });
    form.on('field', (name, value) => {
      if (name !== '__proto__') fields[name] = value;
    });
    form.on('file', (name, stream, fileName, _encoding, contentType) => {
      if (name !== FILE) return void stream.resume();
      const hash = createHash('sha256');
      let bytes = 0;
      stream.on('data', (part: Buffer) => {
        hash.update(part);
        bytes += part.length;
      });
      stream.on('limit', () => {
        excess = true;
      });
      written = pipeline(stream, createWriteStream(file, { mode: 0o600 }), {
        signal: broken.signal,
      }).then(() => {
        const kind = contentType.length <= MOST_TYPE ? contentType : 'application/octet-stream';
        media = { file, bytes, sha256: hash.digest('hex'), contentType: kind, fileName: fileName ?? '' };
      });
      // It is awaited below; until then its failure is nobody's.
      written.catch(() => {});
    });
    const body = Readable.fromWeb(request.body as import('node:stream/web').ReadableStream);
    await pipeline(body, form, { signal: AbortSignal.timeout(UPLOAD_MS) });
    await written;
  } catch {
    broken.abort();
    await written?.catch(() => {});
    await rm(file, { force: true });
    throw new ApiError(400, [errorItem(CODE.badRequest, 'The form is not complete, or not well-formed.')]);
  }
  if (excess) {
    await rm(file, { force: true });
    throw tooLarge();
  }
  return { fields, media };
}

const tooLarge = (): ApiError =>
  new ApiError(413, [
    errorItem(CODE.badRequest, `A file may have ${LIMITS.sourceBytes / 1024 / 1024} MiB.`, {
      pointer: `/${FILE}`,
    }),
  ]);
