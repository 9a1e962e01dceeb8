import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childOf, cpuOf, rssOf } from './processes.ts';
import { freePort, startSidetone } from './product.ts';
const [over='udp', rate='150', secs='8'] = process.argv.slice(2);
const [sip, carrierPort] = await Promise.all([freePort(), freePort()]);
const users = Array.from({ length: 8 }, (_, i) => ({ login: `user${i}`, passwd: 'bench-password' }));
const product = await startSidetone({ domain: 'bench.test', sip: { udp: sip, tcp: sip }, media: { address: '127.0.0.1', ports: [40000, 43999], rtp_timeout_seconds: 3600 },
  connections: [{ user_name: 'desk', password: 'bench-password', numbers: ['+15557654321'] }, ...users.map(({ login }) => ({ user_name: login, password: 'bench-password' }))],
  trunks: [{ name: 'carrier', host: '127.0.0.1', port: carrierPort, prefixes: ['+999'] }] });
const child = fork(fileURLToPath(new URL('./overload/load.ts', import.meta.url)), {execArgv: []});
const heard = async () => (await once(child, 'message'))[0];
child.send({ over, sip, carrierPort, url: product.url.replace('http', 'ws'), domain: 'bench.test', phone: { userName: 'desk', password: 'bench-password' }, number: '+15557654321', users });
await heard();
const sig = childOf(product.pid, 'signalling-process'), med = childOf(product.pid, 'media-process');
child.send({ perSecond: 60, ms: 3000, tailMs: 1000 }); await heard();
for (const r of rate.split(',')) {
const a = cpuOf(sig), b = cpuOf(med);
child.send({ perSecond: Number(r), ms: Number(secs) * 1000, tailMs: 3000 });
const res: any = await heard();
console.log(r, JSON.stringify(res), 'sig ms/call', (cpuOf(sig) - a) / res.good * 1000, 'media', (cpuOf(med) - b) / res.good * 1000, 'rss', rssOf(sig) / 2 ** 20);
}
child.disconnect(); await product.stop();
