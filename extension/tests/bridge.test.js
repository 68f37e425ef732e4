import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { Bridge } from '../bridge.js';
import { COMMAND_ID, FakeStorage, FakeWebSocket, SHOP, Signer, command, settled, until } from './fakes.js';

const VINTED = 'https://www.vinted.fr';
const CURRENT = { sent: true, status: 200, body: '{"user":{"id":42,"login":"mina"}}' };
const CAPTCHA = { sent: true, status: 403, body: 'captcha-delivery', challenged: true };
const PAIRING = { code: 'ABCD2345', server: 'api.stoflow.com', vinted: 'www.vinted.fr' };
const CONNECTED = { state: 'connected', executor: true, waiting: 2 };

let signer;
let browser;
let vinted;
let asked;
let stoflow;
let bridge;
const bridges = [];

before(async () => { signer = await Signer.make(); });

after(() => bridges.forEach((each) => each.hangUp()));

function fakeBrowser() {
  return {
    badge: '',
    notes: [],
    storage: { local: new FakeStorage(), session: new FakeStorage() },
    runtime: { getManifest: () => ({ version: '1.0.0' }) },
    action: {
      setBadgeText: async ({ text }) => { browser.badge = text; },
      setBadgeBackgroundColor: async () => {},
    },
    notifications: { create: async (id) => { browser.notes.push(id); } },
    tabs: {
      query: async () => [{ id: 1, status: 'complete', url: `${VINTED}/` }],
    },
    scripting: {
      executeScript: async ({ args: [request] }) => {
        asked.push(`${request.method} ${request.path}`);
        return [{ result: await vinted(request) }];
      },
    },
  };
}

async function answer(url, request) {
  stoflow.calls.push(new URL(url).pathname);
  if (url.endsWith('/jwks.json')) return Response.json({ keys: [signer.jwk] });
  if (url.endsWith('/vinted/status')) {
    stoflow.bearer = request.headers.Authorization;
    return Response.json({ state: 'connected', executor: true, waiting: 5, devices: [] });
  }
  if (stoflow.status) return Response.json({ detail: 'No.' }, { status: stoflow.status });
  stoflow.n += 1;
  return Response.json({
    access_token: await signer.sign({ tid: stoflow.shop, n: stoflow.n }),
    refresh_token: `refresh${stoflow.n}`,
    expires_in: stoflow.expires_in,
  });
}

function newBridge() {
  bridges.push(new Bridge(browser, { fetch: answer, WebSocket: FakeWebSocket }));
  return bridges.at(-1);
}

beforeEach(() => {
  FakeWebSocket.all = [];
  browser = fakeBrowser();
  asked = [];
  stoflow = { calls: [], n: 0, shop: SHOP, expires_in: 900 };
  vinted = async () => CURRENT;
  bridge = newBridge();
});

const view = () => browser.storage.session.kept.view;
const named = (name) => FakeWebSocket.last.events.filter((each) => each[0] === name);

async function paired() {
  await bridge.start();
  await bridge.pair(PAIRING);
  return online();
}

async function online() {
  const line = FakeWebSocket.last;
  await line.opens();
  await line.says('42["ready",{"sequence":1,"after":1}]');
  return line;
}

async function acknowledge(line, name, data) {
  await until(() => named(name).length > 0);
  const id = named(name).at(-1)[2];
  await line.says(`43${id}${JSON.stringify([data])}`);
}

test('without a pairing it waits, and connects nowhere', async () => {
  await bridge.start();
  assert.equal(view().connection.state, 'unpaired');
  assert.equal(FakeWebSocket.all.length, 0);
});

test('paired, it says who it is and who is signed in', async () => {
  const line = await paired();
  const hello = JSON.parse(line.sent[0].slice(2));
  assert.deepEqual(Object.keys(hello), ['token', 'client', 'device', 'version']);
  assert.equal(hello.client, 'extension');
  assert.deepEqual(named('vinted_session_update')[0][1], {
    state: 'signed_in', site: 'www.vinted.fr', vinted_user_id: '42', login: 'mina', holding: [],
  });
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  assert.equal(view().status.waiting, 2);
  assert.equal(view().connection.state, 'connected');
});

test('a tab that it opens by itself is no reason to look a second time', async () => {
  const tab = { id: 9, status: 'loading', url: `${VINTED}/` };
  browser.tabs = { query: async () => [], create: async () => tab, get: async () => tab };
  await paired();
  await until(() => bridge.tab.loads(9));
  assert.equal(bridge.pageLoaded(tab.url, 9), null);
  tab.status = 'complete';
  await until(() => named('vinted_session_update').length === 1);
  assert.deepEqual([asked.length, bridge.tab.loads(9)], [1, false]);
});

test('a new worker connects by itself', async () => {
  await paired();
  bridge = newBridge();
  await bridge.start();
  await online();
  assert.equal(FakeWebSocket.all.length, 2);
  assert.equal(view().connection.state, 'connected');
});

const PROBLEM = { problem: { code: 'shop-being-upgraded', title: 'x', detail: 'x' } };

test('what StoFlow does not take note of is told again, until it does', async () => {
  const line = await paired();
  await acknowledge(line, 'vinted_session_update', PROBLEM);
  bridge.tick();
  await until(() => named('vinted_session_update').length === 2);
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  await bridge.tick();
  assert.deepEqual(named('vinted_session_update').map((each) => each[1].state), [
    'signed_in', 'signed_in',
  ]);
  assert.equal(asked.length, 1);
  assert.equal(view().status.state, 'connected');
});

test('ready may come before the connect packet: it is at work all the same', async () => {
  await bridge.start();
  await bridge.pair(PAIRING);
  const line = FakeWebSocket.last;
  await line.says('0{"sid":"x","pingInterval":25000,"pingTimeout":20000}');
  await line.says('42["ready",{"sequence":1,"after":1}]');
  await line.says('40{"sid":"y"}');
  await until(() => named('vinted_session_update').length === 1);
  assert.equal(view().connection.state, 'connected');
});

test('a start that failed is tried anew by whoever comes next', async () => {
  await paired();
  await bridge.journal.take({ command_id: COMMAND_ID, lease: 'l', action: 'sync', step: 's' });
  bridge = newBridge();
  browser.storage.local.full = true;
  await assert.rejects(bridge.started(), /full/);
  browser.storage.local.full = false;
  await Promise.all([bridge.started(), bridge.started()]);
  await online();
  await until(() => named('job_result').length === 1);
  assert.equal(FakeWebSocket.all.length, 2);
});

test('a command runs, and its result is told until it is stored', async () => {
  let line = await paired();
  vinted = async () => ({ ...CURRENT, content_type: 'application/json' });
  await line.says(`427["execute_job",${JSON.stringify(await command(signer))}]`);
  await until(() => named('job_result').length === 1);
  assert.ok(line.sent.includes('437[{"taken":true}]'));
  assert.equal(named('job_result')[0][1].outcome, 'answered');
  line.onclose();
  bridge.socket.reconnect(0);
  line = await online();
  await until(() => named('vinted_session_update').length === 1);
  assert.equal(named('job_result').length, 1);
  assert.deepEqual(named('vinted_session_update')[0][1].holding, [COMMAND_ID]);
  await acknowledge(line, 'job_result', { stored: true, repeated: true });
  assert.deepEqual(bridge.journal.holding(), []);
  assert.deepEqual(asked.filter((each) => each.startsWith('POST')).length, 1);
});

test('a challenge stops it, is told, and ends when the seller has opened Vinted', async () => {
  const line = await paired();
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  vinted = async () => CAPTCHA;
  await line.says(`427["execute_job",${JSON.stringify(await command(signer))}]`);
  await until(() => named('vinted_session_update').length === 2);
  await acknowledge(line, 'vinted_session_update', { state: 'challenged', executor: true });
  assert.deepEqual(named('datadome_detected')[0][1], {
    command_id: COMMAND_ID, site: 'www.vinted.fr', status: 403,
  });
  await acknowledge(line, 'datadome_detected', { state: 'challenged', executor: true });
  await until(() => named('job_result').length === 1);
  assert.deepEqual([browser.badge, browser.notes], ['!', ['challenge']]);
  assert.equal(named('job_result')[0][1].status, 403);

  const before = asked.length;
  await bridge.tick();
  const other = await command(signer, { command_id: '11111111-7a4e-4f55-9d0b-6a2f6d1c3e11' });
  await line.says(`428["execute_job",${JSON.stringify(other)}]`);
  await until(() => line.sent.at(-1).startsWith('438'));
  assert.match(line.sent.at(-1), /^438\[\{"refused":"no_session"/);
  assert.equal(asked.length, before);

  vinted = async () => CURRENT;
  bridge.pageLoaded(`${VINTED}/member/42`);
  await settled();
  assert.equal(named('vinted_session_update').at(-1)[1].state, 'signed_in');
  assert.equal(browser.badge, '');
});

test('a challenge that only StoFlow saw ends with the next page, however fresh the last look', async () => {
  const line = await paired();
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  await bridge.pageLoaded(`${VINTED}/`);
  assert.equal(asked.length, 1);
  await line.says('42["vinted_connection_status",{"state":"challenged","executor":true}]');
  bridge.pageLoaded(`${VINTED}/`);
  await until(() => named('vinted_session_update').length === 2);
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  await bridge.pageLoaded(`${VINTED}/`);
  assert.equal(asked.length, 2);
});

test('the popup hears what waits now, and that another browser does the work', async () => {
  await bridge.freshStatus();
  assert.deepEqual(stoflow.calls, []);
  const line = await paired();
  await acknowledge(line, 'vinted_session_update', { ...CONNECTED, executor: false });
  await bridge.freshStatus();
  assert.equal(stoflow.bearer, `Bearer ${bridge.token}`);
  assert.deepEqual([view().status.waiting, view().status.executor], [5, false]);
});

test('a token that is about to end is replaced on the open line', async () => {
  const line = await paired();
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  await bridge.account.expire();
  bridge.tick();
  await until(() => named('authenticate').length === 1);
  assert.notEqual(named('authenticate')[0][1].token, JSON.parse(line.sent[0].slice(2)).token);
  await acknowledge(line, 'authenticate', { expires_at: '2026-06-01T12:00:00Z' });
  assert.equal(FakeWebSocket.all.length, 1);
});

test('an expired token is renewed, and the line with it', async () => {
  const line = await paired();
  await line.says('42["auth_expired",{"detail":"The access token has expired."}]');
  await until(() => FakeWebSocket.all.length === 2);
  await online();
  assert.equal(FakeWebSocket.all.length, 2);
  assert.deepEqual(stoflow.calls.filter((each) => each.startsWith('/api/v1/auth')), [
    '/api/v1/auth/refresh',
  ]);
});

test('a sign-in that was ended asks for a new pairing', async () => {
  const line = await paired();
  await line.says('42["signed_out",{"detail":"You were signed out."}]');
  assert.deepEqual(view().connection, { state: 'unpaired', detail: 'You were signed out.' });
  assert.equal(browser.storage.local.kept.tokens, undefined);
  await bridge.tick();
  assert.equal(FakeWebSocket.all.length, 1);
});

test('a refresh that is refused asks for a new pairing', async () => {
  const line = await paired();
  stoflow.status = 401;
  await line.says('42["auth_expired",{"detail":"x"}]');
  await until(() => FakeWebSocket.all.length === 2);
  await FakeWebSocket.last.opens();
  await until(() => view().connection.state === 'unpaired');
  assert.equal(view().connection.state, 'unpaired');
});

async function pausedLine() {
  const line = await paired();
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  bridge.setPaused(true);
  await until(() => named('vinted_session_update').length === 2);
  await acknowledge(line, 'vinted_session_update', { state: 'paused', executor: true });
  return line;
}

test('paused, it says so, takes nothing and does not look at Vinted', async () => {
  const line = await pausedLine();
  assert.equal(named('vinted_session_update')[1][1].state, 'paused');
  await line.says(`427["execute_job",${JSON.stringify(await command(signer))}]`);
  assert.match(line.sent.at(-1), /"refused":"paused"/);
  await bridge.pageLoaded(`${VINTED}/`);
  assert.equal(asked.length, 1);
  bridge.setPaused(false);
  await until(() => named('vinted_session_update').length === 3);
  assert.equal(named('vinted_session_update')[2][1].state, 'signed_in');
});

test('paused, it says so on the next line as well', async () => {
  const line = await pausedLine();
  line.onclose();
  bridge.socket.reconnect(0);
  await online();
  await until(() => named('vinted_session_update').length === 1);
  assert.equal(named('vinted_session_update')[0][1].state, 'paused');
  assert.equal(asked.length, 1);
});

test('whoever shows to be a person while it is paused is seen when it goes on', async () => {
  const line = await pausedLine();
  line.onclose();
  await bridge.session.challenged(VINTED);
  await bridge.setPaused(false);
  assert.deepEqual([asked.length, bridge.session.known.state], [1, 'challenged']);
  await bridge.setPaused(true);
  await bridge.pageLoaded(`${VINTED}/`);
  bridge = newBridge();
  await bridge.start();
  await bridge.setPaused(false);
  assert.deepEqual([asked.length, bridge.session.known.state], [2, 'signed_in']);
});

test('whoever is evicted does not push back at once', async () => {
  const line = await paired();
  await line.says('42["evicted",{"detail":"Another client of this account has connected."}]');
  await until(() => view().connection.detail);
  assert.equal(FakeWebSocket.all.length, 1);
  assert.match(view().connection.detail, /Another client/);
  await bridge.tick();
  assert.equal(FakeWebSocket.all.length, 1);
  assert.match(view().connection.detail, /Another client/);
});

/** One command was executed, and StoFlow has not said that it has the result. */
async function holding() {
  const line = await paired();
  await line.says(`427["execute_job",${JSON.stringify(await command(signer))}]`);
  await until(() => named('job_result').length === 1);
  return line;
}

for (const [where, change] of Object.entries({
  'another shop': () => { stoflow.shop = 8; return {}; },
  'another StoFlow': () => ({ server: 'https://other.example' }),
})) {
  test(`paired with ${where}, it says nothing of what it did before`, async () => {
    await holding();
    await bridge.unpair();
    await bridge.pair({ ...PAIRING, ...change() });
    await online();
    await until(() => named('vinted_session_update').length === 1);
    assert.deepEqual([named('job_result'), bridge.journal.holding()], [[], []]);
  });
}

test('paired for another Vinted, what the first asked for is no matter', async () => {
  const line = await paired();
  line.onclose();
  await bridge.session.challenged(VINTED);
  await bridge.unpair();
  browser.tabs.query = async () => [{ id: 1, status: 'complete', url: 'https://www.vinted.de/' }];
  await bridge.pair({ ...PAIRING, vinted: 'www.vinted.de' });
  await online();
  await until(() => named('vinted_session_update').length === 1);
  const [said] = named('vinted_session_update').map((each) => each[1]);
  assert.deepEqual([said.state, said.site], ['signed_in', 'www.vinted.de']);
});

test('paired anew with the same shop, it tells what it has done', async () => {
  await holding();
  await bridge.unpair();
  await bridge.pair(PAIRING);
  await online();
  await until(() => named('job_result').length === 1);
});

for (const code of ['lease-refused', 'command-not-found', 'bad-input']) {
  test(`a result that is refused with ${code} is not told again`, async () => {
    const line = await holding();
    await acknowledge(line, 'job_result', { problem: { code, title: 'x', detail: 'x' } });
    assert.deepEqual(bridge.journal.holding(), []);
  });
}

test('a result that StoFlow cannot store now is told again', async () => {
  const line = await holding();
  await acknowledge(line, 'vinted_session_update', CONNECTED);
  await acknowledge(line, 'job_result', PROBLEM);
  bridge.tick();
  await until(() => named('job_result').length === 2);
});

test('a wrong code changes nothing', async () => {
  await bridge.start();
  stoflow.status = 404;
  const asking = { code: 'X', server: 'api.stoflow.com', vinted: 'www.vinted.fr' };
  await assert.rejects(bridge.pair(asking), /No\./);
  assert.equal(FakeWebSocket.all.length, 0);
  assert.equal(browser.storage.local.kept.settings, undefined);
});

test('unpairing tells StoFlow and forgets', async () => {
  await paired();
  await bridge.unpair();
  assert.equal(stoflow.calls.at(-1), '/api/v1/auth/logout');
  assert.equal(view().connection.state, 'unpaired');
});
