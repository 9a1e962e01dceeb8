import { useEffect, useRef } from 'preact/hooks';

/** Below this the bar is empty, in dB of full scale. */
const FLOOR_DB = -60;

/** How loud a stream is, 60 times a second, past the rendering of the page. */
export function Level(props: { label: string; stream: MediaStream | undefined; off: string | undefined }) {
  const { label, stream, off } = props;
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (stream === undefined || off !== undefined || stream.getAudioTracks().length === 0) return;
    return meter(stream, (level) => {
      if (bar.current !== null) bar.current.style.clipPath = `inset(0 ${(1 - level) * 100}% 0 0)`;
    });
  }, [stream, off]);
  return (
    <div
      class={`level ${off === undefined ? '' : 'is-off'}`}
      role="img"
      aria-label={`${label}: ${off ?? 'sound level'}`}
    >
      <span class="label">{label}</span>
      <span class="track">
        <span class="bar" ref={bar} />
      </span>
      {off !== undefined && <span class="off">{off}</span>}
    </div>
  );
}

/** Reports the level of a stream, 0 to 1, falling slowly; returns what ends it. */
function meter(stream: MediaStream, report: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let shown = 0;
  let frame = 0;
  const draw = (): void => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    const db = 10 * Math.log10(sum / samples.length + 1e-10);
    shown = Math.max(Math.min(1, Math.max(0, 1 - db / FLOOR_DB)), shown - 0.03);
    report(shown);
    frame = requestAnimationFrame(draw);
  };
  draw();
  return () => {
    cancelAnimationFrame(frame);
    report(0);
    void context.close();
  };
}
