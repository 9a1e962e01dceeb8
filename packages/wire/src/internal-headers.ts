/**
 * Headers that only pass between our own rooms (`local` flows). The proxy removes them from everything that comes in
 * from outside and from everything that leaves.
 */
export const HEADER = {
  /** The call: one per end-to-end call, shared by its legs. UUID; clients see it as telnyx_session_id. */
  session: 'X-Sidetone-Session-Id',
  /** One leg. UUID; clients see it as telnyx_leg_id. A client is rung with the Call-ID of the INVITE as callID: the branch it is of the leg. */
  leg: 'X-Sidetone-Leg-Id',
  /** `v3:` + opaque; clients see it as telnyx_call_control_id. */
  callControl: 'X-Sidetone-Call-Control-Id',
  /** The trunk by which a call came in, or which answered (set by the proxy); in an INVITE of voice to a number, the first to try. */
  trunk: 'X-Sidetone-Trunk',
  /** The internal cause by name, beside the standard Reason header (for example `rejected`). */
  cause: 'X-Sidetone-Cause',
  /** The IP address that a message of a phone came from: what the proxy proved, whatever the message says. */
  source: 'X-Sidetone-Source',
  /** The address of a client's connection, in its REGISTER. */
  clientAddress: 'X-Sidetone-Client-Address',
  /** base64 text the application attached to the call. */
  clientState: 'X-Sidetone-Client-State',
} as const;

/** RFC 3325: who the caller is, proven. Set by the room that authenticated; believed only from `local` flows. */
export const ASSERTED_IDENTITY = 'P-Asserted-Identity';

/** Hosts of the rooms in URIs that never leave the process. */
export const NODE_HOST = {
  vsp: 'vsp.sidetone.invalid',
  voice: 'voice.sidetone.invalid',
  proxy: 'proxy.sidetone.invalid',
} as const;

/** What the proxy adds to the contacts that it tells voice, and takes off again. */
export const CONTACT_PARAM = {
  /** Which binding it is: two phones behind NATs may register the same address. */
  binding: 'sidetone-binding',
  /** `webrtc`: the phone speaks ICE and DTLS-SRTP (RFC 7118: it registered over a WebSocket). */
  media: 'sidetone-media',
  /** In a dialog: where its phone was when it sent this Contact. */
  peer: 'sidetone-peer',
  /** And whose it is: the user that P-Asserted-Identity names in its requests. */
  user: 'sidetone-user',
  /** `4` or `6`: the IP version by which the phone is reached. */
  family: 'sidetone-family',
} as const;

/** The events of a REFER (RFC 3515 §3), and the media type of what a NOTIFY tells about it (RFC 3420). */
export const REFER = { event: 'refer', progress: 'message/sipfrag' } as const;

/**
 * What vsp tells voice in the dialog of a call whose client has lost its socket, or is back (INFO, without a body); `bare`: it is back
 * without its media, and needs an offer whether it is heard or not. `heard` asks when it was heard last; voice says so in another INFO of
 * that type, milliseconds ago in decimal digits, or nothing when it never was.
 */
export const ATTACHMENT = {
  away: 'application/vnd.sidetone.away',
  back: 'application/vnd.sidetone.reattach',
  bare: 'application/vnd.sidetone.reattach-bare',
  heard: 'application/vnd.sidetone.heard',
} as const;
