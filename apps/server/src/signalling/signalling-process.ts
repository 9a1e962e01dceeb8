import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rejectUnparseable } from '@sidetone/proxy';
import type { Flow, SipMessage } from '@sidetone/sip';
import type { CallRecord, SipUser, Trunk } from '@sidetone/wire';
import type { Logger } from 'pino';
import { createApi } from '../api/app.ts';
import { epoch, monotonic } from '../clock.ts';
import { iceServersOf } from '../identity/ice-servers.ts';
import { LoginBudget } from '../identity/login-budget.ts';
import { LoginLinks } from '../identity/login-links.ts';
import { type IdentityService, openIdentity, sqliteFileOf } from '../identity/open.ts';
import { loadSecrets } from '../identity/secrets.ts';
import { bootIdentity } from '../journal/boot-identity.ts';
import { openJournal } from '../journal/journal-file.ts';
import { TrustedProxies } from '../listen/client-peer.ts';
import { createHttpApp, incoming, listenHttp } from '../listen/http.ts';
import { listenStun } from '../listen/stun.ts';
import { listenWebSocket, type WebSocketListener } from '../listen/websocket.ts';
import { createLog } from '../log.ts';
import { createMediaClient } from '../media/control-client.ts';
import { familiesOf, publicHosts } from '../net/listen-hosts.ts';
import { openSipTransport, type SipTransport } from '../net/sip-transport.ts';
import { createOutgoing } from '../outgoing/outgoing.ts';
import { fetchRecording } from '../recordings/fetch.ts';
import { openRecordings } from '../recordings/open.ts';
import { createSoundService } from '../sounds/service.ts';
import { openRecordWriter } from '../store/record-writer.ts';
import { FAULT, type FromChild, type SignallingStart, type ToChild } from '../supervise/messages.ts';
import { systemRandom } from '../system-random.ts';
import { openWebhooks } from '../webhooks/open.ts';
import { authenticate } from './authenticate.ts';
import { createExchange } from './exchange.ts';
import { handOver } from './hand-over.ts';
import { Health, partOf } from './health.ts';
import { InheritedFault, inheriting } from './inherited-fault.ts';
import { KeptTrunks } from './kept-trunks.ts';
import { registrationOf } from './registration.ts';
import { createRevocations } from './revocations.ts';
import { keepTrunksResolved, resolveTrunks } from './trunk-addresses.ts';

/** How long SIGTERM waits for calls to end, and then for the answers to the last BYEs. */
const LONGEST_DRAIN_MS = 3000;
const FAREWELL_MS = 200;
/** And how long for webhooks; what is not delivered by then is left to the next process. */
const LAST_NEWS_MS = 1000;
const LOOK_MS = 2000;
/** Names of trunks that take longer are known later. */
const LOOK_UP_MS = 1000;
/** At a handover, requests under way have this much longer than the clients. */
const LAST_REQUESTS_MS = 500;
/** Users named at the start. */
const MOST_TOLD = 100;

/** A signalling process that serves. */
interface Signalling {
  /** Ends every call, then everything. */
  drain(): Promise<void>;
  /** Leaves the calls to the next process; `false`: it would not find them, so this one stays in service. */
  handOver(): Promise<boolean>;
}

/**
 * All that a signalling process can do beside another one in service: nothing of it touches a socket, a call or the journal.
 * Resolves with what puts it in service.
 */
export async function prepareSignalling(
  start: SignallingStart,
  log: Logger,
): Promise<() => Promise<Signalling>> {
  const secrets = loadSecrets(start.dataDir);
  const people = await openIdentity(start.config, start.dataDir, secrets, log);
  const unresolved = (host: string): void => log.warn({ host }, 'trunk host cannot be resolved');
  const named = people.identity.trunks;
  const trunks = new KeptTrunks(join(start.dataDir, 'trunk-addresses.json'), log);
  const families = familiesOf(start.config.sip.host);
  const update = (resolved: readonly Trunk[]): void => people.identity.setTrunks(trunks.kept(resolved));
  // A name server that does not answer must not keep us from serving: what a name had last is good until it does.
  const looked = resolveTrunks(named, families, unresolved);
  update(await Promise.race([looked, rest(LOOK_UP_MS, named, { ref: false })]));
  void looked.then(update);
  const stopResolving = keepTrunksResolved(named, families, update, unresolved);
  return () => serve(start, log, secrets, people, trunks, stopResolving);
}

/**
 * The signalling process in service: every socket of signalling, the store, and the exchange of vsp, voice and proxy between
 * them. Reads like the wiring plan: each listener posts inputs, each output of the exchange goes to one listener.
 */
async function serve(
  start: SignallingStart,
  log: Logger,
  secrets: ReturnType<typeof loadSecrets>,
  people: IdentityService,
  trunks: KeptTrunks,
  stopResolving: () => void,
): Promise<Signalling> {
  const { config, dataDir } = start;
  const { identity, tokens } = people;
  await people.enter();
  const journal = openJournal(join(dataDir, 'journal'), bootIdentity(), log, {
    afresh: start.afresh === true,
  });
  const records = openRecordWriter(sqliteFileOf(config, dataDir), log, (legs) =>
    journal.write(legs.map((leg) => ({ room: 'records', key: leg, value: null }))),
  );
  // What the process before had in hand when it died. A record that the store has already stays as it is there.
  for (const { value } of journal.found.entries.records) records.save(value as CallRecord);
  const outgoing = createOutgoing({ allow: config.webhooks.allow });
  const webhooks = openWebhooks({
    config,
    outgoing,
    dataDir,
    secrets,
    log,
    tell: (input) => exchange.post('webhooks', input),
  });
  const logs = {
    vsp: log.child({ service: 'vsp' }),
    voice: log.child({ service: 'voice' }),
    proxy: log.child({ service: 'proxy' }),
    webhooks: log.child({ service: 'webhooks' }),
  };
  const budget = new LoginBudget();
  const phoneBudget = new LoginBudget();
  const links = new LoginLinks();
  /** Who calls and is called: what logs in under a connection that parks its calls is a back end's. */
  const persons = (): SipUser[] =>
    [...identity.users()].filter(
      (user) => user.kind === 'connection' && identity.connection(user.connectionId)?.parking !== true,
    );
  const iceServers = iceServersOf(config);
  const publicAddress = { hosts: publicHosts(config.sip), port: config.sip.udp };

  const sounds = createSoundService({ config, dataDir, outgoing, log });

  const recordings = openRecordings({ config, dataDir, secrets, log });

  let mediaIsHere = false;
  const health = new Health([
    partOf('call_records', records),
    partOf('call_events', webhooks),
    partOf('recordings', recordings),
    { name: 'webhooks', why: () => undefined, waiting: () => exchange.webhooks().waiting },
    {
      name: 'journal',
      why: () => journal.why && `cannot be written (${journal.why}); a restart would lose calls`,
      waiting: () => journal.waiting,
    },
    { name: 'users', why: () => people.trouble },
    { name: 'media', why: () => (mediaIsHere ? undefined : 'the media process is away; no call can begin') },
    { name: 'trunks', why: () => trunks.trouble },
  ]);
  // Also a quiet service notices that the disk has room again.
  const watching = setInterval(() => {
    journal.settled();
    health.look(monotonic());
  }, LOOK_MS);

  const mediaIsUp = Promise.withResolvers<void>();
  const media = createMediaClient({
    socketPath: start.mediaSocket,
    onEvent: (event) => exchange.post('voice', { type: 'mediaEvent', event }),
    onState: (state) => {
      log.info({ state }, 'media engine');
      mediaIsHere = state === 'up';
      if (mediaIsHere) mediaIsUp.resolve();
    },
  });

  let sip: SipTransport | undefined;
  let sockets: WebSocketListener | undefined;
  /** What services that take over say before the sockets are open. */
  const unsent: [SipMessage, Flow][] = [];
  const exchange = createExchange(
    { config, identity, nonceKey: secrets.nonceKey, publicAddress, mediaAddresses: start.mediaAddresses },
    {
      sip: (message, flow) => {
        if (sip === undefined) unsent.push([message, flow]);
        else sip.send(message, flow);
      },
      frame: (socket, text) => sockets?.send(socket, text),
      closeSocket: (socket, code, reason) => sockets?.close(socket, code, reason),
      watchSocket: (socket, on) => sockets?.watch(socket, on),
      authenticate: (question) => {
        void authenticate(question, identity, tokens, budget, { now: monotonic(), epoch: epoch() }).then(
          ({ answer, reason, user }) => {
            log.info({ user, address: question.address, reason, ok: answer.ok }, 'login');
            const result = answer.ok ? { ...answer, iceServers: iceServers(user, epoch()) } : answer;
            exchange.post('vsp', { type: 'authenticated', request: question.request, result });
          },
        );
      },
      lookup: ({ request, user, address }) => {
        // Guessed too often from there: then even the right password is none.
        const known = phoneBudget.allows(user, address, monotonic()) ? identity.userByName(user) : undefined;
        // Answered on the next turn, as a database would.
        setImmediate(() =>
          exchange.post('proxy', {
            type: 'credentials',
            request,
            result: known === undefined ? null : { password: known.password },
          }),
        );
      },
      refused: ({ user, address }) => phoneBudget.failed(user, address, monotonic()),
      media: ({ id, command }) => {
        void media.command(command).then((reply) => exchange.post('voice', { type: 'media', id, reply }));
      },
      sound: ({ id, account, ask }) => {
        void sounds
          .prepare(account, ask)
          .then((result) => exchange.post('voice', { type: 'sound', id, result }));
      },
      save: ({ id, recording }) =>
        recordings.save(id, recording, (result) => exchange.post('voice', { type: 'saved', id, result })),
      mediaLag: () => media.lag(),
      keep: (changes, ended) => {
        journal.write([
          ...ended.map((record) => ({ room: 'records' as const, key: record.leg_id, value: record })),
          ...changes,
        ]);
        for (const record of ended) {
          records.save(record);
          log.info(
            {
              session: record.session_id,
              leg: record.leg_id,
              kind: record.kind,
              cause: record.cause,
              ended_by: record.ended_by,
            },
            'leg ended',
          );
        }
      },
      post: webhooks.post,
      store: webhooks.store,
      log: (room, line) => logs[room][line.level](line.fields, line.event),
    },
  );

  inheriting(() => exchange.restore(journal.found.entries));
  identity.listen(createRevocations(exchange));
  const taken = exchange.calls();
  if (taken > 0) log.info({ calls: taken }, 'calls taken over');

  const transport = await openSipTransport({
    host: config.sip.host,
    udp: config.sip.udp,
    tcp: config.sip.tcp,
    received: (message, flow) => exchange.arrived({ kind: 'sip', message, flow }),
    unparseable: (error, flow) => {
      const answer = rejectUnparseable(error, flow);
      if (answer !== null) sip?.send(answer.message, answer.flow);
    },
    behind: (then) => exchange.behind(then),
    failed: (flow) => exchange.post('proxy', { type: 'transportFailed', flow }),
  });
  sip = transport;
  inheriting(() => {
    for (const [message, flow] of unsent.splice(0)) transport.send(message, flow);
  });
  const stun = await listenStun(config.stun.host, config.stun.port);
  const proxies = new TrustedProxies(config.http.trusted_proxies);
  const app = createHttpApp(
    {
      consoleDir: fileURLToPath(new URL('../../../console/dist', import.meta.url)),
      redeem: async (token, address) => {
        const user = identity.userByName(links.redeem(token, monotonic()) ?? '');
        log.info({ user: user?.name, address, ok: user !== undefined }, 'login link');
        if (user === undefined) return null;
        const others = persons().filter((other) => other.id !== user.id);
        return {
          login_token: await tokens.mint(user, epoch()),
          user_name: user.name,
          domain: config.domain,
          others: others.slice(0, 8).map((other) => other.name),
        };
      },
      recording: (request) => fetchRecording(recordings, request, epoch()),
      knowsReport: (reportId) => exchange.knowsReport(reportId),
      reported: (callId, bytes, address) =>
        log.info({ call: callId.slice(0, 64), bytes, address }, 'call report received'),
      addressOf: (request) => proxies.clientOf(request).address,
      api: createApi({
        world: {
          people,
          now: epoch,
          media: sounds.door,
          registration: (user) => registrationOf(exchange.bindingsOf(user), monotonic()),
          calls: exchange,
          webhooks: webhooks.api,
          recordings,
        },
        requestsPerMinute: config.limits.api_requests_per_minute,
        monotonic,
        log,
        addressOf: (env) => proxies.clientOf(incoming(env)).address,
      }),
      health: () => health.answer(exchange.calls(), monotonic()),
    },
    config.http.tls !== undefined,
  );
  const http = await listenHttp(config.http, app);
  const webSockets = listenWebSocket(http, {
    origins: config.http.origins,
    host: config.http.host,
    clientOf: (request) => proxies.clientOf(request),
    newId: () => Buffer.from(systemRandom.bytes(12)).toString('base64url'),
    opened: (socket, origin, query, address) =>
      exchange.post('vsp', {
        type: 'open',
        socket,
        query,
        address,
        ...(origin === undefined ? {} : { origin }),
      }),
    frame: (socket, text) => exchange.arrived({ kind: 'frame', socket, text }),
    // Its last frame may still wait for its turn.
    closed: (socket) => exchange.behind(() => exchange.post('vsp', { type: 'closed', socket })),
    sip: transport.webSockets,
  });
  sockets = webSockets;

  const local = config.connections === undefined;
  // Ready means that a call placed now has media.
  let draining = false;
  void mediaIsUp.promise.then(() => {
    if (draining) return;
    tell({
      type: 'ready',
      users: persons()
        .slice(0, MOST_TOLD)
        .map(({ name }) => ({ userName: name, ...(local ? { link: links.issue(name, monotonic()) } : {}) })),
      calls: taken,
    });
  });

  const end = async (): Promise<void> => {
    webSockets.closeAll();
    http.close();
    transport.close();
    stun.close();
    media.close();
    clearInterval(watching);
    stopResolving();
    // What it has written leaves the journal yet.
    await webhooks.close();
    exchange.stop();
    await sounds.close();
    await recordings.close();
    outgoing.close();
    await records.close();
    await people.close();
    journal.close();
  };

  return {
    drain: async () => {
      draining = true;
      // voice first: it is the platform that ends these calls, and their records say so.
      exchange.post('voice', { type: 'drain' });
      exchange.post('vsp', { type: 'drain' });
      const until = monotonic() + LONGEST_DRAIN_MS;
      while (exchange.calls() > 0 && monotonic() < until) await rest(25);
      // The last BYEs have left; peers have a moment to answer before their port is gone, and back ends to hear of the ends.
      await Promise.all([
        rest(FAREWELL_MS),
        webhooks.rested(() => exchange.webhooks().waiting, LAST_NEWS_MS),
      ]);
      await end();
    },
    handOver: async () => {
      if (!journal.settled()) {
        tell({
          type: 'staying',
          why: 'the journal cannot be written (is the disk full?), calls would be lost',
        });
        return false;
      }
      draining = true;
      await handOver({ exchange, sockets: webSockets, stopListening: () => http.close(), tell });
      await webhooks.rested(() => exchange.webhooks().flying, LAST_REQUESTS_MS);
      await end();
      return true;
    },
  };
}

function tell(message: FromChild): void {
  process.send?.(message);
}

function main(): void {
  let log: Logger | undefined;
  let prepared: ReturnType<typeof prepareSignalling> | undefined;
  let running: Promise<Signalling> | undefined;
  const stop = async (how: 'drain' | 'handOver'): Promise<void> => {
    const left = await running?.then((signalling): Promise<unknown> => signalling[how]()).catch(() => {});
    if (left !== false) process.exit(0);
  };
  const faulty = (error: Error): void => {
    log?.fatal({ err: error }, 'uncaught exception');
    process.exit(FAULT);
  };
  const attempt = (work: Promise<unknown>): void => {
    work.catch((error: Error) => {
      if (error instanceof InheritedFault) return faulty(error);
      tell({ type: 'failed', sentence: error.message });
      setTimeout(() => process.exit(1), 50);
    });
  };
  process.on('message', (message: ToChild) => {
    switch (message.type) {
      case 'start-signalling':
      case 'stand-by':
        log = createLog('signalling', message.start.config.log.level);
        prepared = prepareSignalling(message.start, log);
        if (message.type === 'start-signalling') attempt((running = prepared.then((enter) => enter())));
        else attempt(prepared.then(() => tell({ type: 'standing-by' })));
        return;
      case 'take-over':
        if (prepared !== undefined) attempt((running = prepared.then((enter) => enter())));
        return;
      case 'hand-over':
        return void stop('handOver');
      case 'drain':
        return void stop('drain');
    }
  });
  // The supervisor is gone: end the calls rather than live without it.
  process.on('disconnect', () => void stop('drain'));
  // Ctrl-C reaches the whole process group; the supervisor decides.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => void stop('drain'));
  process.on('uncaughtException', faulty);
}

main();
