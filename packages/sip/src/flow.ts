/**
 * Where a message came from or shall go: one hop. `local` flows join the rooms of one process, where messages pass as
 * values; they are reliable and trusted.
 */
export type Flow =
  | { readonly transport: 'udp'; readonly host: string; readonly port: number }
  | {
      readonly transport: 'tcp' | 'tls' | 'ws' | 'wss';
      readonly host: string;
      readonly port: number;
      /** The id of an open connection to reuse; without it (or when it is gone) the edge opens one. */
      readonly connection?: string;
    }
  | { readonly transport: 'local'; readonly node: LocalNode };

export type LocalNode = 'vsp' | 'voice' | 'proxy';

/** Reliable transports never retransmit (RFC 3261 §17.1.1.2). */
export const isReliable = (flow: Flow): boolean => flow.transport !== 'udp';
