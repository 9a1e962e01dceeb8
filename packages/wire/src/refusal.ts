/**
 * Why a command is refused: codes, HTTP statuses and titles of the published API. A refused command changes nothing. Never 409, which
 * published clients send again.
 */
export const REFUSAL = {
  badDigits: { code: '90014', status: 422, title: 'Invalid value for digits' },
  /** Also of a leg of another account. */
  unknownLeg: { code: '90015', status: 422, title: 'Invalid Call Control ID' },
  badStop: { code: '90016', status: 422, title: 'Invalid value for stop' },
  badClientState: { code: '90017', status: 422, title: 'Invalid value for client_state' },
  notRecordable: { code: '90020', status: 422, title: 'Recording cannot be started' },
  ended: { code: '90018', status: 422, title: 'Call has already ended' },
  conferenceEnded: { code: '90019', status: 422, title: 'Conference has already ended' },
  conferenceFull: { code: '90032', status: 422, title: 'Maximum number of conference participants reached' },
  conferenceNameTaken: {
    code: '90033',
    status: 422,
    title: 'Conference with this name already exists and is active',
  },
  notForked: { code: '90031', status: 422, title: 'Call is not forked' },
  unanswered: { code: '90034', status: 422, title: 'Call not answered yet' },
  notInQueue: { code: '90035', status: 422, title: 'Call is not in a queue' },
  queueFull: { code: '90036', status: 422, title: 'Queue is full' },
  sizeStands: { code: '90037', status: 422, title: 'max_size of a queue cannot be changed' },
  alreadyQueued: { code: '90038', status: 422, title: 'Call is already in a queue' },
  soundNotThere: { code: '90040', status: 400, title: 'Audio file could not be downloaded' },
  accountFull: { code: '90041', status: 422, title: 'User channel limit exceeded' },
  profileFull: { code: '90042', status: 422, title: 'Outbound profile channel limit exceeded' },
  connectionFull: { code: '90043', status: 422, title: 'Connection channel limit exceeded' },
  streamUsed: { code: '90045', status: 422, title: 'Media streaming is already used' },
  streamNotUsed: { code: '90048', status: 422, title: 'Media streaming is not used' },
  conferenceTwice: { code: '90044', status: 422, title: 'Call is already in this conference' },
  /** Of a queue that is to be deleted. */
  queueNotEmpty: { code: '90050', status: 400, title: 'Queue is not empty' },
  transcribed: { code: '90054', status: 422, title: 'Transcription is already in progress' },
  notTranscribed: { code: '90055', status: 422, title: 'Transcription is not in progress' },
  /** Something that the operator may add. */
  notOffered: { code: '10015', status: 422, title: 'Not offered here' },
  badEventType: { code: '90057', status: 422, title: 'Invalid event type in webhook_urls' },
  /** Also of a conference of another account. */
  unknownConference: { code: '90058', status: 404, title: 'Conference does not exist' },
  /** Only of a leg that we called. */
  outgoing: { code: '90102', status: 422, title: 'Call cannot be answered' },
  /** Also of another account. */
  notFound: { code: '10005', status: 404, title: 'Resource not found' },
  badField: { code: '10015', status: 422, title: 'Bad Request' },
  missing: { code: '10004', status: 422, title: 'Missing required parameter' },
  badUrl: { code: '10003', status: 422, title: 'Invalid URL' },
  badNumber: { code: '10016', status: 422, title: 'Phone number must be in +E.164 format' },
  badAssociation: { code: '10017', status: 422, title: 'Missing or invalid association' },
  forbidden: { code: '10010', status: 403, title: 'Authorization failed' },
  /** A handover, a drain, or the platform is full: the client tries again. */
  busy: { code: '10007', status: 503, title: 'Service unavailable' },
} as const satisfies Record<string, { code: string; status: 400 | 403 | 404 | 422 | 503; title: string }>;

export type RefusalName = keyof typeof REFUSAL;

export interface Refusal {
  readonly why: RefusalName;
  /** What is wrong, in a sentence. */
  readonly detail: string;
  /** The field of the request, as the API names it. */
  readonly field?: string;
}
