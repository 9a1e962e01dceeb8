import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { measureTone } from '../src/tone.ts';

/** So much sound is one word: half a second. */
const WORD = 8000;

/**
 * Stands in for an engine that turns speech into text (docs/transcription.md): it knows the words that tones are, and says each when it
 * has heard half a second of it.
 */
export class Recogniser {
  /** The `start` of each socket, and the token that it came with. */
  readonly starts: { readonly track: string; readonly authorization: string | undefined }[] = [];
  readonly #sockets: WebSocketServer;

  private constructor(sockets: WebSocketServer) {
    this.#sockets = sockets;
  }

  static async open(): Promise<Recogniser> {
    const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const recogniser = new Recogniser(sockets);
    sockets.on('connection', (socket, { headers }) => {
      let heard = new Int16Array(0);
      let word = '';
      let interim = false;
      const say = (text: string, final: boolean): void =>
        socket.send(JSON.stringify({ text, final, confidence: final ? 0.9 : 0.4 }));
      socket.on('message', (data: Buffer, binary) => {
        if (!binary) {
          const frame = JSON.parse(data.toString());
          if (frame.event === 'stop') socket.close();
          else {
            interim = frame.interim;
            recogniser.starts.push({ track: frame.track, authorization: headers.authorization });
          }
          return;
        }
        const pcm = new Int16Array(Uint8Array.from(data).buffer);
        heard = Int16Array.from([...heard, ...pcm]);
        if (heard.length < WORD) return;
        const { hz, level, purity } = measureTone(heard, 16_000);
        heard = new Int16Array(0);
        const is = level > 0.02 && purity > 0.9 ? `${Math.round(hz / 10) * 10} hertz` : '';
        if (is === word) return;
        word = is;
        if (is === '') return;
        if (interim) say('hertz', false);
        say(is, true);
      });
    });
    await new Promise((resolve) => sockets.on('listening', resolve));
    return recogniser;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#sockets.address() as AddressInfo).port}/`;
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }
}
