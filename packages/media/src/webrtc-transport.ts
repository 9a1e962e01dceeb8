import type { Ms } from '@sidetone/core';
import {
  classify,
  createIce,
  createSrtpSession,
  type DtlsConnected,
  type DtlsEndpoint,
  type DtlsFactory,
  type IceCredentials,
  type IceInput,
  type IcePath,
  type IceState,
  iceLite,
  isApproved,
  SRTP_MALFORMED,
  type SrtpSession,
} from '@sidetone/rtc';
import type { NegotiatedAudio } from '@sidetone/sdp';
import type { Datagrams, MediaLimits, StreamDoor } from './ports.ts';
import type { LegSocket } from './resting.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** So many packets in a row by another checked path than the selected one, half a second of audio: the peer has moved. */
const MOVED_AFTER = 25;

/**
 * A browser's path: ICE-lite → DTLS → SRTP on one port (rtcp-mux), on every advertised address; and on the TCP port of all
 * legs, if there is one, which then is the last of the sockets.
 *
 *   datagram ─ first byte (RFC 7983) ─┬ STUN → ICE: answered, may approve and select a path
 *                                     ├ DTLS → only from an approved path → handshake → keys
 *                                     └ SRTP, SRTCP → only from an approved path, only with a valid tag → leg
 *
 * Sent to the selected path only. Keys in use are replaced only by a finished handshake.
 */
export class WebRtcTransport implements Transport {
  dropped = 0;
  readonly #sockets: readonly Datagrams[];
  readonly #own: readonly LegSocket[];
  readonly #door: StreamDoor | undefined;
  readonly #events: TransportEvents;
  readonly #now: () => Ms;
  readonly #dtlsFactory: DtlsFactory;
  readonly #limits: MediaLimits;
  #ice: IceState;
  #dtls: DtlsEndpoint | undefined;
  #dtlsStarted: Ms | undefined;
  /** The newest association has given its keys. */
  #keysAreNew = false;
  /** Where the handshake comes from: after a restart that may be a path that is not nominated yet. */
  #dtlsPath: IcePath | undefined;
  #peer: NonNullable<NegotiatedAudio['dtls']> | undefined;
  #srtp: SrtpSession | undefined;
  #path: IcePath | undefined;
  #approved: IcePath | undefined;
  /** Packets of audio since the last by the selected path. */
  #elsewhere = 0;
  #failed = false;
  #closed = false;

  constructor(
    sockets: readonly LegSocket[],
    door: StreamDoor | undefined,
    local: IceCredentials,
    events: TransportEvents,
    now: () => Ms,
    dtls: DtlsFactory,
    limits: MediaLimits,
  ) {
    this.#sockets = door === undefined ? sockets : [...sockets, door];
    this.#own = sockets;
    this.#door = door;
    door?.admit(local.ufrag);
    this.#events = events;
    this.#now = now;
    this.#dtlsFactory = dtls;
    this.#limits = limits;
    this.#ice = createIce({ local, now: now(), setupMs: limits.iceSetupMs, consentMs: limits.consentMs });
  }

  get ready(): boolean {
    return this.#srtp !== undefined && this.#path !== undefined && !this.#failed && !this.#closed;
  }

  get localIce(): IceCredentials {
    return this.#ice.local;
  }

  get remoteIce(): IceCredentials | null {
    return this.#ice.remote;
  }

  /** ICE restart: fresh credentials of ours; the path in use stays until a new one is nominated (RFC 8445 §9). */
  restart(local: IceCredentials, remote: IceCredentials | null): void {
    this.#failed = false;
    this.#door?.admit(local.ufrag);
    this.#step({ type: 'restart', local, remote });
    this.#allowTime();
  }

  /** The old path may be about to fail; the new one has its full time. */
  #allowTime(): void {
    const expiresAt = Math.max(this.#ice.expiresAt, this.#now() + this.#limits.iceSetupMs);
    this.#ice = { ...this.#ice, expiresAt };
  }

  /** The peer's description is known. The same certificate keeps the association (RFC 8842 §4). */
  negotiated(ice: IceCredentials, dtls: NonNullable<NegotiatedAudio['dtls']>): void {
    if (this.#ice.remote?.ufrag !== ice.ufrag || this.#ice.remote.pwd !== ice.pwd) {
      this.#step({ type: 'remote', credentials: { ufrag: ice.ufrag, pwd: ice.pwd } });
    }
    const before = this.#peer;
    this.#peer = dtls;
    // An offer may ring for minutes before anyone checks: the time for checks begins with the answer.
    const same = before !== undefined && sameCertificate(before, dtls);
    if (same) return;
    this.#allowTime();
    this.#dtls?.close();
    this.#dtlsStarted = undefined;
    this.#keysAreNew = false;
    this.#dtlsPath = undefined;
    this.#dtls = this.#dtlsFactory.create({
      fingerprints: dtls.fingerprints,
      send: (datagram) => this.#send(datagram, datagram.length, this.#dtlsPath),
      connected: (result) => this.#keyed(result),
      failed: () => this.#fail('dtls'),
    });
    this.#begin();
  }

  /** A datagram of socket number `socket`. */
  receive(socket: number, packet: Uint8Array, address: string, port: number): void {
    if (this.#closed) return;
    switch (classify(packet)) {
      case 'rtp':
        return this.#open(socket, packet, address, port, false);
      case 'rtcp':
        return this.#open(socket, packet, address, port, true);
      case 'stun':
        // RFC 8445 §7.3 would answer checks that come before the peer's answer. We wait for it: a browser that connects while
        // it still gathers stops gathering, and a published client that waits for a relay candidate would never answer.
        if (this.#ice.remote === null) return;
        return this.#step({ type: 'packet', bytes: packet, from: { socket, address, port } });
      case 'dtls':
        if (!this.#approves(socket, address, port)) this.dropped++;
        else {
          this.#dtlsPath = { socket, address, port };
          this.#dtls?.receive(packet);
        }
        return;
      case 'unknown':
        this.dropped++;
    }
  }

  sendRtp(packet: Uint8Array, length: number): void {
    if (!this.ready) return;
    const sealed = this.#srtp!.protectRtp(packet, length);
    if (sealed > 0) this.#send(packet, sealed);
  }

  sendRtcp(packet: Uint8Array, length: number): void {
    if (!this.ready) return;
    const sealed = this.#srtp!.protectRtcp(packet, length);
    if (sealed > 0) this.#send(packet, sealed);
  }

  tick(now: Ms): void {
    if (this.#failed || this.#closed || this.#peer === undefined) return;
    const due = iceLite.deadline(this.#ice);
    if (due !== null && now >= due) this.#step({ type: 'tick' });
    if (
      this.#dtlsStarted !== undefined &&
      !this.#keysAreNew &&
      now - this.#dtlsStarted > this.#limits.dtlsSetupMs
    ) {
      this.#fail('dtls');
    }
  }

  close(): void {
    this.#closed = true;
    this.#dtls?.close();
    const now = this.#now();
    for (const [i, socket] of this.#own.entries()) {
      const paths = this.#ice.valid.filter((path) => path.socket === i);
      socket.close(paths.map(({ address, port }) => ({ address, port, ssrc: null, since: now, at: now })));
    }
    this.#door?.close();
  }

  #open(socket: number, packet: Uint8Array, address: string, port: number, rtcp: boolean): void {
    const srtp = this.#srtp;
    if (srtp === undefined || this.#failed || !this.#approves(socket, address, port)) {
      this.dropped++;
      return;
    }
    const length = rtcp
      ? srtp.unprotectRtcp(packet, packet.length)
      : srtp.unprotectRtp(packet, packet.length);
    if (length <= 0) {
      if (length !== 0 && length <= SRTP_MALFORMED) this.dropped++;
      return;
    }
    if (rtcp) return this.#events.rtcp(packet, length, this.#now());
    const path = this.#path;
    if (path !== undefined && path.port === port && path.socket === socket && path.address === address) {
      this.#elsewhere = 0;
    } else if (++this.#elsewhere >= MOVED_AFTER) {
      this.#elsewhere = 0;
      this.#step({ type: 'media', from: { socket, address, port } });
    }
    this.#events.rtp(packet, length, this.#now());
  }

  /** Asked for each packet: the last path that ICE approved is remembered until ICE moves. */
  #approves(socket: number, address: string, port: number): boolean {
    const known = this.#approved;
    if (known !== undefined && known.port === port && known.socket === socket && known.address === address) {
      return true;
    }
    if (!isApproved(this.#ice, socket, address, port)) return false;
    this.#approved = { socket, address, port };
    return true;
  }

  #step(input: IceInput): void {
    const { state, out } = iceLite.step(this.#ice, input, this.#now());
    if (state !== this.#ice) this.#approved = undefined;
    this.#ice = state;
    for (const output of out) {
      switch (output.type) {
        case 'send':
          this.#sockets[output.to.socket]?.send(output.bytes, output.to.address, output.to.port);
          // Only what knows our password is answered.
          this.#events.alive(this.#now());
          break;
        case 'selected':
          this.#path = output.path;
          break;
        case 'dropped':
          this.dropped++;
          break;
        case 'failed':
          this.#fail('ice');
          break;
      }
    }
    this.#begin();
  }

  /** Starts DTLS as soon as its role and a path are known; the server waits on any approved path. */
  #begin(): void {
    if (this.#dtls === undefined || this.#peer === undefined || this.#dtlsStarted !== undefined) return;
    const role = this.#peer.role;
    if (role === 'client' ? this.#ice.selected === null : this.#ice.valid.length === 0) return;
    this.#dtlsStarted = this.#now();
    this.#dtls.start(role);
  }

  #keyed(result: DtlsConnected): void {
    if (this.#closed || this.#failed) return;
    this.#keysAreNew = true;
    this.#srtp = createSrtpSession({
      profile: result.profile,
      keys: { local: result.localKeys, remote: result.remoteKeys },
    });
    this.#path ??= this.#ice.valid.at(-1);
    this.#events.connected(this.#now());
  }

  #send(packet: Uint8Array, length: number, to = this.#path): void {
    const path = to ?? this.#path ?? this.#ice.valid.at(-1);
    if (path === undefined || this.#closed || this.#failed) return;
    this.#sockets[path.socket]?.send(
      length === packet.length ? packet : packet.subarray(0, length),
      path.address,
      path.port,
    );
  }

  #fail(why: 'ice' | 'dtls'): void {
    if (this.#failed || this.#closed) return;
    this.#failed = true;
    this.#events.failed(why);
  }
}

function sameCertificate(
  a: NonNullable<NegotiatedAudio['dtls']>,
  b: NonNullable<NegotiatedAudio['dtls']>,
): boolean {
  return b.fingerprints.some((f) => a.fingerprints.some((g) => f.hash === g.hash && f.value === g.value));
}
