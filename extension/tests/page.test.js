import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { askVinted } from '../page.js';

const ORIGIN = 'https://www.vinted.fr';
const CSRF = '75f6c9fa-dc8e-4e52-a000-e09dd4084b3e';
const NAMES = ['document', 'location', 'navigator', 'fetch'];

let saved;
let calls;
let answers;

function place(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

function page({ cookie = '', onLine = true } = {}) {
  place('document', { cookie });
  place('location', { origin: ORIGIN });
  place('navigator', { onLine });
}

beforeEach(() => {
  saved = NAMES.map((each) => [each, Object.getOwnPropertyDescriptor(globalThis, each)]);
  calls = [];
  answers = [];
  page();
  place('fetch', async (url, request) => {
    calls.push({ url: String(url), ...request });
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  });
});

afterEach(() => {
  mock.timers.reset();
  for (const [name, was] of saved) {
    if (was) Object.defineProperty(globalThis, name, was);
    else delete globalThis[name];
  }
});

const json = (body, status = 200, headers = {}) => new Response(JSON.stringify(body), {
  status, headers: { 'content-type': 'application/json', ...headers },
});
const html = (body, status = 200, headers = {}) => new Response(body, {
  status, headers: { 'content-type': 'text/html', ...headers },
});
const get = (path = '/api/v2/users/current', more = {}) => (
  askVinted({ method: 'GET', path, patience: 1000, ...more })
);
const post = (more = {}) => askVinted({
  method: 'POST', path: '/api/v2/item_upload/drafts', patience: 1000, ...more,
});

test('a read goes out as the page’s own, with its anonymous id', async () => {
  page({ cookie: 'a=1; anon_id=ab%2Dcd; b=2' });
  answers.push(json({ user: { id: 1 } }, 200, { 'retry-after': '7' }));
  const answer = await get('/api/v2/my_orders', { query: { 'x[]': 'a b', page: '2' } });
  assert.equal(calls[0].url, `${ORIGIN}/api/v2/my_orders?x%5B%5D=a+b&page=2`);
  assert.equal(calls[0].credentials, 'same-origin');
  assert.equal(calls[0].headers['X-Anon-Id'], 'ab-cd');
  assert.equal(calls[0].headers['X-CSRF-Token'], undefined);
  assert.deepEqual(answer, {
    sent: true, status: 200, content_type: 'application/json', retry_after: '7',
    body: '{"user":{"id":1}}', challenged: false, csrf: undefined,
  });
});

for (const [where, text] of Object.entries({
  'plain script': `{"CSRF_TOKEN":"${CSRF}"}`,
  'escaped script': `{\\"CSRF_TOKEN\\":\\"${CSRF}\\"}`,
  'meta tag': `<meta name="csrf-token" content="${CSRF}">`,
})) {
  test(`a write carries the token of a ${where}, and tells it`, async () => {
    answers.push(html(text), json({}));
    const answer = await post({ json: { draft: { title: 'é' } } });
    assert.equal(calls[0].url, '/items/new');
    assert.equal(calls[1].headers['X-CSRF-Token'], CSRF);
    assert.equal(calls[1].headers['Content-Type'], 'application/json');
    assert.deepEqual(JSON.parse(calls[1].body), { draft: { title: 'é' } });
    assert.equal(answer.csrf, CSRF);
  });
}

test('a token that is known is not looked for', async () => {
  answers.push(json({}));
  await post({ csrf: CSRF });
  assert.equal(calls[0].headers['X-CSRF-Token'], CSRF);
  assert.equal(calls[0].body, undefined);
});

test('without a token nothing is sent', async () => {
  answers.push(html('nothing'));
  assert.equal((await post()).sent, false);
  assert.equal(calls.length, 1);
});

test('a challenge on the way to the token is one', async () => {
  answers.push(html('<script src="https://ct.captcha-delivery.com/c.js">', 403));
  const answer = await post();
  assert.deepEqual([answer.sent, answer.challenged, answer.page_status], [false, true, 403]);
});

test('a photo is one file beside its fields', async () => {
  answers.push(json({ id: 5 }));
  await post({
    csrf: CSRF,
    path: '/api/v2/photos',
    photo: {
      content_type: 'image/jpeg',
      fields: { 'photo[type]': 'item', 'photo[temp_uuid]': 'u' },
      base64: Buffer.from([0xff, 0xd8, 0x00]).toString('base64'),
    },
  });
  const { body, headers } = calls[0];
  assert.equal(headers['Content-Type'], undefined);
  assert.deepEqual([...body.keys()], ['photo[type]', 'photo[temp_uuid]', 'photo[file]']);
  const file = body.get('photo[file]');
  assert.deepEqual([...new Uint8Array(await file.arrayBuffer())], [0xff, 0xd8, 0x00]);
  assert.equal(file.type, 'image/jpeg');
});

const CAPTCHA = { url: 'https://geo.captcha-delivery.com/captcha/?initialCid=x' };
const LOOKS = [
  ['DataDome as JSON', json(CAPTCHA, 403), true],
  ['DataDome by its header', json({}, 403, { 'x-datadome': 'protected' }), true],
  ['DataDome as a page', html('captcha-delivery', 403), true],
  ['Cloudflare', html('Just a moment', 403), true],
  ['a page with 200', html('<html>', 200), true],
  ['bytes with 200', new Response('\u0000\u0001', { status: 200 }), true],
  ['a missing CSRF token', json({ code: 106, message_code: 'access_denied' }, 403), false],
  ['somebody else’s item', json({ code: 104 }, 403), false],
  ['signed out', json({ code: 100 }, 401), false],
  ['gone, as a page', html('<html>', 404), false],
  ['nothing at all', new Response('', { status: 200 }), false],
  ['too many', json({}, 429), false],
];
for (const [what, answer, challenged] of LOOKS) {
  test(`${what} is ${challenged ? 'a' : 'no'} challenge`, async () => {
    answers.push(answer);
    assert.equal((await get()).challenged, challenged);
  });
}

test('when no answer comes, it may have arrived', async () => {
  answers.push(new TypeError('Failed to fetch'));
  const answer = await get();
  assert.deepEqual([answer.sent, answer.status], [true, null]);
});

test('a request is made once', async () => {
  answers.push(new TypeError('Failed to fetch'), json({}));
  assert.equal((await post({ csrf: CSRF })).status, null);
  assert.equal(calls.length, 1);
});

test('what comes too late is not sent, though its token was fetched in time', async () => {
  const until = Date.now() + 1_000;
  answers.push({
    headers: new Headers(),
    text: async () => {
      mock.timers.enable({ apis: ['Date'], now: until });
      return `{"CSRF_TOKEN":"${CSRF}"}`;
    },
  });
  assert.equal((await post({ until })).sent, false);
  assert.equal(calls.length, 1);
});

test('a redirect is not followed', async () => {
  answers.push({ type: 'opaqueredirect', status: 0 });
  assert.equal((await get()).status, 302);
  assert.equal(calls[0].redirect, 'manual');
});

test('offline, nothing is sent', async () => {
  page({ onLine: false });
  assert.equal((await get()).sent, false);
  assert.equal(calls.length, 0);
});

for (const path of ['//evil.test/x', '/a/../b', '/a?b=c', '/a#b', '/\\evil.test']) {
  test(`${path} is not asked for`, async () => {
    assert.equal((await get(path)).sent, false);
    assert.equal(calls.length, 0);
  });
}

test('everything it needs is inside it', () => {
  const alone = new Function(`return ${askVinted.toString()}`)();
  assert.equal(typeof alone, 'function');
});
