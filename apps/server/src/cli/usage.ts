export const USAGE = `Sidetone: calls from the browser to SIP over one WebSocket

  sidetone serve [--config FILE] [--data DIR]        run the service (default: no file, ./data)
  sidetone handover [--data DIR]                     replace the signalling process under live calls
  sidetone token USER [--config FILE] [--data DIR]   print a login token for a user, valid for 24 hours
  sidetone key create|list [--account NAME]          make an API key (shown once), list keys
  sidetone key create --env                          make one, printed as TELNYX_BASE_URL, _API_KEY and _PUBLIC_KEY
  sidetone key revoke KEY                            end an API key, by its id or itself
  sidetone account add|enable|disable NAME, list     accounts: each sees only its own objects
  sidetone account set NAME WHAT VALUE               its limits: calls N, calls-per-second N, profile required
  sidetone number add|remove NUMBER, list            numbers of an account [--account NAME] [--connection USER]
  sidetone backup FILE                               copy the SQLite database while the server runs
  sidetone rotate-token-key                          sign login tokens by a new key; the old one stays good
  sidetone webhook key                               show the public keys that webhooks are signed by
  sidetone webhook key rotate|activate               make the next key; sign by it from the next start on
  sidetone check [--config FILE]                     check a configuration file
  sidetone --version

docs/config.md describes the configuration file.
`;
