import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
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
/** A file and what is around it. What is longer is not read to its end. */
const MOST_BYTES = LIMITS.sourceBytes + 1024 * 1024;

type Parser = InstanceType<typeof Busboy>;
type File = Draft & { readonly fileName: string };

export interface Uploaded {
  /** Fields that are text. */
  readonly fields: Record<string, unknown>;
  readonly media: File | undefined;
}

/**
 * Reads a JSON object or a form (RFC 7578) with one file, which goes to the disk as it comes. The caller removes or keeps it. A form that is
 * refused is read to its end all the same: a client that is still sending would not hear why.
 */
export async function readUpload(
  request: Request,
  storage: Pick<MediaStorage, 'draftFile'>,
): Promise<Uploaded> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\s*;/i.test(type) || request.body === null)
    return { fields: await readBody(request), media: undefined };
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BYTES) throw tooLarge();
  const path = await storage.draftFile();
  const form = new Form(type, path);
  try {
    await form.read(request.body);
    return { fields: form.fields, media: await form.file() };
  } catch (error) {
    await form.abandon();
    await rm(path, { force: true });
    throw error;
  }
}

class Form {
  readonly fields: Record<string, unknown> = {};
  readonly #path: string;
  /** `undefined`: its type names no boundary. */
  readonly #parser: Parser | undefined;
  readonly #done = Promise.withResolvers<void>();
  /** Ends the writing when the reading has failed: a file that is opened late would outlive its removal. */
  readonly #stop = new AbortController();
  #written: Promise<File> | undefined;
  #malformed = false;
  #excess = false;

  constructor(type: string, path: string) {
    this.#path = path;
    // Awaited when all is read; until then its failure is nobody's.
    this.#done.promise.catch(() => {});
    this.#parser = parserOf(type);
    this.#malformed = this.#parser === undefined;
    this.#parser
      ?.on('field', (name: string, value: string) => {
        if (name !== '__proto__') this.fields[name] = value;
      })
      .on('file', (name, stream, fileName, _encoding, contentType) => {
        // The parser tells of it, too.
        stream.on('error', () => {});
        if (name !== FILE || this.#written !== undefined) return void stream.resume();
        this.#written = this.#write(stream, fileName ?? '', contentType);
        this.#written.catch(this.#done.reject);
      })
      .on('error', () => {
        this.#malformed = true;
        this.#done.reject(malformed());
      })
      .on('finish', () => this.#done.resolve());
  }

  async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const late = setTimeout(() => this.#done.reject(malformed()), UPLOAD_MS);
    try {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) throw tooLarge();
        if (this.#malformed || this.#parser!.write(Buffer.from(chunk))) continue;
        await Promise.race([once(this.#parser!, 'drain'), this.#done.promise]);
      }
      if (this.#malformed) throw malformed();
      this.#parser!.end();
      await this.#done.promise;
      await this.#written;
    } catch (error) {
      const told = error instanceof ApiError || (error as NodeJS.ErrnoException).syscall !== undefined;
      // What is neither ours nor the disk's: the sender has gone, or the form ended within its file.
      throw told && !this.#malformed ? error : malformed();
    } finally {
      clearTimeout(late);
    }
    if (this.#excess) throw tooLarge();
  }

  async file(): Promise<File | undefined> {
    return await this.#written;
  }

  async abandon(): Promise<void> {
    this.#stop.abort();
    await this.#written?.catch(() => {});
    this.#parser?.destroy();
  }

  async #write(stream: Readable, fileName: string, contentType: string): Promise<File> {
    const hash = createHash('sha256');
    let bytes = 0;
    stream.on('data', (part: Buffer) => {
      hash.update(part);
      bytes += part.length;
    });
    stream.on('limit', () => {
      this.#excess = true;
    });
    const to = createWriteStream(this.#path, { mode: 0o600 });
    await pipeline(stream, to, { signal: this.#stop.signal });
    const kind = contentType.length <= MOST_TYPE ? contentType : 'application/octet-stream';
    return { file: this.#path, bytes, sha256: hash.digest('hex'), contentType: kind, fileName };
  }
}

function parserOf(type: string): Parser | undefined {
  try {
    return new Busboy({
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
  } catch {
    return undefined;
  }
}

const malformed = (): ApiError =>
  new ApiError(400, [errorItem(CODE.badRequest, 'The form is not complete, or not well-formed.')]);

const tooLarge = (): ApiError =>
  new ApiError(413, [
    errorItem(CODE.badRequest, `A file may have ${LIMITS.sourceBytes / 1024 / 1024} MiB.`, {
      pointer: `/${FILE}`,
    }),
  ]);
