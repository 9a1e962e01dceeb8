import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const hex = (what: string | Buffer): string => createHash('sha256').update(what).digest('hex');

/**
 * A stand-in for a store of the S3 protocol: it keeps objects, and takes nothing whose signature, body or time it would not take itself. It
 * reads requests as the published description of the signature says, from what came over the wire, without the product's code.
 */
export class S3Store {
  readonly objects = new Map<string, { readonly bytes: Buffer; readonly type: string }>();
  /** What was refused, and why. */
  readonly refused: string[] = [];
  /** While set, answered with this status. */
  fails: number | undefined;
  readonly accessKey = 'AKIDEXAMPLE';
  readonly secretKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
  readonly region = 'eu-test-1';
  now = Date.now();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<S3Store> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => store.#answer(request, Buffer.concat(parts), response));
    });
    const store = new S3Store(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    if (this.fails !== undefined) return void response.writeHead(this.fails).end();
    const why = this.#refusal(request, body);
    if (why !== undefined) {
      this.refused.push(why);
      return void response.writeHead(403).end();
    }
    const key = decodeURIComponent(request.url!);
    const object = this.objects.get(key);
    if (request.method === 'PUT') {
      this.objects.set(key, { bytes: body, type: String(request.headers['content-type']) });
      response.writeHead(200).end();
    } else if (request.method === 'DELETE') {
      this.objects.delete(key);
      response.writeHead(204).end();
    } else if (object === undefined) response.writeHead(404).end();
    else {
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      const bytes =
        range === null ? object.bytes : object.bytes.subarray(Number(range[1]), Number(range[2]) + 1);
      response.writeHead(range === null ? 200 : 206, { 'content-type': object.type }).end(bytes);
    }
  }

  /** Why the signature is none. */
  #refusal({ method, url, headers }: IncomingMessage, body: Buffer): string | undefined {
    const parts =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
        headers.authorization ?? '',
      );
    if (parts === null) return 'no signature';
    const [, key, day, region, names, signature] = parts;
    if (key !== this.accessKey || region !== this.region) return 'another key or region';
    const stamp = String(headers['x-amz-date']);
    const at = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (!(Math.abs(at - this.now) < 900_000) || !stamp.startsWith(day!)) return 'another time';
    if (headers['x-amz-content-sha256'] !== hex(body)) return 'another body';
    if (!names!.split(';').includes('host') || !names!.includes('x-amz-content-sha256'))
      return 'too little is signed';
    const canonical = [
      method,
      url!.split('?')[0],
      url!.split('?')[1] ?? '',
      ...names!.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
      '',
      names,
      headers['x-amz-content-sha256'],
    ].join('\n');
    const scope = `${day}/${region}/s3/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hex(canonical)}`;
    const signing = hmac(hmac(hmac(hmac(`AWS4${this.secretKey}`, day!), region!), 's3'), 'aws4_request');
    return timingSafeEqual(hmac(signing, text), Buffer.from(signature!, 'hex'))
      ? undefined
      : 'another signature';
  }
}
