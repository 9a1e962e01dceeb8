// The other end of the media, in the same page: answers the SDK's offers, and offers to it.
const far = { peers: [] };
window.far = far;

function tone() {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 440 });
  const gain = new GainNode(context, { gain: 0.2 });
  const out = new MediaStreamAudioDestinationNode(context);
  oscillator.connect(gain).connect(out);
  oscillator.start();
  return out.stream;
}

function peer() {
  const made = new RTCPeerConnection();
  const stream = tone();
  for (const track of stream.getTracks()) made.addTrack(track, stream);
  far.peers.push(made);
  return made;
}

async function gathered(made) {
  if (made.iceGatheringState !== 'complete')
    await new Promise((done) => made.addEventListener('icecandidate', (event) => event.candidate ?? done()));
  return made.localDescription.sdp;
}

far.answer = async (offer) => {
  const made = peer();
  await made.setRemoteDescription({ type: 'offer', sdp: offer });
  await made.setLocalDescription();
  return gathered(made);
};

far.offer = async () => {
  const made = peer();
  await made.setLocalDescription();
  return gathered(made);
};

far.accept = (answer) => far.peers.at(-1).setRemoteDescription({ type: 'answer', sdp: answer });

/** Audio packets the newest far end has received. */
far.received = async () => {
  for (const entry of (await far.peers.at(-1).getStats()).values())
    if (entry.type === 'inbound-rtp') return entry.packetsReceived;
  return 0;
};
