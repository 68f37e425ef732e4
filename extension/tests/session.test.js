import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { VintedSession } from '../session.js';
import { NoTab } from '../tab.js';
import { FakeStorage } from './fakes.js';

const ORIGIN = 'https://www.vinted.fr';
const SIGNED_IN = { status: 200, body: '{"user":{"id":42,"login":"mina"}}' };

let storage;
let now;
let answers;
let log;
let session;

const tab = {
  find: async () => {
    if (answers[0] instanceof Error) throw answers.shift();
    return { id: 1 };
  },
  ask: async () => {
    log.push('ask');
    return answers.shift();
  },
  renewed: async () => {
    log.push('renewed');
    return { id: 2 };
  },
};

beforeEach(() => {
  storage = new FakeStorage();
  now = 10_000_000;
  answers = [];
  log = [];
  session = new VintedSession(storage, tab, async (known) => log.push(known.state), () => now);
});

test('whoever is signed in is named', async () => {
  answers.push(SIGNED_IN);
  assert.deepEqual(await session.look(ORIGIN), {
    state: 'signed_in', vinted_user_id: '42', login: 'mina', site: 'www.vinted.fr', checked_at: now,
  });
  assert.equal(session.blocked, false);
});

for (const [what, answer, state] of [
  ['403', { status: 403, body: '{}' }, 'signed_out'],
  ['nobody', { status: 200, body: '{"user":null}' }, 'signed_out'],
  ['a challenge', { status: 403, body: '', challenged: true }, 'challenged'],
  ['a fault of Vinted', { status: 502, body: '' }, 'unreachable'],
  ['no answer', { status: null }, 'unreachable'],
  ['no tab', new NoTab('No window.'), 'unreachable'],
]) {
  test(`${what} means ${state}`, async () => {
    answers.push(answer);
    assert.equal((await session.look(ORIGIN)).state, state);
  });
}

test('a session that has run out is renewed by a page of Vinted, once in a while', async () => {
  answers.push({ status: 401, body: '' }, SIGNED_IN, { status: 401, body: '' });
  assert.equal((await session.look(ORIGIN)).state, 'signed_in');
  assert.equal((await session.look(ORIGIN)).state, 'signed_out');
  assert.deepEqual(log, ['ask', 'renewed', 'ask', 'signed_in', 'ask', 'signed_out']);
});

test('several who ask get one look', async () => {
  answers.push(SIGNED_IN);
  await Promise.all([session.look(ORIGIN), session.look(ORIGIN)]);
  assert.deepEqual(log, ['ask', 'signed_in']);
});

test('while challenged, nothing is asked at a connect, nor by a new worker', async () => {
  await session.challenged(ORIGIN);
  assert.equal(session.blocked, true);
  const next = new VintedSession(storage, tab, async (known) => log.push(known.state), () => now);
  await next.load();
  await next.atConnect(ORIGIN);
  assert.deepEqual(log, ['challenged', 'challenged']);
});

test('what there is no room for is told all the same', async () => {
  storage.full = true;
  await assert.rejects(session.challenged(ORIGIN), /full/);
  assert.deepEqual([log, session.blocked], [['challenged'], true]);
});

test('a page that the seller opened ends the challenge', async () => {
  await session.challenged(ORIGIN);
  answers.push(SIGNED_IN);
  await session.pageLoaded(ORIGIN);
  assert.equal(session.known.state, 'signed_in');
});

test('pages of a seller who is signed in are not a reason to look each time', async () => {
  answers.push(SIGNED_IN, SIGNED_IN);
  await session.look(ORIGIN);
  await session.pageLoaded(ORIGIN);
  now += 60_001;
  await session.pageLoaded(ORIGIN);
  assert.deepEqual(log, ['ask', 'signed_in', 'ask', 'signed_in']);
});

test('a page that is loaded during a look is a reason for another', async () => {
  let answer;
  answers.push(new Promise((done) => { answer = done; }), SIGNED_IN);
  const first = session.look(ORIGIN);
  const second = session.pageLoaded(ORIGIN);
  answer({ status: 403, body: '{}' });
  await Promise.all([first, second]);
  assert.deepEqual(log, ['ask', 'signed_out', 'ask', 'signed_in']);
});

test('Vinted that was not reached is looked for again, a minute later', async () => {
  answers.push({ status: 502, body: '' }, SIGNED_IN);
  await session.look(ORIGIN);
  now += 59_999;
  await session.lookAgain(ORIGIN);
  assert.equal(session.known.state, 'unreachable');
  now += 1;
  await session.lookAgain(ORIGIN);
  await session.lookAgain(ORIGIN);
  assert.deepEqual(log, ['ask', 'unreachable', 'ask', 'signed_in']);
});

test('whoever is signed out, or asked for proof, is not looked for by the clock', async () => {
  answers.push({ status: 403, body: '{}' });
  await session.look(ORIGIN);
  now += 600_000;
  await session.lookAgain(ORIGIN);
  await session.challenged(ORIGIN);
  now += 600_000;
  await session.lookAgain(ORIGIN);
  assert.deepEqual(log, ['ask', 'signed_out', 'challenged']);
});
