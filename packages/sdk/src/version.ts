/** The version of this SDK; `packages/sdk/test` compares it with package.json. */
export const VERSION = '0.1.0';

/** How this SDK names itself to the server. */
export const USER_AGENT = `Sidetone-${VERSION}`;
