import { Bench, sdpOf } from './bench.ts';

export const dialled = {
  destination_number: '+1 (555) 123',
  caller_id_name: 'Ann',
  caller_id_number: '+1555000',
};

/** A logged-in client whose INVITE has reached voice. */
export const calling = (dialog: object = {}, params: object = {}): Bench => {
  const bench = new Bench();
  bench.login('s1');
  bench.trace.length = 0;
  bench.call(
    's1',
    'i',
    'invite',
    { sdp: sdpOf('client'), 'User-Agent': 'Web-2.27.10', ...params },
    { ...dialled, ...dialog },
  );
  return bench;
};

/** The same, answered. The trace is empty. */
export const active = (dialog: object = {}): Bench => {
  const bench = calling(dialog);
  bench.respond(180);
  bench.respond(200, { sdp: sdpOf('platform', 'sendrecv', 'passive') });
  bench.trace.length = 0;
  return bench;
};
