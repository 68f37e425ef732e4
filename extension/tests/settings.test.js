import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { isAllowed } from '../allowed.js';
import { DEFAULTS, VINTED_SITES, pattern, serverOrigin, vintedOrigin } from '../settings.js';

const SERVER = 'https://api.stoflow.com';
const HERE = 'http://127.0.0.1:8000';

test('StoFlow is spoken to by https, or on this computer', () => {
  assert.equal(serverOrigin(' api.stoflow.com '), SERVER);
  assert.equal(serverOrigin('https://stoflow.test:8443/x?y'), 'https://stoflow.test:8443');
  assert.equal(serverOrigin(HERE), HERE);
  for (const wrong of ['http://stoflow.test', 'ftp://a', 'https://a:b@stoflow.test', '', ' ', null,
    'http://127.0.0.1.stoflow.test']) {
    assert.throws(() => serverOrigin(wrong), /address/);
  }
});

test('Vinted is Vinted', () => {
  assert.equal(vintedOrigin('www.vinted.de', SERVER), 'https://www.vinted.de');
  for (const wrong of ['http://www.vinted.fr', 'https://www.vinted.fr:8443', 'https://vinted.test',
    'https://www.vinted.fr.test', 'http://127.0.0.1:8703']) {
    assert.throws(() => vintedOrigin(wrong, SERVER), Error);
  }
  assert.equal(vintedOrigin('http://127.0.0.1:8703', HERE), 'http://127.0.0.1:8703');
});

test('the manifest asks for Vinted, StoFlow, and no more', () => {
  const manifest = JSON.parse(readFileSync(new URL('../manifest.json', import.meta.url)));
  assert.equal(manifest.manifest_version, 3);
  assert.deepEqual(
    manifest.host_permissions,
    [DEFAULTS.server, ...VINTED_SITES.map((each) => `https://${each}`)].map(pattern),
  );
  assert.deepEqual(manifest.permissions, ['alarms', 'notifications', 'scripting', 'storage']);
  assert.deepEqual(manifest.externally_connectable, { ids: [] });
  assert.equal(manifest.content_scripts, undefined);
  assert.match(manifest.content_security_policy.extension_pages, /^default-src 'self';/);
});

test('only what is listed may be asked of Vinted', () => {
  assert.ok(isAllowed('POST', '/api/v2/item_upload/drafts/69262910737/completion'));
  assert.ok(isAllowed('GET', '/api/v2/users/current'));
  for (const [method, path] of [
    ['DELETE', '/api/v2/users/current'],
    ['POST', '/api/v2/item_upload/drafts/1/completion/'],
    ['POST', '/api/v2/items/1/../2/delete'],
    ['POST', '/api/v2/items/a/delete'],
    ['GET', '/api/v2/users/current?x'],
    ['GET', '//evil.test/api/v2/users/current'],
    ['PUT', '/api/v2/transactions/1/shipment/order'],
    ['GET', '/api/v2/users/current\n'],
    ['get', '/api/v2/users/current'],
  ]) assert.equal(isAllowed(method, path), false, `${method} ${path}`);
});
