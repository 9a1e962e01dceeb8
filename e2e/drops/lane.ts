import { readFileSync } from 'node:fs';
import { type Failure, Line, throughRelay } from '../src/line.ts';
import type { SdkName } from '../src/page-host.ts';
import type { Rig } from '../src/rig.ts';
import { RtpPeer } from '../src/rtp-peer.ts';
import { Sipp } from '../src/sipp.ts';
import type { TestPage } from '../src/test-page.ts';
import { toneShare } from '../src/tone.ts';
import { pause, until } from '../src/wait.ts';

/** What the page says, and what the carrier says. */
const PAGE_HZ = 1_000;
const CARRIER_HZ = 440;
/**
 * A pause between two frames counts when it is longer than this, and half as long again as any that the call had in the seconds before its
 * drop: those are the machine's.
 */
const GAP_MS = 150;
const MOST_GAP_MS = 1_000;
const CALIBRATE_MS = 3_000;
/** Sound counts as back when it stays this long. */
const STEADY_MS = 1_500;
/** How long sound goes on when it counts as back. */
const LASTING_MS = 1_000;
/** Longer than any client waits. */
const GIVE_UP_MS = 45_000;

export interface Drop {
  readonly failure: Failure;
  readonly media: boolean;
  readonly outageMs: number;
}

export interface Measured extends Drop {
  /** From the network's return until sound flows both ways, and goes on for a second; `null`: never. */
  readonly audioMs: number | null;
  /** From the network's return until the client is registered again. */
  readonly readyMs: number | null;
  /** The shortest pause that counts. */
  readonly floorMs: number;
  /** The longest pause after that, in any direction. */
  readonly laterMs: number;
  /** The longest silence at the carrier and in the page. */
  readonly gapAtCarrierMs: number;
  readonly gapInPageMs: number;
}

/** Stretches of a tone, as milliseconds since 1970. */
type Stretch = [from: number, to: number];

/** The pauses between stretches that are worth the name, from `since` on. */
function pauses(stretches: readonly Stretch[], since: number, until: number, floor = GAP_MS): Stretch[] {
  const found: Stretch[] = [];
  let heard = since;
  for (const [from, to] of stretches) {
    if (to < since) continue;
    if (from - heard > floor) found.push([heard, from]);
    heard = Math.max(heard, to);
  }
  if (until - heard > floor) found.push([heard, until]);
  return found;
}

const SETTLE_MS = 500;
const STALL_TICK_MS = 20;
/** Stretches in which this process did not run, and heard nothing although packets came. */
const stalls: Stretch[] = [];

/** Watches this process; on a machine with too much to do its own sleep looks like silence of the call. */
export function watchOurselves(): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > 3 * STALL_TICK_MS) stalls.push([last, now]);
    last = now;
  }, STALL_TICK_MS);
  return () => clearInterval(timer);
}

/** The pauses that are not our own sleep. */
function real(found: readonly Stretch[]): Stretch[] {
  return found.filter(([from, to]) => {
    const slept = stalls.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0);
    return to - from - slept > GAP_MS;
  });
}

/** One call from a page to a carrier over a line that fails on command. */
export class Lane {
  readonly line: Line;
  readonly page: TestPage;
  readonly #sipp: Sipp;
  readonly #rtp: RtpPeer;
  readonly #rig: Rig;
  readonly #id: string;
  readonly #atCarrier: Stretch[] = [];
  #floor = GAP_MS;

  private constructor(rig: Rig, line: Line, page: TestPage, sipp: Sipp, rtp: RtpPeer, id: string) {
    this.#rig = rig;
    this.line = line;
    this.page = page;
    this.#sipp = sipp;
    this.#rtp = rtp;
    this.#id = id;
    const rate = rtp.rate;
    rtp.onSound = (pcm) => {
      if (toneShare(pcm, rate, PAGE_HZ) < 0.5) return;
      const now = Date.now();
      const last = this.#atCarrier.at(-1);
      if (last !== undefined && now - last[1] <= 60) last[1] = now;
      else this.#atCarrier.push([now - 20, now]);
    };
  }

  /** A call that is up, with sound both ways. `n` tells lanes apart: relay, trunk and user. */
  static async open(
    rig: Rig,
    sdk: SdkName,
    n: number,
    options: Readonly<Record<string, unknown>>,
  ): Promise<Lane> {
    const { media } = JSON.parse(readFileSync(rig.server.configFile, 'utf8')) as {
      media: { ports: [number, number] };
    };
    const relay = `127.0.0.${20 + n}`;
    const line = await Line.start({
      http: rig.server.httpPort,
      media: rig.server.address,
      ports: media.ports,
      relay,
    });
    const format = { codec: 'PCMU', payloadType: 0, eventPayloadType: 101 } as const;
    const rtp = await RtpPeer.open(format);
    const trunk = rig.lanePorts[n]!;
    const sipp = await Sipp.start({
      role: 'uas',
      port: trunk,
      rtp: { host: '127.0.0.1', port: rtp.port },
      format,
    });
    try {
      const page = await rig.chromium.open(rig.host, sdk);
      await page.evaluate(throughRelay(relay));
      await page.connect({ ...options, host: line.url });
      const id = await page.newCall({ destinationNumber: `+157${n}0000000`, callerNumber: '+13125550100' });
      await sipp.says('180');
      await sipp.steer('answer');
      await page.reaches(id, 'active');
      rtp.send(await sipp.remoteAudio(), CARRIER_HZ);
      await page.evaluate(`driver.watchTone(${CARRIER_HZ})`);
      const lane = new Lane(rig, line, page, sipp, rtp, id);
      await page.hears(CARRIER_HZ);
      await rtp.hears(PAGE_HZ);
      return lane;
    } catch (error) {
      line.close();
      await sipp.stop();
      rtp.close();
      throw error;
    }
  }

  /** One failure of the line, and what came of it. */
  async drop({ failure, media, outageMs }: Drop): Promise<Measured> {
    await this.#calibrate();
    const readyBefore = await this.#ready();
    const down = Date.now();
    this.line.down(failure, media);
    await pause(outageMs);
    const up = Date.now();
    this.line.up();
    let ready: number | null = null;
    // A client that came back during the outage would not have; it counts from the return.
    const registered = until(
      'the client to be registered again',
      async () => (await this.#ready()) > readyBefore,
      { limitMs: GIVE_UP_MS, everyMs: 50 },
    ).then(
      () => {
        ready = Math.max(0, Date.now() - up);
      },
      () => undefined,
    );
    await registered;
    const audible = await this.#steady(up).then(
      () => true,
      () => false,
    );
    // What a late re-attach does to the sound belongs to the drop.
    const active = await this.page.becomes(this.#id, 'active').then(
      () => true,
      () => false,
    );
    if (audible) await pause(2_000);
    const now = Date.now();
    // What came until now may still wait to be read.
    await pause(SETTLE_MS);
    const inPage = await this.#inPage();
    const found = [
      real(pauses(this.#atCarrier, down, now, this.#floor)),
      pauses(inPage, down, now, this.#floor),
    ];
    const longest = (list: readonly Stretch[]): number =>
      Math.round(list.reduce((most, [from, to]) => Math.max(most, to - from), 0));
    const all = found.flat();
    const back = [up, ...all.map(([, to]) => to).filter((to) => to > up)]
      .sort((a, b) => a - b)
      .find((at) => !all.some(([from, to]) => from < at + LASTING_MS && to > at))!;
    return {
      failure,
      media,
      outageMs,
      audioMs: audible && active ? Math.round(back - up) : null,
      floorMs: this.#floor,
      laterMs: longest(all.filter(([from]) => from >= back)),
      readyMs: ready,
      gapAtCarrierMs: longest(found[0]!),
      gapInPageMs: longest(found[1]!),
    };
  }

  /** The pauses of a call whose line did not fail: what the machine does to any call at that time. */
  async undisturbed(since: number): Promise<number[]> {
    const now = Date.now();
    await pause(SETTLE_MS);
    const found = [...real(pauses(this.#atCarrier, since, now)), ...pauses(await this.#inPage(), since, now)];
    return found.map(([from, to]) => Math.round(to - from));
  }

  /** The call's end, as the carrier sees it: nothing was lost on the way. */
  async close(): Promise<void> {
    this.#rtp.onSound = undefined;
    try {
      if ((await this.page.call(this.#id)).state === 'active') {
        await this.page.act(this.#id, 'hangup');
        await this.#sipp.gets('BYE');
      }
      await this.page.disconnect();
    } finally {
      await this.page.close();
      this.line.close();
      await this.#sipp.stop();
      this.#rtp.close();
    }
  }

  /** What to say when a drop went wrong. */
  async report(): Promise<string> {
    return `${await this.page.report()}\n${this.#rig.server.log}`;
  }

  /** Listens before the drop, to know what the machine does to the call at this time. */
  async #calibrate(): Promise<void> {
    this.#floor = MOST_GAP_MS;
    await this.#steady(Date.now() - STEADY_MS);
    const since = Date.now();
    await pause(CALIBRATE_MS);
    const now = Date.now();
    await pause(SETTLE_MS);
    const heard = [this.#atCarrier, await this.#inPage()].flatMap((one) => pauses(one, since, now, 60));
    const longest = heard.reduce((most, [from, to]) => Math.max(most, to - from), 0);
    this.#floor = Math.round(Math.min(MOST_GAP_MS, Math.max(GAP_MS, 1.5 * longest)));
  }

  /** Logins that ended in REGED. The published one says `telnyx.ready` again too. */
  async #ready(): Promise<number> {
    return Number(await this.page.evaluate(`sut.payloads('telnyx.ready').length`));
  }

  async #inPage(): Promise<Stretch[]> {
    const changes = (await this.page.evaluate('driver.toneChanges()')) as { on: boolean; at: number }[];
    const stretches: Stretch[] = [];
    for (const { on, at } of changes)
      if (on) stretches.push([at, Number.POSITIVE_INFINITY]);
      else if (stretches.length > 0) stretches.at(-1)![1] = at;
    return stretches;
  }

  /** Waits until both sides have heard each other without a pause for a while, after `since`. */
  async #steady(since: number): Promise<void> {
    const steady = (stretches: readonly Stretch[], now: number): boolean => {
      const last = stretches.at(-1);
      return (
        last !== undefined &&
        last[1] > now - this.#floor - 100 &&
        real(pauses(stretches, Math.max(since, now - STEADY_MS), now, this.#floor)).length === 0
      );
    };
    await until(
      'steady sound both ways',
      async () => {
        const now = Date.now();
        if (now - since < STEADY_MS) return false;
        return steady(this.#atCarrier, now) && steady(await this.#inPage(), now);
      },
      { limitMs: GIVE_UP_MS, everyMs: 100 },
    );
  }
}
