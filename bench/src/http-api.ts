import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The API by `node:http` over connections kept open, as little of a client as there can be. */
export class Api {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string, maxSockets: number) {
    this.#url = url;
    this.#key = key;
    this.#agent = new Agent({ keepAlive: true, maxSockets });
  }

  ask(method: string, path: string, body?: object): Promise<Answer> {
    const sent = body === undefined ? '' : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const asked = request(
        `${this.#url}/v2${path}`,
        {
          method,
          agent: this.#agent,
          headers: {
            Authorization: `Bearer ${this.#key}`,
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(sent),
          },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => (text += chunk));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      asked.once('error', reject);
      asked.end(sent);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
