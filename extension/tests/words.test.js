import assert from 'node:assert/strict';
import { test } from 'node:test';

import { accountWords, connectionWords, queueWords, resultWords } from '../words.js';

const settings = { vinted: 'https://www.vinted.fr', paused: false };

test('the connection in two words', () => {
  const words = (state, more, session = 'signed_in') => connectionWords({
    connection: { state }, session: { state: session }, settings: { ...settings, ...more },
  });
  assert.deepEqual(words('unpaired'), ['Not paired', 'warn']);
  assert.deepEqual(words('connecting'), ['Connecting …', 'warn']);
  assert.deepEqual(words('connected'), ['Connected', 'good']);
  assert.deepEqual(words('connected', { paused: true }), ['Paused', 'warn']);
  assert.deepEqual(words('connected', {}, 'challenged'), ['Stopped', 'warn']);
});

test('the account says what to do', () => {
  const words = (session) => accountWords({ session, settings });
  assert.deepEqual(words({ state: 'signed_in', login: 'mina' }), ['mina', 'www.vinted.fr', false]);
  assert.match(words({ state: 'signed_out' })[1], /Sign in at www\.vinted\.fr/);
  assert.match(words({ state: 'challenged' })[1], /show that you are a person/);
  assert.match(words({ state: 'unreachable' })[1], /Open www\.vinted\.fr/);
});

test('two sites are both named', () => {
  const words = (site) => accountWords({
    session: { state: 'signed_in', login: 'mina' }, settings, status: { site },
  });
  assert.match(words('www.vinted.de')[1], /sells on www\.vinted\.de, .* works at www\.vinted\.fr/);
  assert.equal(words('www.vinted.fr')[0], 'mina');
  assert.equal(words(null)[0], 'mina');
});

test('the queue counts, and says why it waits', () => {
  const words = (view) => queueWords({ settings, ...view });
  assert.deepEqual(words({}), ['Nothing', '']);
  assert.deepEqual(words({ status: { waiting: 1, executor: true }, busy: 'photo 1 of 2' }), [
    '1 job', 'Now: photo 1 of 2.',
  ]);
  assert.deepEqual(words({ status: { waiting: 3, executor: false } }), [
    '3 jobs', 'Another browser of yours is doing the work.',
  ]);
  assert.match(words({ status: { waiting: 3, executor: true, next_at: '2026-06-01T12:00:00Z' } })[1],
    /^Next at /);
});

test('a result in plain words', () => {
  const words = (result) => resultWords({
    action: 'publish', step: 'draft', state: 'answered', ...result,
  });
  assert.deepEqual(words({ state: 'begun' }), ['Publish, draft: under way', 'open']);
  assert.deepEqual(words({ outcome: 'answered', status: 200 }), ['Publish, draft: done', 'good']);
  assert.deepEqual(words({ outcome: 'answered', status: 400 }), [
    'Publish, draft: Vinted answered 400', 'bad',
  ]);
  assert.match(words({ outcome: 'lost' })[0], /no answer came/);
  assert.match(words({ outcome: 'not_sent', detail: 'Why.' })[0], /not sent\. Why\.$/);
});
