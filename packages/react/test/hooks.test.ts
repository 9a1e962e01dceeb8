import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Call, TelnyxRTC } from '@sidetone/webrtc';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { createElement, type FunctionComponent } from 'react';
import { renderToString } from 'react-dom/server';
import { buildAll } from '../../../scripts/build.ts';

// In a page the hooks are tested by e2e/sdk/react.test.ts; here is what a server renders.
let hooks: typeof import('../src/index.ts');
before(async () => {
  await buildAll(false);
  hooks = await import('../src/index.ts');
});

const rendered = (component: FunctionComponent): string => renderToString(createElement(component));

test('a server renders a client that is off, and makes no connection', () => {
  const options = { login: 'line1', password: 'secret' };
  const html = rendered(() => {
    const { client, state, error } = hooks.useClient(options);
    return `${state} ${client} ${error}`;
  });
  assert.equal(html, 'off undefined undefined');
});

test('without a client there are no calls, and dial makes none', () => {
  let dialled: Call | undefined;
  const html = rendered(() => {
    const { current, dial } = hooks.useCall(undefined);
    dialled = dial({ destinationNumber: '9196' });
    return `${hooks.useCalls(undefined).length} ${current}`;
  });
  assert.deepEqual([html, dialled], ['0 undefined', undefined]);
});

test('a client that is there is not touched before the effects run', () => {
  const client = new Proxy({}, { get: (_, name) => assert.fail(`${String(name)} was read`) });
  assert.equal(
    rendered(() => String(hooks.useCalls(client as TelnyxRTC).length)),
    '0',
  );
});

test('publint has nothing to say', async () => {
  const pkgDir = fileURLToPath(new URL('..', import.meta.url));
  const { messages, pkg } = await publint({ pkgDir, pack: 'npm', strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg!, { color: false })),
    [],
  );
});
