import type { TestPage } from './test-page.ts';

/** How the newest call's media goes, as the browser's statistics tell it. */
export interface SelectedPath {
  readonly local: string;
  readonly localProtocol: string;
  readonly relayProtocol: string | null;
  readonly remoteProtocol: string;
  readonly remoteAddress: string;
}

/**
 * Wraps the peer connections of a page that are made from now on: each remote description passes `rewrite`, an expression over
 * `sdp`. Without one the descriptions stay as they are.
 */
export async function watchPaths(page: TestPage, rewrite = 'sdp'): Promise<void> {
  await page.evaluate(`(() => {
    const Peer = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Peer {
      constructor(configuration) {
        super(configuration);
        window.watchedPeer = this;
      }
      setRemoteDescription({ type, sdp }) {
        return super.setRemoteDescription({ type, sdp: ${rewrite} });
      }
    };
    return true;
  })()`);
}

/** The pair that media takes; `null` until there is one. */
export async function selectedPath(page: TestPage): Promise<SelectedPath | null> {
  return (await page.evaluate(`(async () => {
    const stats = await window.watchedPeer.getStats();
    const all = [...stats.values()];
    const transport = all.find((s) => s.type === 'transport');
    const pair = stats.get(transport?.selectedCandidatePairId)
      ?? all.find((s) => s.type === 'candidate-pair' && s.selected);
    const local = stats.get(pair?.localCandidateId);
    const remote = stats.get(pair?.remoteCandidateId);
    if (!local || !remote) return null;
    return {
      local: local.candidateType,
      localProtocol: local.protocol,
      relayProtocol: local.relayProtocol ?? null,
      remoteProtocol: remote.protocol,
      remoteAddress: remote.address ?? remote.ip,
    };
  })()`)) as SelectedPath | null;
}
