import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { originAllowed } from '../src/listen/origins.ts';

describe('origins', () => {
  it('lets in the own page, local pages on a local server, and those that are configured', () => {
    const rows: readonly (readonly [string | undefined, string, readonly string[], string, boolean])[] = [
      [undefined, 'voice.example.com', [], '0.0.0.0', true],
      ['https://voice.example.com', 'voice.example.com', [], '0.0.0.0', true],
      ['https://evil.example.net', 'voice.example.com', [], '0.0.0.0', false],
      ['https://app.example.com', 'voice.example.com', ['https://app.example.com'], '0.0.0.0', true],
      ['https://evil.example.net', 'voice.example.com', ['*'], '0.0.0.0', true],
      ['http://localhost:5173', '127.0.0.1:8080', [], '127.0.0.1', true],
      ['http://127.0.0.1:4000', 'localhost:8080', [], '127.0.0.1', true],
      ['http://localhost:5173', 'voice.example.com', [], '0.0.0.0', false],
      ['https://evil.example.net', '127.0.0.1:8080', [], '127.0.0.1', false],
      ['http://127.evil.example.net', '127.0.0.1:8080', [], '127.0.0.1', false],
      ['null', '127.0.0.1:8080', [], '127.0.0.1', false],
    ];
    for (const [origin, hostHeader, configured, listen, expected] of rows) {
      assert.equal(originAllowed(origin, hostHeader, configured, listen), expected, `${origin} on ${listen}`);
    }
  });

  it('origin-default-ports: compares values, not spellings, whatever kind of client', () => {
    const PUBLIC = '0.0.0.0';
    for (const [origin, host, expected] of [
      // Native clients name the socket.
      ['wss://voice.example.com', 'voice.example.com:443', true],
      ['wss://voice.example.com:443', 'voice.example.com', true],
      ['ws://voice.example.com', 'voice.example.com:80', true],
      ['https://voice.example.com', 'voice.example.com:443', true],
      ['http://voice.example.com:80', 'voice.example.com', true],
      ['HTTPS://Voice.Example.com/', 'VOICE.example.COM:443', true],
      ['https://voice.example.com:8443', 'voice.example.com:8443', true],
      ['https://[2001:db8::1]', '[2001:DB8:0:0::1]:443', true],
      ['wss://[2001:db8::1]:8443', '[2001:db8:0::1]:8443', true],
      ['https://voice.example.com', 'voice.example.com:80', false],
      ['http://voice.example.com', 'voice.example.com:443', false],
      ['https://voice.example.com:8443', 'voice.example.com', false],
      ['https://[2001:db8::2]', '[2001:db8::1]', false],
      ['https://voice.example.com@evil.example.net', 'voice.example.com', false],
      ['https://evil.example.net', 'voice.example.com@evil.example.net', false],
      ['https://evil.example.net/voice.example.com', 'evil.example.net', false],
      ['voice.example.com', 'voice.example.com', false],
      ['https://', '', false],
    ] as const)
      assert.equal(originAllowed(origin, host, [], PUBLIC), expected, `${origin} at ${host}`);
    for (const origin of ['https://app.example.com', 'wss://app.example.com:443', 'HTTPS://APP.example.com'])
      for (const configured of [
        'https://app.example.com',
        'https://App.Example.com:443',
        'wss://app.example.com/',
      ])
        assert.equal(originAllowed(origin, 'x', [configured], PUBLIC), true, `${origin} as ${configured}`);
    assert.equal(originAllowed('http://app.example.com', 'x', ['https://app.example.com'], PUBLIC), false);
    assert.equal(originAllowed('app://local', 'x', ['app://local'], PUBLIC), true);
  });

  it('clients-behind-a-reverse-proxy: a page of the client’s own machine is no page of ours', () => {
    for (const [client, expected] of [
      ['127.0.0.1', true],
      ['203.0.113.66', false],
    ] as const)
      assert.equal(
        originAllowed('http://localhost:5173', 'voice.example.com', [], '127.0.0.1', client),
        expected,
      );
  });
});
