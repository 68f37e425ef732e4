// This browser's place in a shop of StoFlow: pairing, tokens, refreshing them.

import { claimsOf } from './lease.js';

const REFRESH_AHEAD = 120_000;
const PATIENCE = 20_000;

/** StoFlow said no; `code` is that of its problem. */
export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail || problem.title || `StoFlow answered ${status}.`);
    this.code = problem.code;
    this.status = status;
  }
}

/** There are no tokens (any more): the person has to pair again. */
export class NotPaired extends Error {}

export class Account {
  /** @param storage chrome.storage.local; @param fetch replaced by tests */
  constructor(storage, fetch = (...request) => globalThis.fetch(...request)) {
    this.storage = storage;
    this.fetch = fetch;
    this.ahead = 0;
  }

  /** StoFlow's time in milliseconds: clocks of computers are often wrong. */
  now = () => Date.now() + this.ahead;

  /** Trade a pairing code for tokens. Throws Refused, or TypeError when nobody answers. */
  async pair(server, code, device) {
    const body = { code: code.trim().toUpperCase().replace(/[\s-]/g, ''), device };
    await this.keep(server, await this.post(server, '/api/v1/vinted/pairings/claim', body));
  }

  /** An access token that is good for a while yet. Throws NotPaired. */
  async token() {
    const { tokens } = await this.storage.get('tokens');
    if (!tokens) throw new NotPaired('Pair this browser with StoFlow.');
    if (tokens.expires_at - REFRESH_AHEAD > Date.now()) return tokens.access_token;
    return this.refresh();
  }

  /** Do not trust the access token any longer, whatever it says of itself. */
  async expire() {
    const { tokens } = await this.storage.get('tokens');
    if (tokens) await this.storage.set({ tokens: { ...tokens, expires_at: 0 } });
  }

  /** The shop's number, as the token says it. */
  async shop() {
    return claimsOf(await this.token()).tid;
  }

  /** New tokens. Whoever asks meanwhile waits for the same: a refresh token is good once. */
  refresh() {
    this.refreshing ??= this.exchange().finally(() => { this.refreshing = null; });
    return this.refreshing;
  }

  async exchange() {
    const { tokens } = await this.storage.get('tokens');
    if (!tokens) throw new NotPaired('Pair this browser with StoFlow.');
    const body = { refresh_token: tokens.refresh_token };
    try {
      return await this.keep(tokens.server, await this.post(
        tokens.server, '/api/v1/auth/refresh', body,
      ));
    } catch (error) {
      if (error.status !== 401) throw error;
      await this.forget();
      throw new NotPaired(error.message);
    }
  }

  /** Forget the tokens; StoFlow is told, as far as it can be reached. */
  async unpair() {
    const { tokens } = await this.storage.get('tokens');
    await this.forget();
    if (!tokens) return;
    const headers = { Authorization: `Bearer ${tokens.access_token}` };
    await this.ask(tokens.server, '/api/v1/auth/logout', { method: 'POST', headers })
      .catch(() => {});
  }

  forget() {
    return this.storage.remove('tokens');
  }

  async paired() {
    return Boolean((await this.storage.get('tokens')).tokens);
  }

  async keys() {
    const { tokens } = await this.storage.get('tokens');
    if (!tokens) throw new NotPaired('Pair this browser with StoFlow.');
    return (await this.ask(tokens.server, '/.well-known/jwks.json', {})).json();
  }

  /** How the shop's account at Vinted stands now. */
  async status() {
    const headers = { Authorization: `Bearer ${await this.token()}` };
    const { tokens } = await this.storage.get('tokens');
    return (await this.ask(tokens.server, '/api/v1/vinted/status', { headers })).json();
  }

  async keep(server, answer) {
    const { access_token, refresh_token, expires_in } = answer;
    const expires_at = Date.now() + expires_in * 1000;
    await this.storage.set({ tokens: { server, access_token, refresh_token, expires_at } });
    return access_token;
  }

  async post(server, path, body) {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await this.ask(server, path, {
      method: 'POST', headers, body: JSON.stringify(body),
    });
    return answer.json();
  }

  /** Never from a cache: its Date would set our clock back. */
  async ask(server, path, request) {
    const answer = await this.fetch(`${server}${path}`, {
      ...request, credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(PATIENCE),
    });
    const theirs = Date.parse(answer.headers.get('date'));
    if (theirs) this.ahead = theirs - Date.now();
    if (!answer.ok) throw new Refused(await answer.json().catch(() => ({})), answer.status);
    return answer;
  }
}
