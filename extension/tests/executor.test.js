import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, beforeEach, test } from 'node:test';

import { Executor, fitting } from '../executor.js';
import { Journal } from '../journal.js';
import { Leases } from '../lease.js';
import { fetchPhoto } from '../photos.js';
import { NoTab } from '../tab.js';
import { COMMAND_ID, FakeStorage, SHOP, Signer, command, settled } from './fakes.js';

let signer;
let world;

const ANSWER = {
  sent: true, status: 200, content_type: 'application/json', retry_after: null, body: '{"id":1}',
  challenged: false,
};

before(async () => { signer = await Signer.make(); });

beforeEach(async () => {
  world = {
    now: Date.now(),
    settings: { server: 'https://stoflow.test', vinted: 'https://www.vinted.fr', paused: false },
    storage: new FakeStorage(),
    asked: [],
    told: [],
    answer: async () => ANSWER,
    session: {
      blocked: false,
      known: { state: 'signed_in' },
      challenged: async () => { world.told.push('session challenged'); },
      look: async () => { world.told.push('look'); },
    },
    tab: {
      find: async () => ({ id: 1 }),
      forgetToken: () => { world.told.push('token forgotten'); },
      ask: async (tab, request) => {
        world.asked.push(request);
        return world.answer();
      },
    },
  };
  world.executor = await executor();
});

async function executor() {
  const journal = new Journal(world.storage);
  await journal.load();
  world.journal = journal;
  return new Executor(
    {
      journal,
      leases: new Leases(async () => ({ keys: [signer.jwk] }), Date.now),
      account: { shop: async () => SHOP, now: () => world.now },
      session: world.session,
      tab: world.tab,
      fetchPhoto: async (photo) => world.photo(photo),
    },
    () => world.settings,
    {
      challenged: async (given, status) => { world.told.push(['datadome', status]); },
      result: async () => { world.told.push('result'); },
    },
  );
}

const result = () => world.journal.find(COMMAND_ID)?.result;

test('a command is taken, made once, and its answer kept', async () => {
  const given = await command(signer);
  assert.deepEqual(await world.executor.take(given), { taken: true });
  await settled();
  assert.deepEqual(result(), {
    command_id: COMMAND_ID, lease: given.lease, outcome: 'answered', status: 200,
    content_type: 'application/json', retry_after: null, body: '{"id":1}', truncated: false,
    challenged: false, detail: null,
  });
  assert.deepEqual(world.told, ['result']);
  const [{ until, ...asked }] = world.asked;
  assert.deepEqual(asked, {
    method: 'POST', path: '/api/v2/item_upload/drafts', query: {}, json: { draft: {} },
    patience: 60_000,
  });
  assert.ok(Math.abs(until - Date.parse(given.deadline)) < 5_000);
});

test('the same command again is answered with what is known', async () => {
  const given = await command(signer);
  await Promise.all([world.executor.take(given), world.executor.take(given)]);
  await settled();
  await world.journal.stored(COMMAND_ID);
  assert.deepEqual(await world.executor.take(given), { taken: true });
  await settled();
  assert.equal(world.asked.length, 1);
  assert.equal(world.journal.unstored().length, 1);
});

test('it is written down before it is sent', async () => {
  world.answer = () => new Promise(() => {});
  await world.executor.take(await command(signer));
  await settled();
  assert.equal(world.storage.kept[`command:${COMMAND_ID}`].state, 'begun');
});

test('after the worker’s end it is lost, and never sent again', async () => {
  world.answer = () => new Promise(() => {});
  const given = await command(signer);
  await world.executor.take(given);
  await settled();
  world.executor = await executor();
  assert.equal(result().outcome, 'lost');
  assert.deepEqual(await world.executor.take(given), { taken: true });
  await settled();
  assert.equal(world.asked.length, 1);
});

const REFUSALS = {
  paused: ['paused', () => { world.settings.paused = true; }],
  'off the list': ['not_allowed', () => ({ request: { path: '/api/v2/users/1/payouts' } })],
  'for another Vinted': ['not_allowed', () => ({ request: { site: 'www.vinted.de' } })],
  late: ['expired', () => ({ deadline: new Date(world.now - 1).toISOString() })],
  'without a readable deadline': ['expired', () => ({ deadline: 'soon' })],
  'for a seller who is challenged': ['no_session', () => { world.session.blocked = true; }],
};
for (const [what, [reason, arrange]] of Object.entries(REFUSALS)) {
  test(`a command ${what} is refused, and nothing is done`, async () => {
    const given = await command(signer, arrange() ?? {});
    assert.equal((await world.executor.take(given)).refused, reason);
    await settled();
    assert.deepEqual([world.asked, world.storage.kept, world.told], [[], {}, []]);
  });
}

test('a lease for something else is refused', async () => {
  const given = await command(signer, {}, { method: 'GET' });
  const answer = await world.executor.take(given);
  assert.deepEqual(answer, { refused: 'bad_lease', detail: 'The lease is for another method.' });
  assert.equal((await world.executor.take(await command(signer))).taken, true);
});

test('what cannot be written down is not taken, and the next one is', async () => {
  const given = await command(signer);
  world.storage.full = true;
  assert.equal((await world.executor.take(given)).refused, 'busy');
  world.storage.full = false;
  assert.deepEqual(await world.executor.take(given), { taken: true });
  await settled();
  assert.equal(world.asked.length, 1);
});

test('what cannot be written down as begun is not sent', async () => {
  world.photo = async () => {
    world.storage.full = true;
    return 'QUJD';
  };
  await world.executor.take(await command(signer, WITH_PHOTO));
  await settled();
  assert.deepEqual([result().outcome, world.asked.length], ['not_sent', 0]);
  assert.equal(world.executor.current, null);
});

test('an answer that there is no room for is heeded and told all the same', async () => {
  world.answer = async () => {
    world.storage.full = true;
    return { ...ANSWER, status: 403, challenged: true };
  };
  await world.executor.take(await command(signer));
  await settled();
  assert.deepEqual(world.told, ['session challenged', ['datadome', 403], 'result']);
  assert.equal(world.journal.unstored()[0].status, 403);
});

test('when a challenge cannot be told the next command is listened to', async () => {
  world.answer = async () => ({ ...ANSWER, challenged: true });
  world.session.challenged = async () => { throw new Error('the storage is full'); };
  await world.executor.take(await command(signer));
  await settled();
  assert.deepEqual([world.told, world.executor.current], [['result'], null]);
});

test('when the keys cannot be fetched the command is not taken', async () => {
  world.executor.leases = new Leases(async () => { throw new TypeError('offline'); }, Date.now);
  assert.equal((await world.executor.take(await command(signer))).refused, 'busy');
});

test('one at a time', async () => {
  world.answer = () => new Promise(() => {});
  await world.executor.take(await command(signer));
  const other = await command(signer, { command_id: '11111111-7a4e-4f55-9d0b-6a2f6d1c3e11' });
  assert.equal((await world.executor.take(other)).refused, 'busy');
});

test('without a tab nothing has been sent', async () => {
  world.tab.find = async () => { throw new NoTab('No window of the browser is open.'); };
  await world.executor.take(await command(signer));
  await settled();
  assert.deepEqual(
    [result().outcome, result().detail], ['not_sent', 'No window of the browser is open.'],
  );
});

test('a tab that goes away leaves the fate unknown', async () => {
  world.answer = async () => { throw new Error('Frame was removed.'); };
  await world.executor.take(await command(signer));
  await settled();
  assert.equal(result().outcome, 'lost');
});

test('no answer leaves the fate unknown, and is not tried again', async () => {
  world.answer = async () => ({ sent: true, status: null, detail: 'No answer came: x' });
  await world.executor.take(await command(signer));
  await settled();
  assert.equal(result().outcome, 'lost');
  assert.equal(world.asked.length, 1);
});

test('a challenge is told before the result', async () => {
  world.answer = async () => ({ ...ANSWER, status: 403, body: 'captcha-delivery', challenged: true });
  await world.executor.take(await command(signer));
  await settled();
  assert.deepEqual(world.told, ['session challenged', ['datadome', 403], 'result']);
  assert.deepEqual([result().status, result().challenged], [403, true]);
});

test('a 401 makes it look who is signed in', async () => {
  world.answer = async () => ({ ...ANSWER, status: 401 });
  await world.executor.take(await command(signer));
  await settled();
  assert.deepEqual(world.told, ['look', 'result']);
});

test('a 403 makes the next write look for the token again', async () => {
  world.answer = async () => ({ ...ANSWER, status: 403, body: '{"code":106}' });
  await world.executor.take(await command(signer));
  await settled();
  assert.deepEqual(world.told, ['token forgotten', 'result']);
});

const PHOTO = { url: 'https://store.test/p', sha256: 'a'.repeat(64), content_type: 'image/jpeg',
  fields: { 'photo[type]': 'item' } };
const WITH_PHOTO = { request: { path: '/api/v2/photos', json: null, photo: PHOTO } };

test('a photo goes with its fields, without its address', async () => {
  world.photo = async () => 'QUJD';
  await world.executor.take(await command(signer, WITH_PHOTO));
  await settled();
  assert.deepEqual(world.asked[0].photo, {
    content_type: 'image/jpeg', fields: { 'photo[type]': 'item' }, base64: 'QUJD',
  });
});

test('a photo that cannot be had is not sent', async () => {
  world.photo = async () => { throw new Error('The photo is not the one expected.'); };
  await world.executor.take(await command(signer, WITH_PHOTO));
  await settled();
  assert.deepEqual([result().outcome, world.asked.length], ['not_sent', 0]);
});

test('a deadline that passes meanwhile stops it', async () => {
  const given = await command(signer, WITH_PHOTO);
  world.photo = async () => {
    world.now = Date.parse(given.deadline);
    return 'QUJD';
  };
  await world.executor.take(given);
  await settled();
  assert.deepEqual([result().outcome, world.asked.length], ['not_sent', 0]);
});

test('the deadline is by StoFlow’s clock, the page has this computer’s', async () => {
  const hour = 3_600_000;
  const deadline = world.now - hour + 60_000;
  world.now -= hour;
  await world.executor.take(await command(signer, { deadline: new Date(deadline).toISOString() }));
  await settled();
  assert.ok(Math.abs(world.asked[0].until - deadline - hour) < 5_000);
});

test('a new worker hears of StoFlow’s time before it calls a command late', async () => {
  const given = await command(signer);
  world.now += 3_600_000;
  world.executor.leases = new Leases(async () => {
    world.now -= 3_600_000;
    return { keys: [signer.jwk] };
  }, () => world.now);
  assert.deepEqual(await world.executor.take(given), { taken: true });
});

test('a photo’s bytes are compared with its digest', async () => {
  const bytes = Buffer.from('a picture');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const get = async () => new Response(bytes);
  const given = { url: 'https://store.test/p', sha256 };
  assert.equal(await fetchPhoto(given, 'https://s.test', get), bytes.toString('base64'));
  await assert.rejects(fetchPhoto({ ...given, sha256: '0'.repeat(64) }, 'https://s.test', get));
  await assert.rejects(fetchPhoto({ ...given, url: 'http://store.test/p' }, 'https://s.test', get));
  await assert.rejects(
    fetchPhoto({ ...given, url: 'http://127.0.0.1:1/p' }, 'https://s.test', get),
  );
  await assert.rejects(
    fetchPhoto(given, 'https://s.test', async () => new Response('', { status: 403 })), /403/,
  );
});

test('a long answer is cut to what the server takes', () => {
  const long = { command_id: COMMAND_ID, outcome: 'answered', body: 'é"'.repeat(60_000) };
  const fit = fitting(long, 100_000);
  assert.equal(fit.truncated, true);
  assert.ok(Buffer.byteLength(JSON.stringify(fit)) <= 100_000);
  assert.ok(fit.body.length > 20_000);
  const short = { body: 'x', truncated: false };
  assert.equal(fitting(short, 100_000), short);
});
