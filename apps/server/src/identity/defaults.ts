import type { CodecName } from '@sidetone/wire';

/** What a user has who says nothing else, in the configuration file as in the API. */
export const DEFAULT_CODECS: readonly CodecName[] = ['OPUS', 'PCMU', 'PCMA'];
/** The SIP status that a caller sees when a client rejects without stating one. */
export const DEFAULT_REJECT_CODE = 487;
