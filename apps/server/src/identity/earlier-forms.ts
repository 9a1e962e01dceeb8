import type { StoredObject } from '../store/directory-store.ts';

/** An object as this release reads it. Webhooks have one version of their own: what was stored as version 1 is told as 2. */
export const asOfToday = (object: StoredObject): StoredObject =>
  object.doc['webhook_api_version'] === '1'
    ? { ...object, doc: { ...object.doc, webhook_api_version: '2' } }
    : object;
