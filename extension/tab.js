// The tab in which the seller is signed in at Vinted. One that is open is used; where there is
// none, one is opened in the background, pinned, and left to the seller. Only that one is ever
// loaded anew by itself: another may hold a listing that is half written.

import { askVinted } from './page.js';
import { pattern } from './settings.js';

const LOADING = 30_000;
const LOOK = 100;
const GRACE = 30_000;

/** There is no tab of Vinted, and none could be opened. */
export class NoTab extends Error {}

export class VintedTab {
  constructor(browser) {
    this.browser = browser;
    this.csrf = null;
    this.loading = new Set();
    this.silent = new Set();
  }

  /**
   * Make a request in a tab; see askVinted for what it answers. It is sent within half a minute or
   * never: a tab that is silent, since a dialog is open in it, does not send it later.
   */
  async ask(tab, request) {
    const until = Math.min(request.until ?? Infinity, Date.now() + GRACE);
    const asked = this.run(tab, { ...request, until, csrf: this.csrf });
    const answer = await within(request.patience + GRACE, asked);
    if (!answer) {
      this.silent.add(tab.id);
      return { sent: true, status: null, detail: 'The tab did not answer in time.' };
    }
    this.csrf = answer.csrf ?? this.csrf;
    return answer;
  }

  async run(tab, asked) {
    try {
      const [frame] = await this.browser.scripting.executeScript({
        target: { tabId: tab.id }, func: askVinted, args: [asked],
      });
      return frame?.result ?? { sent: true, status: null, detail: 'The tab went away meanwhile.' };
    } catch (error) {
      if (!error.message.includes('error page')) throw error;
      await this.mend(tab).catch(() => {});
      return { sent: false, status: null, detail: 'The tab showed an error page of the browser.' };
    }
  }

  /** An error page of the browser's own stays one, with the address of Vinted, until it is loaded
   *  anew; the one in view is left to the seller. */
  async mend(tab) {
    const { origin } = new URL(tab.url);
    if (tab.active) return this.renewed(origin);
    await this.browser.tabs.reload(tab.id);
    return this.loaded(tab.id, origin);
  }

  /** The next write looks for the CSRF token again. */
  forgetToken() {
    this.csrf = null;
  }

  /** A page was loaded in a tab: its token may be another, and it is no longer silent. */
  pageLoaded(id) {
    this.forgetToken();
    this.silent.delete(id);
  }

  /** Is this tab loading a page because the extension wanted it to? */
  loads(id) {
    return this.loading.has(id);
  }

  /** A tab that has loaded a page of this origin. Throws NoTab. */
  async find(origin) {
    const usable = (await this.all(origin)).filter(
      (each) => !each.discarded && !each.frozen && !this.silent.has(each.id),
    );
    const ready = usable.find((each) => each.status === 'complete');
    if (ready) return ready;
    if (usable.length) return this.loaded(usable[0].id, origin);
    return this.renewed(origin);
  }

  /** Our own tab, loaded anew, so that Vinted's own code can renew its session; opened where there
   *  is none that is out of view. Throws NoTab. */
  async renewed(origin) {
    const url = `${origin}/`;
    const own = await this.own(origin);
    const usable = own?.pinned && !own.active && !this.silent.has(own.id);
    const { tabs, storage } = this.browser;
    let tab;
    try {
      if (usable) tab = await tabs.update(own.id, { url });
      else tab = await tabs.create({ url, pinned: true, active: false });
    } catch {
      throw new NoTab('No window of the browser is open.');
    }
    await storage.session.set({ ownTab: tab.id });
    return this.loaded(tab.id, origin);
  }

  /** The tab that was opened here, wherever Vinted has led it since; else a pinned one, of an
   *  earlier run of the browser. */
  async own(origin) {
    const id = await this.ownId();
    const opened = id && await this.browser.tabs.get(id).catch(() => null);
    return opened || (await this.all(origin)).find((each) => each.pinned);
  }

  async ownId() {
    return (await this.browser.storage.session.get('ownTab')).ownTab;
  }

  /** Bring Vinted before the seller's eyes. */
  async show(origin) {
    const [tab] = await this.all(origin);
    if (!tab) return this.browser.tabs.create({ url: `${origin}/` });
    await this.browser.windows.update(tab.windowId, { focused: true });
    await this.browser.tabs.update(tab.id, { active: true });
    return this.browser.tabs.reload(tab.id);
  }

  /** Ours first. */
  async all(origin) {
    const own = await this.ownId();
    const tabs = await this.browser.tabs.query({ url: pattern(origin) });
    return tabs.filter((each) => URL.parse(each.url ?? '')?.origin === origin)
      .sort((one, other) => (other.id === own) - (one.id === own));
  }

  async loaded(id, origin) {
    this.loading.add(id);
    return this.waitFor(id, origin).finally(() => this.loading.delete(id));
  }

  async waitFor(id, origin) {
    const until = Date.now() + LOADING;
    while (Date.now() < until) {
      await new Promise((done) => { setTimeout(done, LOOK); });
      const tab = await this.browser.tabs.get(id).catch(() => null);
      if (!tab) break;
      if (tab.status === 'complete' && URL.parse(tab.url ?? '')?.origin === origin) return tab;
    }
    throw new NoTab('Vinted’s page did not load.');
  }
}

/** What comes of a promise; nothing, where it takes longer. */
function within(milliseconds, promise) {
  let timer;
  const late = new Promise((done) => { timer = setTimeout(done, milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
