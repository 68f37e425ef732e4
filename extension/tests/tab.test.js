import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { NoTab, VintedTab } from '../tab.js';
import { FakeStorage, settled } from './fakes.js';

const VINTED = 'https://www.vinted.fr';
const LOOK = { method: 'GET', path: '/api/v2/users/current', patience: 60_000 };

let browser;
let asked;
let script;
let tab;

const page = (id, more = {}) => ({ id, url: `${VINTED}/`, status: 'complete', active: false, ...more });

beforeEach(() => {
  asked = [];
  script = async () => [{ result: { sent: true, status: 200, body: '{}' } }];
  browser = {
    open: [page(1)],
    loaded: [],
    tab: async (id) => {
      const found = browser.open.find((each) => each.id === id);
      if (!found) throw new Error(`No tab with id: ${id}.`);
      return found;
    },
    storage: { session: new FakeStorage() },
    scripting: {
      executeScript: async ({ target, args: [request] }) => {
        asked.push({ tab: target.tabId, ...request });
        return script(request);
      },
    },
    tabs: {
      query: async () => browser.open.filter((each) => each.url?.startsWith(VINTED)),
      get: (id) => {
        if (!(id >= 0)) throw new TypeError('Value must be at least 0.');
        return browser.tab(id);
      },
      create: async (given) => {
        if (!browser.open.length) throw new Error('No current window');
        browser.open.push(page(browser.open.length + 1, given));
        browser.loaded.push('a new one');
        return browser.open.at(-1);
      },
      update: async (id, { url }) => {
        browser.loaded.push(id);
        return Object.assign(await browser.tab(id), { url });
      },
      reload: async (id) => { browser.loaded.push(id); },
    },
  };
  tab = new VintedTab(browser);
});

afterEach(() => mock.timers.reset());

test('a tab that is silent is not waited for, nor used again before it loads a page', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  browser.open.push(page(2));
  script = () => new Promise(() => {});
  const answer = tab.ask(await tab.find(VINTED), LOOK);
  await settled();
  assert.equal(asked[0].until, 1_030_000);
  mock.timers.tick(90_000);
  assert.deepEqual(await answer, {
    sent: true, status: null, detail: 'The tab did not answer in time.',
  });
  assert.equal((await tab.find(VINTED)).id, 2);
  tab.pageLoaded(1);
  assert.equal((await tab.find(VINTED)).id, 1);
});

test('a deadline that comes sooner is kept in the tab', async () => {
  await tab.ask({ id: 1 }, { ...LOOK, until: 5 });
  assert.equal(asked[0].until, 5);
});

const ERROR_PAGE = async () => { throw new Error('Frame with ID 0 is showing error page'); };

test('an error page is loaded anew; nothing was sent', async () => {
  script = ERROR_PAGE;
  const answer = await tab.ask(await tab.find(VINTED), LOOK);
  assert.deepEqual([answer.sent, answer.status, browser.loaded], [false, null, [1]]);
});

test('an error page in view is left to the seller: one of our own is used from then on', async () => {
  browser.open = [page(1, { active: true })];
  script = ERROR_PAGE;
  await tab.ask(await tab.find(VINTED), LOOK);
  assert.deepEqual(browser.loaded, ['a new one']);
  assert.equal((await tab.find(VINTED)).id, 2);
  await tab.ask(await tab.find(VINTED), LOOK);
  assert.deepEqual(browser.loaded, ['a new one', 2]);
});

test('what else goes wrong in a tab is for whoever asked', async () => {
  script = async () => { throw new Error('Frame with ID 0 was removed.'); };
  await assert.rejects(tab.ask(page(1), LOOK), /removed/);
  assert.deepEqual(browser.loaded, []);
});

test('a tab that Vinted led elsewhere is led back, and no second one opened', async () => {
  browser.open = [{ id: 1, active: true }];
  assert.equal((await tab.find(VINTED)).id, 2);
  Object.assign(browser.open[1], { url: undefined });
  tab = new VintedTab(browser);
  assert.equal((await tab.find(VINTED)).id, 2);
  assert.deepEqual(browser.loaded, ['a new one', 2]);
});

test('a tab that the seller took over is left alone', async () => {
  browser.open = [{ id: 1, active: true }];
  await tab.find(VINTED);
  Object.assign(browser.open[1], { url: undefined, pinned: false });
  assert.equal((await tab.find(VINTED)).id, 3);
});

test('only our own tab is loaded anew, never one with a listing half written', async () => {
  assert.equal((await tab.renewed(VINTED)).id, 2);
  assert.equal((await tab.renewed(VINTED)).id, 2);
  assert.deepEqual(browser.loaded, ['a new one', 2]);
  browser.open[1].active = true;
  assert.equal((await tab.renewed(VINTED)).id, 3);
});

test('one of an earlier run of the browser is taken as ours', async () => {
  browser.open.push(page(2, { pinned: true }));
  assert.equal((await tab.renewed(VINTED)).id, 2);
});

test('without a window there is no tab', async () => {
  browser.open = [];
  await assert.rejects(tab.find(VINTED), NoTab);
});
