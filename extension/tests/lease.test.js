import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';

import { LeaseRefused, Leases } from '../lease.js';
import { SHOP, Signer, command } from './fakes.js';

let signer;
let leases;
let asked;

before(async () => { signer = await Signer.make(); });

beforeEach(() => {
  asked = 0;
  leases = new Leases(async () => {
    asked += 1;
    return { keys: [signer.jwk, { kty: 'EC', kid: 'other' }] };
  }, Date.now);
});

const refused = (reason) => (error) => error instanceof LeaseRefused && error.reason === reason;

test('a genuine lease for this command is good; keys are fetched once', async () => {
  await leases.check(await command(signer), SHOP);
  await leases.check(await command(signer), SHOP);
  assert.equal(asked, 1);
});

for (const [name, value] of Object.entries({
  command: 'another', method: 'DELETE', path: '/api/v2/items/1/delete', site: 'www.vinted.de', tid: 8,
})) {
  test(`a lease for another ${name} is refused`, async () => {
    const given = await command(signer, {}, { [name]: value });
    await assert.rejects(leases.check(given, SHOP), refused('bad_lease'));
  });
}

test('a lease that has ended is refused', async () => {
  const given = await command(signer, {}, { exp: Math.floor(Date.now() / 1000) - 1 });
  await assert.rejects(leases.check(given, SHOP), refused('expired'));
});

test('a lease without an end is refused', async () => {
  const given = await command(signer, {}, { exp: undefined });
  await assert.rejects(leases.check(given, SHOP), refused('bad_lease'));
});

test('a lease that somebody else signed is refused', async () => {
  const forger = await Signer.make(signer.kid);
  await assert.rejects(leases.check(await command(forger), SHOP), refused('bad_lease'));
});

test('a key that StoFlow does not know is refused', async () => {
  const stranger = await Signer.make('unknown');
  await assert.rejects(leases.check(await command(stranger), SHOP), refused('bad_lease'));
});

test('another algorithm is refused before any key is fetched', async () => {
  const given = await command(signer);
  for (const alg of ['none', 'HS256']) {
    given.lease = await signer.sign({}, { alg });
    await assert.rejects(leases.check(given, SHOP), refused('bad_lease'));
  }
  assert.equal(asked, 0);
});

test('claims that were changed after signing are refused', async () => {
  const given = await command(signer);
  const [header, claims, signature] = given.lease.split('.');
  const changed = { ...JSON.parse(Buffer.from(claims, 'base64url')), exp: 9_999_999_999 };
  const forged = Buffer.from(JSON.stringify(changed)).toString('base64url');
  given.lease = [header, forged, signature].join('.');
  await assert.rejects(leases.check(given, SHOP), refused('bad_lease'));
});

for (const nonsense of ['', 'a.b', 'a.b.c', undefined]) {
  test(`${JSON.stringify(nonsense)} is no lease`, async () => {
    const given = { ...await command(signer), lease: nonsense };
    await assert.rejects(leases.check(given, SHOP), refused('bad_lease'));
  });
}

test('a new key is looked for', async () => {
  await leases.check(await command(signer), SHOP);
  signer = await Signer.make('k2');
  await leases.check(await command(signer), SHOP);
  assert.equal(asked, 2);
});
