import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { VintedTab } from '../tab.js';
import { FakeStorage, settled } from './fakes.js';

const VINTED = 'https://www.vinted.fr';
const LOOK = { method: 'GET', path: '/api/v2/users/current', patience: 60_000 };

let browser;
let asked;
let script;
let tab;

beforeEach(() => {
  asked = [];
  script = async () => [{ result: { sent: true, status: 200, body: '{}' } }];
  browser = {
    open: [{ id: 1, url: `${VINTED}/`, status: 'complete', active: false }],
    storage: { session: new FakeStorage() },
    scripting: {
      executeScript: async ({ target, args: [request] }) => {
        asked.push({ tab: target.tabId, ...request });
        return script(request);
      },
    },
    tabs: {
      query: async () => browser.open,
    },
  };
  tab = new VintedTab(browser);
});

afterEach(() => mock.timers.reset());

test('a tab that is silent is not waited for, nor used again before it loads a page', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  browser.open.push({ ...browser.open[0], id: 2 });
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
