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
});
