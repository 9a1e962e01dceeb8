/** Rows and columns of DTMF (ITU-T Q.23), in Hz. */
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const KEYPAD = '123456789*0#';

/** The page's own sounds: ringing, ringback, keys. Made here, so that no file is loaded. */
export class Sounds {
  #context: AudioContext | undefined;
  #stop: (() => void) | undefined;
  #playing: string | undefined;

  /** Starts or stops the sound of a state; the same state again changes nothing. */
  play(sound: 'ringing' | 'ringback' | undefined): void {
    if (sound === this.#playing) return;
    this.#playing = sound;
    this.#stop?.();
    this.#stop = undefined;
    if (sound === 'ringback') this.#stop = this.#repeat(4_000, () => this.#tone([425], 1, 0.05));
    if (sound === 'ringing')
      this.#stop = this.#repeat(3_000, () => {
        for (const at of [0, 0.4]) this.#tone([523.25, 659.25], 0.3, 0.09, at);
      });
  }

  key(key: string): void {
    const at = KEYPAD.indexOf(key);
    if (at >= 0) this.#tone([ROWS[Math.floor(at / 3)]!, COLUMNS[at % 3]!], 0.08, 0.03);
  }

  #repeat(everyMs: number, sound: () => void): () => void {
    sound();
    const timer = setInterval(sound, everyMs);
    return () => {
      clearInterval(timer);
      void this.#context?.close();
      this.#context = undefined;
    };
  }

  #tone(frequencies: readonly number[], seconds: number, volume: number, at = 0): void {
    this.#context ??= new AudioContext();
    const context = this.#context;
    if (context.state !== 'running') {
      // The browser allows no sound before the person touches the page; nothing may pile up until then.
      void context.resume();
      return;
    }
    const start = context.currentTime + at;
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setTargetAtTime(volume, start, 0.01);
    gain.gain.setTargetAtTime(0, start + seconds - 0.03, 0.01);
    gain.connect(context.destination);
    for (const frequency of frequencies) {
      const oscillator = new OscillatorNode(context, { frequency });
      oscillator.connect(gain);
      oscillator.start(start);
      oscillator.stop(start + seconds + 0.05);
    }
  }
}
