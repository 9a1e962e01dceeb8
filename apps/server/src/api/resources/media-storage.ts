import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Ms } from '@sidetone/core';
import { z } from 'zod';
import { type Refusal, refusalOf } from '../../sounds/limits.ts';
import {
  DEFAULT_TTL_SECS,
  type Draft,
  isMediaName,
  type MediaItem,
  MOST_TTL_SECS,
} from '../../sounds/media-storage.ts';
import { ApiError, badField, CODE, errorItem, notFound } from '../errors.ts';
import { type ApiCall, type Download, iso, operation } from '../operation.ts';
import { pageOf, readListQuery } from '../request.ts';

const media = z.object({
  media_name: z.string(),
  content_type: z.string().describe('As whoever stored it calls it.'),
  expires_at: z.iso.datetime().describe('Then it is deleted.'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

/** Forms know text alone. */
const seconds = z.preprocess(
  (value) => (typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value),
  z.int().min(1).max(MOST_TTL_SECS).optional(),
);
const blank = (value: unknown): unknown => (value === null || value === '' ? undefined : value);

const patch = z.object({
  media_url: z
    .preprocess(blank, z.string().max(16_384).optional())
    .describe(
      'Where the file is; it is fetched once. At most 20 MiB. Or send the file as the part `media` of a form.',
    ),
  ttl_secs: z.preprocess(blank, seconds).describe('Deleted after so many seconds: two days unless said.'),
});
const create = patch.extend({
  media_name: z
    .preprocess(
      blank,
      z
        .string()
        .refine(isMediaName, 'must be 1 to 255 characters without slashes and control characters')
        .optional(),
    )
    .describe(
      'A name that is taken is replaced. Without it: the name of the file in the form, or a new one.',
    ),
});

const view = (item: MediaItem): z.output<typeof media> => ({
  media_name: item.name,
  content_type: item.contentType,
  expires_at: iso(item.expiresAt),
  created_at: iso(item.createdAt),
  updated_at: iso(item.updatedAt),
});

async function ownItem(call: ApiCall): Promise<MediaItem> {
  const item = await call.world.media.storage.find(call.account, call.path[0]!);
  if (item === undefined) throw notFound();
  return item;
}

/** What is to be stored: the file of the form, or what the URL gives. */
async function draftOf(call: ApiCall, url: string | undefined): Promise<Draft | undefined> {
  if (call.upload !== undefined) return call.upload;
  if (url === undefined) return undefined;
  try {
    const { bytes, contentType } = await call.world.media.fetch(call.account, url);
    const kind = (contentType ?? '').split(';', 1)[0]!.trim().slice(0, 128);
    return await call.world.media.storage.draftOf(bytes, kind === '' ? 'application/octet-stream' : kind);
  } catch (error) {
    throw refused(refusalOf(error), '/media_url');
  }
}

function refused({ why, detail }: Refusal, pointer: string): ApiError {
  if (why === 'too-large') return new ApiError(413, [errorItem(CODE.badRequest, detail, { pointer })]);
  return badField(pointer, detail, CODE.invalidUrl);
}

async function kept(call: ApiCall, name: string, draft: Draft, ttlMs: Ms): Promise<MediaItem> {
  try {
    return await call.world.media.storage.keep(call.account, name, draft, ttlMs);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.why !== 'too-large') throw error;
    throw badField('/media', refusal.detail);
  }
}

const TAG = 'Media storage';

export const mediaStorage = [
  operation<z.output<typeof create>>({
    id: 'uploadMedia',
    method: 'POST',
    path: '/media',
    tag: TAG,
    summary: 'Store a file for playback_start and others',
    body: create,
    upload: true,
    answer: { status: 200, form: 'data', schema: media },
    handle: async (call, body) => {
      const draft = await draftOf(call, body.media_url);
      if (draft === undefined)
        throw new ApiError(422, [
          errorItem(CODE.missing, 'media_url, or a file as the part media of a form, is required.', {
            pointer: '/media_url',
          }),
        ]);
      const offered = call.upload?.fileName ?? '';
      const name = body.media_name ?? (isMediaName(offered) ? offered : randomUUID());
      return view(await kept(call, name, draft, (body.ttl_secs ?? DEFAULT_TTL_SECS) * 1000));
    },
  }),
  operation({
    id: 'listMedia',
    method: 'GET',
    path: '/media',
    tag: TAG,
    summary: 'List the stored files, by name; filter[content_type] may name several, with commas',
    filters: ['content_type'],
    answer: { status: 200, form: 'list', schema: media },
    handle: async (call) => {
      const { page } = readListQuery(call.search);
      const kinds = ['filter[content_type][]', 'filter[content_type]'].flatMap((name) =>
        call.search
          .getAll(name)
          .flatMap((kinds) => kinds.split(','))
          .filter((kind) => kind !== ''),
      );
      const all = (await call.world.media.storage.list(call.account))
        .filter((item) => kinds.length === 0 || kinds.includes(item.contentType))
        .map((item) => ({ ...item, id: item.name }));
      const { items, meta } = pageOf(all, page);
      return { data: items.map(view), meta };
    },
  }),
  operation({
    id: 'retrieveMedia',
    method: 'GET',
    path: '/media/{name}',
    tag: TAG,
    summary: 'Read what is known of a stored file',
    answer: { status: 200, form: 'data', schema: media },
    handle: async (call) => view(await ownItem(call)),
  }),
  operation({
    id: 'downloadMedia',
    method: 'GET',
    path: '/media/{name}/download',
    tag: TAG,
    summary: 'Download a stored file as it was stored',
    answer: { status: 200, form: 'bytes' },
    handle: async (call): Promise<Download> => {
      const { file, name, contentType, bytes } = await ownItem(call);
      const handle = await open(file).catch(() => {
        throw notFound();
      });
      const stream = createReadStream('', { fd: handle });
      return { stream: Readable.toWeb(stream) as ReadableStream, bytes, name, contentType };
    },
  }),
  operation<z.output<typeof patch>>({
    id: 'updateMedia',
    method: 'PUT',
    path: '/media/{name}',
    tag: TAG,
    summary: 'Replace a stored file, or say when it is deleted',
    body: patch,
    upload: true,
    answer: { status: 200, form: 'data', schema: media },
    handle: async (call, body) => {
      const { name } = await ownItem(call);
      const ttlMs = (body.ttl_secs ?? DEFAULT_TTL_SECS) * 1000;
      const draft = await draftOf(call, body.media_url);
      if (draft !== undefined) return view(await kept(call, name, draft, ttlMs));
      if (body.ttl_secs === undefined) return view(await ownItem(call));
      const renewed = await call.world.media.storage.renew(call.account, name, ttlMs);
      if (renewed === undefined) throw notFound();
      return view(renewed);
    },
  }),
  operation({
    id: 'deleteMedia',
    method: 'DELETE',
    path: '/media/{name}',
    tag: TAG,
    summary: 'Delete a stored file',
    answer: { status: 204, form: 'none' },
    handle: async (call) => {
      if (!(await call.world.media.storage.remove(call.account, call.path[0]!))) throw notFound();
    },
  }),
];
