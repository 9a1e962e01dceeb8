/** What we read of sdp-transform's result. It turns digits into numbers, so every text may also be a number. */
declare module 'sdp-transform' {
  type Word = string | number;

  interface ParsedLevel {
    connection?: { version?: Word; ip?: Word };
    bandwidth?: { type?: Word; limit?: Word }[];
    direction?: Word;
    iceUfrag?: Word;
    icePwd?: Word;
    iceOptions?: Word;
    setup?: Word;
  }

  interface ParsedCandidate {
    foundation?: Word;
    component?: Word;
    transport?: Word;
    priority?: Word;
    ip?: Word;
    port?: Word;
    type?: Word;
    tcptype?: Word;
  }

  interface ParsedMedia extends ParsedLevel {
    type?: Word;
    port?: Word;
    protocol?: Word;
    payloads?: Word;
    rtp: { payload?: Word; codec?: Word; rate?: Word; encoding?: Word }[];
    fmtp: { payload?: Word; config?: Word }[];
    ptime?: Word;
    candidates?: ParsedCandidate[];
    endOfCandidates?: Word;
    mid?: Word;
    rtcpMux?: Word;
    rtcp?: { port?: Word; address?: Word };
    ssrcs?: { id?: Word; attribute?: Word; value?: Word }[];
    msid?: { id?: Word; appdata?: Word }[];
  }

  interface ParsedSession extends ParsedLevel {
    origin?: { username?: Word; sessionId?: Word; sessionVersion?: Word; address?: Word };
    name?: Word;
    icelite?: Word;
    groups?: { type?: Word; mids?: Word }[];
    media: ParsedMedia[];
  }

  function parse(text: string): ParsedSession;
}
