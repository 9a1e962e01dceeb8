import {
  type ApplicationEntry,
  type ConnectionEntry,
  type Habit,
  type Identity,
  NO_COUNTRY,
  type Origin,
  type SipUser,
} from '@sidetone/wire';

/** On whose account a call is made, and by which settings: a user of a connection, or a back end by a connection or an application. */
export interface Asker {
  readonly accountId: string;
  readonly user?: SipUser;
  /** `undefined`: its connection is no more. */
  readonly via: Via | undefined;
}

/** What a connection and an application have in common for calls that leave by them. */
export interface Via {
  readonly id: string;
  readonly profileId: string | null;
  /** Country whose national numbers are understood; an application writes all of them with `+`. */
  readonly country: string;
  readonly channelLimit: number | null;
  readonly aniOverride: string | null;
  readonly aniOverrideType: ConnectionEntry['aniOverrideType'];
}

const viaConnection = (connection: ConnectionEntry): Via => ({
  id: connection.id,
  profileId: connection.profileId,
  country: connection.localization,
  channelLimit: connection.outboundChannelLimit,
  aniOverride: connection.aniOverride,
  aniOverrideType: connection.aniOverrideType,
});

const viaApplication = (application: ApplicationEntry): Via => ({
  id: application.id,
  profileId: application.profileId,
  country: NO_COUNTRY,
  channelLimit: application.outboundChannelLimit,
  aniOverride: null,
  aniOverrideType: 'normal',
});

export function userAsks(identity: Identity, user: SipUser): Asker {
  const connection = identity.connection(user.connectionId);
  return { accountId: user.accountId, user, via: connection && viaConnection(connection) };
}

/** A back end, by a connection or application of its account that is active; `undefined`: there is none of that id. */
export function backEndAsks(identity: Identity, accountId: string, id: string): Asker | undefined {
  const connection = identity.connection(id);
  if (connection?.accountId === accountId && connection.active)
    return { accountId, via: viaConnection(connection) };
  const application = identity.application(id);
  if (application?.accountId === accountId && application.active)
    return { accountId, via: viaApplication(application) };
  return undefined;
}

/** Numbers are written as the country of the connection dials. */
export const habitOf = (via: Via | undefined): Habit =>
  via === undefined || via.country === NO_COUNTRY ? {} : { country: via.country };

/** Who asks, as the routing plan knows it. */
export const originOf = ({ accountId, via }: Asker): Origin => ({
  from: 'user',
  accountId,
  habit: habitOf(via),
});
