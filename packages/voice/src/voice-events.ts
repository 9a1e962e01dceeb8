import type { JournalLine, LogLine, Restore } from '@sidetone/core';
import type { DialogNews, SipReceived, SipSend } from '@sidetone/sip';
import type {
  CallEvent,
  CallRecord,
  Command,
  CommandResult,
  MediaCommand,
  MediaEvent,
  MediaReply,
  RecordingResult,
  RecordingToSave,
  SoundAsk,
  SoundResult,
} from '@sidetone/wire';

/** What `voice` accepts. */
export type VoiceInput =
  | { readonly type: 'tick' }
  | Restore
  | SipReceived
  /** The answer to the `media` output with this id. At most one; voice gives up waiting by itself. */
  | { readonly type: 'media'; readonly id: number; readonly reply: MediaReply }
  | { readonly type: 'mediaEvent'; readonly event: MediaEvent }
  /** A back end's command; answered by one `commandDone` of the same turn. */
  | { readonly type: 'command'; readonly request: string; readonly command: Command }
  /** The answer to the `sound` output with this id. At most one. */
  | { readonly type: 'sound'; readonly id: string; readonly result: SoundResult }
  /** The answer to the `save` output with this id. At most one. */
  | { readonly type: 'saved'; readonly id: string; readonly result: RecordingResult }
  /** These users may not call or be called any more: their calls end. */
  | { readonly type: 'revoked'; readonly users: ReadonlySet<string> }
  /** Takes no new calls (503 with Retry-After) from now on and lets the others live: another process takes over. */
  | { readonly type: 'refuse' }
  /** Ends every call and refuses new ones; `size.calls` tells when nothing is left. */
  | { readonly type: 'drain' };

/** What `voice` asks of its driver. */
export type VoiceOutput =
  | SipSend
  /** For `proxy`, which stands where requests from outside come in. */
  | DialogNews
  /** To the media engine, in this order; answered by a `media` input with the same id. */
  | { readonly type: 'media'; readonly id: number; readonly command: MediaCommand }
  /** One a leg, exactly once, when the leg has ended. */
  | { readonly type: 'record'; readonly record: CallRecord }
  | { readonly type: 'commandDone'; readonly request: string; readonly result: CommandResult }
  /** For the back end: kept until it is told. */
  | { readonly type: 'event'; readonly event: CallEvent }
  /** Something to be fetched or made for media to play, on behalf of this account. */
  | { readonly type: 'sound'; readonly id: string; readonly account: string; readonly ask: SoundAsk }
  /** A recording whose file is closed: to be trimmed, converted and kept. Asked again by a process that follows; then it is one, too. */
  | { readonly type: 'save'; readonly id: string; readonly recording: RecordingToSave }
  | JournalLine
  | LogLine;
