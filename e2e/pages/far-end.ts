/**
 * Our SDK, and the other end of its media, in one page: the far end answers the SDK's offers and makes offers to it, with a
 * 440 Hz tone. Signalling between the two goes through the test's server.
 */

import { Client, TelnyxRTC } from '../../packages/sdk/src/index.ts';

const peers: RTCPeerConnection[] = [];

function peer(): RTCPeerConnection {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 440 });
  const out = new MediaStreamAudioDestinationNode(context);
  oscillator.connect(out);
  oscillator.start();
  const made = new RTCPeerConnection();
  for (const track of out.stream.getTracks()) made.addTrack(track, out.stream);
  peers.push(made);
  return made;
}

async function described(made: RTCPeerConnection): Promise<string> {
  await made.setLocalDescription();
  if (made.iceGatheringState !== 'complete')
    await new Promise<void>((done) => {
      made.onicecandidate = ({ candidate }) => {
        if (candidate === null) done();
      };
    });
  return made.localDescription!.sdp;
}

/** Packets that the newest peer of a list has received. */
async function packets(receiver: RTCPeerConnection | undefined): Promise<number> {
  for (const entry of (await receiver?.getStats())?.values() ?? [])
    if (entry.type === 'inbound-rtp') return entry.packetsReceived;
  return 0;
}

const page = {
  Client,
  TelnyxRTC,
  answer: async (offer: string): Promise<string> => {
    const made = peer();
    await made.setRemoteDescription({ type: 'offer', sdp: offer });
    return described(made);
  },
  /** The answer to an offer with new ICE credentials for the media that is there. */
  restart: async (offer: string): Promise<string> => {
    const made = peers.at(-1)!;
    await made.setRemoteDescription({ type: 'offer', sdp: offer });
    return described(made);
  },
  offer: (): Promise<string> => described(peer()),
  accept: (answer: string): Promise<void> =>
    peers.at(-1)!.setRemoteDescription({ type: 'answer', sdp: answer }),
  farEndReceived: (): Promise<number> => packets(peers.at(-1)),
  received: (peerOfCall: RTCPeerConnection | undefined): Promise<number> => packets(peerOfCall),
};

(window as unknown as { page: typeof page }).page = page;
