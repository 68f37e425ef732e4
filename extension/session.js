// How the seller stands at Vinted: signed_in, signed_out, challenged (Vinted asks for proof of a
// person) or unreachable. While challenged nothing is asked of Vinted by itself: only a page that
// the seller has opened is a reason to look again.

import { NoTab } from './tab.js';

const PATIENCE = 20_000;
const FRESH = 60_000;
const BETWEEN_RENEWALS = 600_000;

const CURRENT_USER = { method: 'GET', path: '/api/v2/users/current', patience: PATIENCE };

export class VintedSession {
  /** @param changed told of every look: (session) */
  constructor(storage, tab, changed, now = Date.now) {
    this.storage = storage;
    this.tab = tab;
    this.changed = changed;
    this.now = now;
    this.renewedAt = -Infinity;
    this.known = { state: 'unreachable' };
  }

  async load() {
    this.known = (await this.storage.get('session')).session ?? this.known;
  }

  /** From now on it is another Vinted. */
  async forget() {
    this.known = { state: 'unreachable' };
    await this.storage.remove('session');
  }

  /** May commands be executed? When nothing is known yet, the request itself will tell. */
  get blocked() {
    return ['challenged', 'signed_out'].includes(this.known.state);
  }

  /** Ask Vinted who is signed in. Whoever asks meanwhile waits for the same answer. */
  look(origin) {
    this.looking ??= this.whoIsThere(origin)
      .then((found) => this.set(origin, found))
      .finally(() => { this.looking = null; });
    return this.looking;
  }

  /** At a connect: what is known counts while the seller is challenged. */
  async atConnect(origin) {
    if (this.known.state === 'challenged') await this.changed(this.known);
    else await this.look(origin);
  }

  /** A page of Vinted was loaded; what was asked before says nothing of it. What is known counts
   *  for a minute, as long as StoFlow has not found something else. */
  async pageLoaded(origin, agreed = true) {
    await this.looking?.catch(() => {});
    const fresh = agreed && this.now() - (this.known.checked_at ?? 0) < FRESH;
    if (this.known.state !== 'signed_in' || !fresh) await this.look(origin);
  }

  /** Time has passed: where Vinted was not reached, it may be by now. */
  async lookAgain(origin) {
    const { state, checked_at = 0 } = this.known;
    if (state === 'unreachable' && this.now() - checked_at >= FRESH) await this.look(origin);
  }

  /** An answer showed a challenge. */
  challenged(origin) {
    const { vinted_user_id, login } = this.known;
    return this.set(origin, { state: 'challenged', vinted_user_id, login });
  }

  async set(origin, found) {
    this.known = { ...found, site: new URL(origin).host, checked_at: this.now() };
    await Promise.all([this.storage.set({ session: this.known }), this.changed(this.known)]);
    return this.known;
  }

  async whoIsThere(origin) {
    try {
      const tab = await this.tab.find(origin);
      const answer = await this.tab.ask(tab, CURRENT_USER);
      if (answer.status !== 401 || this.now() - this.renewedAt < BETWEEN_RENEWALS) {
        return read(answer);
      }
      this.renewedAt = this.now();
      return read(await this.tab.ask(await this.tab.renewed(origin), CURRENT_USER));
    } catch (error) {
      return { state: 'unreachable', detail: error instanceof NoTab ? error.message : undefined };
    }
  }
}

function read(answer) {
  if (answer.challenged) return { state: 'challenged' };
  if (answer.status === 401 || answer.status === 403) return { state: 'signed_out' };
  if (answer.status !== 200) return { state: 'unreachable' };
  const { user } = JSON.parse(answer.body);
  if (!user?.id) return { state: 'signed_out' };
  return { state: 'signed_in', vinted_user_id: String(user.id), login: user.login ?? null };
}
