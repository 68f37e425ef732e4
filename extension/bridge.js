// Ties the parts together: StoFlow on one side, the seller's Vinted tab on the other.

import { Account, NotPaired } from './account.js';
import { Executor, fitting } from './executor.js';
import { Journal } from './journal.js';
import { Leases } from './lease.js';
import { VintedSession } from './session.js';
import { DEFAULTS, serverOrigin, vintedOrigin } from './settings.js';
import { Socket, Unanswered } from './socket.js';
import { VintedTab } from './tab.js';

const EVICTED_FOR = 60_000;
const SHOP_CLOSED_FOR = 300_000;
const ROOM = 500;
/** How StoFlow may see the seller stand at Vinted where a page that is loaded says more. */
const DOUBTFUL = ['challenged', 'signed_out', 'wrong_account', 'unreachable'];
/** Problems that the same result would meet again, however often it is told. */
const NOT_WANTED = ['lease-refused', 'command-not-found', 'bad-input'];

export class Bridge {
  /** @param browser the `chrome` object; @param options replaced by tests: {fetch, WebSocket} */
  constructor(browser, options = {}) {
    const { local } = browser.storage;
    this.browser = browser;
    this.options = options;
    /** `missed`: was a page of Vinted loaded while paused? */
    this.settings = { ...DEFAULTS, paused: false, missed: false };
    this.connection = { state: 'unpaired' };
    this.status = null;
    /** Is there something of the session that StoFlow has not taken note of? */
    this.untold = true;
    this.account = new Account(local, options.fetch);
    this.tab = new VintedTab(browser);
    this.journal = new Journal(local);
    this.session = new VintedSession(local, this.tab, () => this.tellSession());
    this.executor = new Executor(
      {
        journal: this.journal,
        leases: new Leases(() => this.account.keys(), this.account.now),
        account: this.account,
        session: this.session,
        tab: this.tab,
      },
      () => this.settings,
      {
        challenged: (command, status) => this.tellChallenge(command, status),
        result: () => this.deliver(),
      },
    );
  }

  /** Once in the life of a service worker; where it fails, whoever asks next has it tried anew. */
  started() {
    this.starting ??= this.start().catch((error) => {
      this.starting = null;
      throw error;
    });
    return this.starting;
  }

  /** Read what is stored and connect. */
  async start() {
    const { settings } = await this.browser.storage.local.get('settings');
    this.settings = { ...this.settings, ...settings };
    await this.session.load();
    await this.journal.load();
    await this.connect();
  }

  async connect() {
    if (!await this.account.paired()) {
      await this.show({ state: 'unpaired' });
      return;
    }
    this.socket ??= this.newSocket();
    if (!this.socket.open && this.connection.state !== 'connecting') {
      await this.show({ state: 'connecting' });
    }
    this.socket.connect();
  }

  newSocket() {
    return new Socket({
      url: this.settings.server,
      WebSocket: this.options.WebSocket,
      auth: () => this.greeting(),
      refused: (problem) => this.refused(problem),
      disconnected: () => this.show({ state: 'connecting' }),
      on: {
        ready: () => this.ready(),
        execute_job: (command) => this.execute(command),
        vinted_connection_status: (status) => this.heard(status),
        auth_expired: () => this.retryWithNewToken(),
        signed_out: ({ detail }) => this.endPairing(detail),
        shop_closed: ({ detail }) => this.comeBackLater(detail, SHOP_CLOSED_FOR),
        evicted: ({ detail }) => this.comeBackLater(detail, EVICTED_FOR),
      },
    });
  }

  async greeting() {
    try {
      this.token = await this.account.token();
    } catch (error) {
      if (error instanceof NotPaired) await this.endPairing(error.message);
      throw error;
    }
    const { version } = this.browser.runtime.getManifest();
    return { token: this.token, client: 'extension', device: this.settings.device, version };
  }

  /** A connect was refused; the socket tries again by itself unless this answers false. */
  refused({ message, data } = {}) {
    if (data?.code === 'signed-out') {
      this.endPairing(data.detail);
      return false;
    }
    if (data?.code === 'unauthenticated') this.account.expire();
    this.show({ state: 'connecting', detail: data?.detail ?? message });
    return true;
  }

  async ready() {
    this.untold = true;
    await this.show({ state: 'connected' });
    this.deliver();
    if (!this.settings.paused) await this.session.atConnect(this.settings.vinted);
    else await this.tellSession();
  }

  async retryWithNewToken() {
    await this.account.expire();
    this.socket?.reconnect(0);
  }

  async comeBackLater(detail, delay) {
    this.socket?.reconnect(delay);
    await this.show({ state: 'connecting', detail });
  }

  /** The pairing is over, on whichever side it ended. */
  async endPairing(detail) {
    this.hangUp();
    await this.account.forget();
    this.status = null;
    await this.show({ state: 'unpaired', detail });
  }

  hangUp() {
    this.socket?.disconnect();
    this.socket = null;
  }

  async execute(command) {
    const answer = await this.executor.take(command);
    await this.publish();
    return answer;
  }

  async heard(status) {
    if (!status || status.problem) return;
    this.status = status;
    await this.publish();
  }

  /** Send every result that StoFlow has not acknowledged. */
  async deliver() {
    this.more = true;
    if (this.delivering) return;
    this.delivering = true;
    try {
      while (this.more) {
        this.more = false;
        await this.sendResults();
      }
    } catch (error) {
      unlessUnanswered(error);
    } finally {
      this.delivering = false;
    }
    await this.publish();
  }

  async sendResults() {
    for (const result of this.journal.unstored()) {
      if (!this.socket?.open) return;
      const message = fitting(result, this.socket.maxPayload - ROOM);
      const answer = await this.socket.emit('job_result', message);
      const done = answer?.stored || NOT_WANTED.includes(answer?.problem?.code);
      if (done) await this.journal.stored(result.command_id);
    }
  }

  /** What StoFlow does not take note of is told again at the next tick. */
  async tellSession() {
    this.untold = true;
    await this.publish();
    if (!this.socket?.open) return;
    this.untold = false;
    const answer = await this.socket.emit('vinted_session_update', this.sessionUpdate())
      .catch(unlessUnanswered);
    if (!answer || answer.problem) this.untold = true;
    await this.heard(answer);
  }

  sessionUpdate() {
    const { state, site, vinted_user_id, login } = this.session.known;
    return {
      state: this.settings.paused ? 'paused' : state,
      site: site ?? new URL(this.settings.vinted).host,
      vinted_user_id: vinted_user_id ?? null,
      login: login ?? null,
      holding: this.journal.holding().slice(-100),
    };
  }

  async tellChallenge(command, status) {
    const challenge = { command_id: command.command_id, site: command.request.site, status };
    await this.socket?.emit('datadome_detected', challenge)
      .then((answer) => this.heard(answer), unlessUnanswered);
    await this.browser.notifications.create('challenge', {
      type: 'basic',
      iconUrl: 'icons/128.png',
      title: 'Vinted wants to see you',
      message: 'StoFlow has stopped. Open Vinted, show that you are a person, and it goes on.',
    });
  }

  /** Now and then: reconnect, bring a new token before the old one ends, send what is left, and
   *  see whether Vinted can be reached again. */
  async tick() {
    await this.connect();
    if (!this.socket?.open) return;
    const token = await this.account.token().catch(() => this.token);
    if (token !== this.token) {
      this.token = token;
      const answer = await this.socket.emit('authenticate', { token }).catch(unlessUnanswered);
      if (answer?.problem) this.socket?.reconnect(0);
    }
    await this.deliver();
    if (this.untold && !this.session.looking) await this.tellSession();
    if (!this.settings.paused) await this.session.lookAgain(this.settings.vinted);
  }

  /** The seller may have signed in, or out, or shown to be a person. */
  pageLoaded(url, id) {
    if (URL.parse(url ?? '')?.origin !== this.settings.vinted) return null;
    this.tab.pageLoaded(id);
    if (this.tab.loads(id)) return null;
    if (this.settings.paused) return this.change({ missed: true });
    return this.session.pageLoaded(this.settings.vinted, !DOUBTFUL.includes(this.status?.state));
  }

  showVinted() {
    return this.tab.show(this.settings.vinted);
  }

  // What the popup asks for.

  /** Throws an Error in plain words. */
  async pair({ code, server, vinted, device }) {
    const origin = serverOrigin(server);
    const change = { server: origin, vinted: vintedOrigin(vinted, origin) };
    if (device?.trim()) change.device = device.trim().slice(0, 80);
    this.hangUp();
    await this.account.pair(origin, code, change.device ?? this.settings.device);
    change.shop = await this.account.shop();
    const { server: before, shop } = this.settings;
    if (before !== origin || shop !== change.shop) await this.journal.forget();
    if (this.settings.vinted !== change.vinted) await this.session.forget();
    await this.change(change);
    await this.connect();
  }

  /** What waits, and until when, is told only when something else changes: asked for here. */
  async freshStatus() {
    if (!await this.account.paired()) return;
    const found = await this.account.status();
    // Its `executor` says whether any browser works, not whether this one does.
    await this.heard({ ...found, executor: this.status?.executor ?? found.executor });
  }

  async unpair() {
    this.hangUp();
    await this.account.unpair();
    await this.endPairing();
  }

  /** A page that was loaded meanwhile is looked at afterwards. */
  async setPaused(paused) {
    const { missed } = this.settings;
    await this.change({ paused, missed: false });
    const known = this.session.known.state === 'challenged' && !missed;
    if (paused || known) await this.tellSession();
    else await this.session.look(this.settings.vinted);
  }

  async change(settings) {
    this.settings = { ...this.settings, ...settings };
    await this.browser.storage.local.set({ settings: this.settings });
  }

  // What the seller sees.

  async show(connection) {
    this.connection = connection;
    await this.publish();
  }

  async publish() {
    const { server, vinted, device, paused } = this.settings;
    const view = {
      connection: this.connection,
      session: this.session.known,
      status: this.status,
      settings: { server, vinted, device, paused },
      busy: this.executor.current?.step ?? null,
      latest: this.journal.latest(8),
    };
    await this.browser.storage.session.set({ view });
    const badge = this.badge();
    await this.browser.action.setBadgeText({ text: badge.text });
    await this.browser.action.setBadgeBackgroundColor({ color: badge.color });
  }

  badge() {
    if (this.connection.state === 'unpaired') return { text: '', color: '#6b7280' };
    if (this.session.known.state === 'challenged') return { text: '!', color: '#c2410c' };
    if (this.session.known.state === 'signed_out') return { text: '?', color: '#c2410c' };
    if (this.settings.paused) return { text: '||', color: '#6b7280' };
    return { text: '', color: '#0f766e' };
  }
}

function unlessUnanswered(error) {
  if (!(error instanceof Unanswered)) throw error;
}
