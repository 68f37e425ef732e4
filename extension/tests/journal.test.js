import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Journal } from '../journal.js';
import { FakeStorage } from './fakes.js';

let storage;
let now;
let journal;

const taken = (command_id) => ({ command_id, lease: `lease-${command_id}`, action: 'publish', step: 's' });
const DONE = { outcome: 'answered', status: 200, body: '{}' };

async function restarted() {
  const next = new Journal(storage, () => now);
  await next.load();
  return next;
}

beforeEach(async () => {
  storage = new FakeStorage({ settings: { paused: true } });
  now = 1_000_000;
  journal = await restarted();
});

test('a begun command that nobody answered is lost after a restart', async () => {
  await journal.take(taken('a'));
  await journal.begin('a');
  const [result] = (await restarted()).unstored();
  assert.deepEqual([result.command_id, result.lease, result.outcome], ['a', 'lease-a', 'lost']);
});

test('a taken command that was not begun has not been sent', async () => {
  await journal.take(taken('a'));
  assert.equal((await restarted()).unstored()[0].outcome, 'not_sent');
});

test('a result survives, is held until it is stored, and is remembered after', async () => {
  await journal.take(taken('a'));
  assert.deepEqual(journal.holding(), ['a']);
  await journal.begin('a');
  await journal.answer('a', DONE);
  let next = await restarted();
  assert.deepEqual(next.unstored(), [{ command_id: 'a', lease: 'lease-a', ...DONE }]);
  assert.deepEqual(next.holding(), ['a']);
  await next.stored('a');
  next = await restarted();
  assert.deepEqual([next.unstored(), next.holding()], [[], []]);
  assert.equal(next.find('a').result.status, 200);
  await next.tellAgain('a');
  assert.equal(next.unstored().length, 1);
});

test('it keeps 500 commands, and all that StoFlow waits for', async () => {
  await journal.take(taken('open'));
  await journal.answer('open', DONE);
  for (let n = 0; n < 510; n += 1) {
    now += 1;
    await journal.take(taken(`c${n}`));
    await journal.answer(`c${n}`, DONE);
    await journal.stored(`c${n}`);
  }
  const next = await restarted();
  assert.equal(next.entries.size, 501);
  assert.equal(next.find('c0'), undefined);
  assert.notEqual(next.find('open'), undefined);
  assert.equal(Object.keys(storage.kept).length, 502);
});

test('a day later it is forgotten', async () => {
  await journal.take(taken('a'));
  await journal.answer('a', DONE);
  await journal.stored('a');
  now += 24 * 3600 * 1000 + 1;
  await journal.take(taken('b'));
  assert.equal(journal.find('a'), undefined);
  assert.equal((await restarted()).find('a'), undefined);
});

test('what StoFlow never took is told for two weeks', async () => {
  await journal.take(taken('a'));
  await journal.answer('a', DONE);
  now += 14 * 24 * 3600 * 1000;
  await journal.take(taken('b'));
  assert.equal(journal.unstored().length, 1);
  now += 1;
  await journal.take(taken('c'));
  assert.equal(journal.unstored().length, 0);
});

test('what was forgotten is neither begun nor told', async () => {
  await journal.take(taken('a'));
  await journal.forget();
  await assert.rejects(journal.begin('a'), /another shop/);
  await journal.answer('a', DONE);
  await journal.stored('a');
  assert.deepEqual([journal.entries.size, storage.kept], [0, { settings: { paused: true } }]);
});

test('long answers do not pile up', async () => {
  for (let n = 0; n < 15; n += 1) {
    await journal.take(taken(`c${n}`));
    await journal.answer(`c${n}`, { ...DONE, body: 'x'.repeat(200_000) });
    if (n > 0) await journal.stored(`c${n}`);
  }
  const lengths = [...(await restarted()).entries.values()].map((each) => each.result.body.length);
  assert.equal(lengths[0], 200_000);
  assert.deepEqual(lengths.slice(1), [...Array(4).fill(0), ...Array(10).fill(200_000)]);
});

test('the newest are shown first', async () => {
  await journal.take(taken('a'));
  await journal.take(taken('b'));
  await journal.answer('b', DONE);
  assert.deepEqual(journal.latest(5).map((each) => each.state), ['answered', 'taken']);
});
