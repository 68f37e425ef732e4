import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Account, NotPaired, Refused } from '../account.js';
import { FakeStorage } from './fakes.js';

const SERVER = 'https://stoflow.test';

let storage;
let calls;
let answers;
let account;

beforeEach(() => {
  storage = new FakeStorage();
  calls = [];
  answers = [];
  account = new Account(storage, async (url, request) => {
    calls.push([url, request.body && JSON.parse(request.body), request.headers, request.cache]);
    const next = answers.shift();
    if (next instanceof Error) throw next;
    const { status = 200, date, ...body } = next;
    return new Response(JSON.stringify(body), { status, headers: date ? { date } : {} });
  });
});

const tokens = (n, expires_in = 900) => ({
  access_token: `access${n}`, refresh_token: `refresh${n}`, expires_in,
});

test('a code becomes tokens, however it was typed', async () => {
  answers.push(tokens(1));
  await account.pair(SERVER, ' abcd-2345 ', 'Laptop');
  assert.deepEqual(calls[0].slice(0, 2), [
    `${SERVER}/api/v1/vinted/pairings/claim`, { code: 'ABCD2345', device: 'Laptop' },
  ]);
  assert.equal(await account.token(), 'access1');
  assert.equal(calls.length, 1);
});

test('a refused code is said in the words of StoFlow', async () => {
  answers.push({ status: 404, code: 'pairing-unknown', detail: 'This code is not known.' });
  await assert.rejects(account.pair(SERVER, 'X', 'Laptop'), (error) => (
    error instanceof Refused && error.code === 'pairing-unknown'
    && error.message === 'This code is not known.'
  ));
  assert.equal(await account.paired(), false);
});

test('a token is renewed before it ends, once for all who ask', async () => {
  answers.push(tokens(1, 100), tokens(2));
  await account.pair(SERVER, 'X', 'Laptop');
  const three = await Promise.all([account.token(), account.token(), account.token()]);
  assert.deepEqual(three, ['access2', 'access2', 'access2']);
  assert.deepEqual(calls.slice(1).map((each) => each.slice(0, 2)), [
    [`${SERVER}/api/v1/auth/refresh`, { refresh_token: 'refresh1' }],
  ]);
});

test('an ended sign-in has to be paired again', async () => {
  answers.push(tokens(1, 0), { status: 401, code: 'refresh-refused', detail: 'Please sign in again' });
  await account.pair(SERVER, 'X', 'Laptop');
  await assert.rejects(account.token(), NotPaired);
  assert.equal(await account.paired(), false);
});

test('a StoFlow that is away or busy ends nothing', async () => {
  answers.push(tokens(1, 0), { status: 503 }, new TypeError('fetch failed'), tokens(2));
  await account.pair(SERVER, 'X', 'Laptop');
  await assert.rejects(account.token(), Refused);
  await assert.rejects(account.token(), TypeError);
  assert.equal(await account.token(), 'access2');
});

test('after a lost answer the same token is exchanged again, until fresh ones are kept', async () => {
  answers.push(tokens(1, 0), new DOMException('timed out', 'TimeoutError'), tokens(2, 0), tokens(3));
  await account.pair(SERVER, 'X', 'Laptop');
  await assert.rejects(account.token(), { name: 'TimeoutError' });
  assert.equal(await account.paired(), true);
  storage.full = true;
  await assert.rejects(account.token(), /full/);
  storage.full = false;
  const restarted = new Account(storage, account.fetch);
  assert.equal(await restarted.token(), 'access3');
  assert.deepEqual(calls.slice(1).map((each) => each[1].refresh_token), [
    'refresh1', 'refresh1', 'refresh1',
  ]);
});

test('a token that StoFlow no longer takes is renewed', async () => {
  answers.push(tokens(1), tokens(2));
  await account.pair(SERVER, 'X', 'Laptop');
  await account.expire();
  assert.equal(await account.token(), 'access2');
});

test('unpairing forgets, even when StoFlow cannot be told', async () => {
  answers.push(tokens(1), new TypeError('fetch failed'));
  await account.pair(SERVER, 'X', 'Laptop');
  await account.unpair();
  assert.deepEqual(storage.kept, {});
  assert.deepEqual(calls[1].slice(0, 1), [`${SERVER}/api/v1/auth/logout`]);
  assert.equal(calls[1][2].Authorization, 'Bearer access1');
  await assert.rejects(account.token(), NotPaired);
});

test('StoFlow’s clock counts, not the computer’s', async () => {
  answers.push({ ...tokens(1), date: new Date(Date.now() + 3_600_000).toUTCString() });
  await account.pair(SERVER, 'X', 'Laptop');
  const ahead = account.now() - Date.now();
  assert.ok(Math.abs(ahead - 3_600_000) < 5_000, String(ahead));
});

test('no answer comes from a cache, with the time of back then', async () => {
  answers.push(tokens(1), { keys: [] });
  await account.pair(SERVER, 'X', 'Laptop');
  await account.keys();
  assert.deepEqual(calls.map((each) => each[3]), ['no-store', 'no-store']);
});
