export const USAGE = `Sidetone: calls from the browser to SIP over one WebSocket

  sidetone serve [--config FILE] [--data DIR]        run the service (default: no file, ./data)
  sidetone handover [--data DIR]                     replace the signalling process under live calls
  sidetone token USER [--config FILE] [--data DIR]   print a login token for a user, valid for 24 hours
  sidetone check [--config FILE]                     check a configuration file
  sidetone --version

docs/config.md describes the configuration file.
`;
