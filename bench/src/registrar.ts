import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { answerChallenge, chooseChallenge } from '@sidetone/sip';
import { cpuOf } from './processes.ts';
import { freePort, startSidetone } from './product.ts';

/**
 * REGISTER with digest by UDP, the same load on our whole product and on Debian's Kamailio, one after the other: REGISTER, 401,
 * REGISTER with credentials, 200 is one registration. What is told is registrations for each second of CPU that all processes of a
 * server took. Ours writes each binding to its journal before it answers; Kamailio keeps them in memory alone.
 */

const USERS = 200;
const IN_FLIGHT = 32;
const WARM_MS = 5_000;
const RUN_MS = 6_000;
const AGAIN_MS = 500;
const PASSWORD = 'bench-password';
const DOMAIN = 'bench.test';

const userName = (i: number): string => `user${i}`;

interface Load {
  readonly registrations: number;
  readonly refused: number;
  readonly repeated: number;
  readonly seconds: number;
}

/** One phone: a new registration as soon as the last is done. */
interface Phone {
  readonly name: string;
  cseq: number;
  sent: string;
  at: number;
}

/** Registers users as fast as the server answers, `IN_FLIGHT` at a time. */
async function load(port: number, ms: number): Promise<Load> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 22, sendBufferSize: 1 << 22 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const own = socket.address().port;
  const phones = new Map<string, Phone>();
  const counts = { registrations: 0, refused: 0, repeated: 0 };
  const run = Math.random().toString(36).slice(2, 8);
  let over = false;

  const send = (phone: Phone, authorization?: string): void => {
    phone.cseq += 1;
    phone.at = performance.now();
    phone.sent = [
      `REGISTER sip:${DOMAIN} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${own};rport;branch=z9hG4bK${run}${phone.name}x${phone.cseq}`,
      'Max-Forwards: 70',
      `From: <sip:${phone.name}@${DOMAIN}>;tag=${run}`,
      `To: <sip:${phone.name}@${DOMAIN}>`,
      `Call-ID: ${run}${phone.name}`,
      `CSeq: ${phone.cseq} REGISTER`,
      `Contact: <sip:${phone.name}@127.0.0.1:${own}>`,
      'Expires: 3600',
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    socket.send(phone.sent, port, '127.0.0.1');
  };

  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    const status = text.slice(8, 11);
    const [, callId, cseq] = /Call-ID: *(\S+)[\s\S]*?CSeq: *(\d+)|$/i.exec(ordered(text)) ?? [];
    const phone = phones.get(callId ?? '');
    if (over || phone === undefined || Number(cseq) !== phone.cseq || status.startsWith('1')) return;
    const offer = status === '401' ? /WWW-Authenticate: *(.*)/i.exec(text)?.[1] : undefined;
    const challenge = offer === undefined ? null : chooseChallenge([offer]);
    if (challenge !== null) {
      send(
        phone,
        answerChallenge(challenge, {
          method: 'REGISTER',
          uri: `sip:${DOMAIN}`,
          credentials: { userName: phone.name, password: PASSWORD },
          count: 1,
          cnonce: 'c',
        }),
      );
      return;
    }
    if (status === '200') counts.registrations += 1;
    else counts.refused += 1;
    send(phone);
  });
  const watch = setInterval(() => {
    for (const phone of phones.values()) {
      if (performance.now() - phone.at < AGAIN_MS) continue;
      counts.repeated += 1;
      phone.at = performance.now();
      socket.send(phone.sent, port, '127.0.0.1');
    }
  }, 100);
  const began = performance.now();
  for (let i = 0; i < IN_FLIGHT; i++) {
    const phone: Phone = { name: userName(i % USERS), cseq: 0, sent: '', at: 0 };
    phones.set(`${run}${phone.name}`, phone);
    send(phone);
  }
  await rest(ms);
  over = true;
  clearInterval(watch);
  socket.close();
  return { ...counts, seconds: (performance.now() - began) / 1000 };
}

/** Call-ID before CSeq, whatever order the server writes. */
function ordered(text: string): string {
  const line = (name: string): string => new RegExp(`^${name}:.*$`, 'im').exec(text)?.[0] ?? '';
  return `${line('Call-ID')}\n${line('CSeq')}`;
}

async function measure(
  name: string,
  port: number,
  pid: number,
  print: (line: string) => void,
): Promise<number> {
  await load(port, WARM_MS);
  const before = cpuOf(pid);
  const did = await load(port, RUN_MS);
  const cpu = cpuOf(pid) - before;
  const perCore = did.registrations / cpu;
  const { registrations, refused, repeated, seconds } = did;
  print(
    `${name.padEnd(10)} ${Math.round(registrations / seconds)} registrations/s at ${(cpu / seconds).toFixed(2)} cores: ` +
      `${Math.round(perCore)} for a second of CPU (${((cpu / registrations) * 1e6).toFixed(0)} µs each); ` +
      `${refused} refused, ${repeated} repeated`,
  );
  return perCore;
}

const KAMAILIO = ['/usr/sbin/kamailio', '/usr/local/sbin/kamailio'];

/** Kamailio as a registrar: digest with qop, bindings in memory, two workers. */
function kamailioConfig(port: number, modules: string): string {
  const loaded = ['tm', 'sl', 'pv', 'textops', 'siputils', 'usrloc', 'registrar', 'auth'];
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=2
auto_aliases=no
listen=udp:127.0.0.1:${port}
mpath="${modules}/"
${loaded.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("auth", "qop", "auth")
request_route {
  if (!is_method("REGISTER")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  if (!pv_www_authenticate("${DOMAIN}", "${PASSWORD}", "0")) { www_challenge("${DOMAIN}", "1"); exit; }
  if ($au != $tU) { sl_send_reply("403", "Forbidden"); exit; }
  save("location");
}
`;
}

async function startKamailio(path: string, port: number): Promise<{ child: ChildProcess; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-kamailio-'));
  const files = spawnSync('dpkg', ['-L', 'kamailio']).stdout.toString().split('\n');
  const modules = dirname(files.find((file) => file.endsWith('/tm.so')) ?? '/usr/lib/kamailio/modules/tm.so');
  writeFileSync(join(folder, 'kamailio.cfg'), kamailioConfig(port, modules));
  const child = spawn(
    path,
    [
      '-DD',
      '-E',
      '-m',
      '256',
      '-M',
      '16',
      '-f',
      join(folder, 'kamailio.cfg'),
      '-P',
      join(folder, 'pid'),
      '-Y',
      folder,
    ],
    { stdio: 'ignore' },
  );
  await rest(1_500);
  if (child.exitCode !== null) throw new Error(`kamailio ended with ${child.exitCode}`);
  return { child, folder };
}

export async function run(print: (line: string) => void): Promise<void> {
  print(
    `one registration = REGISTER, 401, REGISTER with MD5 digest, 200 by UDP; ${IN_FLIGHT} in flight, ${RUN_MS / 1000} s`,
  );
  const port = await freePort();
  const connections = Array.from({ length: USERS }, (_, i) => ({
    user_name: userName(i),
    password: PASSWORD,
  }));
  const product = await startSidetone({ domain: DOMAIN, sip: { udp: port, tcp: port }, connections });
  let ours: number;
  try {
    ours = await measure('sidetone', port, product.pid, print);
  } finally {
    await product.stop();
  }
  const path = KAMAILIO.find((file) => spawnSync(file, ['-v']).status === 0);
  if (path === undefined) {
    print('kamailio is missing: apt-get install --no-install-recommends kamailio');
    return;
  }
  const at = await freePort();
  const { child, folder } = await startKamailio(path, at);
  try {
    const theirs = await measure('kamailio', at, child.pid ?? -1, print);
    print(`ratio      ${(ours / theirs).toFixed(2)} of Kamailio's registrations for a second of CPU`);
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
