import type { ConferenceView, MemberView } from '@sidetone/wire';

/** A conference as reads show it, with a change. */
export const conferenceView = (change: Partial<ConferenceView> = {}): ConferenceView => ({
  id: 'a-conference',
  account: 'default',
  name: 'Business',
  status: 'in_progress',
  connection: '1234567890123456789',
  createdAt: 1_796_020_800_000,
  updatedAt: 1_796_020_801_000,
  expiresAt: 1_796_035_200_000,
  endReason: null,
  endedBy: null,
  ...change,
});

export const memberView = (change: Partial<MemberView> = {}): MemberView => ({
  id: 'a-member',
  control: 'v3:AAAA_a-b=',
  leg: 'a-leg',
  conference: { id: 'a-conference', name: 'Business' },
  status: 'joined',
  muted: false,
  held: false,
  endOnExit: false,
  softEndOnExit: false,
  role: 'none',
  whisperTo: [],
  since: 1_796_020_800_000,
  updatedAt: 1_796_020_800_000,
  ...change,
});
