/** Values of the option `region`. A self-hosted server needs none; it is a prefix of hosts named `rtc.…`. */
export const Region = {
  EU: 'eu',
  US_CENTRAL: 'us-central',
  US_EAST: 'us-east',
  US_WEST: 'us-west',
  CA_CENTRAL: 'ca-central',
  APAC: 'apac',
  SOUTH_ASIA: 'south-asia',
} as const;
export type Region = (typeof Region)[keyof typeof Region];
