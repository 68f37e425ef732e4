// What this browser knows of each command, kept in chrome.storage.local so that it survives the
// end of the service worker at any moment:
//   taken     accepted; nothing has been sent to Vinted
//   begun     the request may have reached Vinted
//   answered  there is a result; `stored` once StoFlow has acknowledged it
// A command that is known is never executed again.

const PREFIX = 'command:';
const KEEP = 500;
const DAY = 24 * 3600 * 1000;
const KEEP_FOR = DAY;
const KEEP_UNTOLD_FOR = 14 * DAY;
const KEEP_CHARACTERS = 2_000_000;

export class Journal {
  constructor(storage, now = Date.now) {
    this.storage = storage;
    this.now = now;
    this.entries = new Map();
  }

  /** Read what is known; what an earlier worker left open gets its result now. */
  async load() {
    const all = await this.storage.get(null);
    this.entries = new Map(Object.entries(all)
      .filter(([key]) => key.startsWith(PREFIX))
      .map(([key, entry]) => [key.slice(PREFIX.length), entry])
      .sort(([, one], [, other]) => one.at - other.at));
    await this.prune();
    for (const [id, { state }] of this.entries) {
      const detail = 'The browser stopped meanwhile.';
      if (state === 'taken') await this.answer(id, { outcome: 'not_sent', detail });
      if (state === 'begun') await this.answer(id, { outcome: 'lost', detail });
    }
  }

  find(id) {
    return this.entries.get(id);
  }

  /** Commands that StoFlow waits for. */
  holding() {
    return [...this.entries].filter(([, entry]) => !entry.stored).map(([id]) => id);
  }

  /** Results that StoFlow has not acknowledged, oldest first. */
  unstored() {
    return [...this.entries.values()]
      .filter((entry) => entry.state === 'answered' && !entry.stored)
      .map((entry) => entry.result);
  }

  /** The last results, newest first, for the popup. */
  latest(count) {
    return [...this.entries.values()].slice(-count).reverse().map((entry) => ({
      at: entry.at,
      action: entry.action,
      step: entry.step,
      state: entry.state,
      outcome: entry.result?.outcome,
      status: entry.result?.status,
      detail: entry.result?.detail,
    }));
  }

  /** Known only once it is written down: a command that is refused may come again. */
  async take({ command_id, lease, action, step }) {
    await this.prune();
    const entry = { state: 'taken', at: this.now(), lease, action, step };
    await this.storage.set({ [PREFIX + command_id]: entry });
    this.entries.set(command_id, entry);
  }

  /** Throws an Error for one that was forgotten meanwhile: nobody is to send it. */
  async begin(id) {
    if (!this.entries.has(id)) throw new Error('This browser works for another shop now.');
    await this.write(id, { ...this.entries.get(id), state: 'begun' });
  }

  /** Keep what came of a command, unless it was forgotten meanwhile. */
  async answer(id, outcome) {
    const entry = this.entries.get(id);
    if (!entry) return;
    const result = { command_id: id, lease: entry.lease, ...outcome };
    await this.write(id, { ...entry, state: 'answered', result });
  }

  /** StoFlow asks for a command that it has had the result of. */
  async tellAgain(id) {
    const entry = this.entries.get(id);
    if (entry.stored) await this.write(id, { ...entry, stored: false });
  }

  async stored(id) {
    if (!this.entries.has(id)) return;
    await this.write(id, { ...this.entries.get(id), stored: true });
  }

  /** Everything: it is no business of the shop that this browser works for from now on. */
  async forget() {
    const ids = [...this.entries.keys()];
    this.entries.clear();
    await this.storage.remove(ids.map((id) => PREFIX + id));
  }

  async write(id, entry) {
    this.entries.set(id, entry);
    await this.storage.set({ [PREFIX + id]: entry });
  }

  /** What StoFlow has goes after a day, or beyond the newest, the bodies of it sooner; what it never
   *  took goes after two weeks. */
  async prune() {
    let kept = 0;
    let characters = 0;
    const gone = [];
    for (const [id, entry] of [...this.entries].reverse()) {
      kept += 1;
      characters += entry.result?.body?.length ?? 0;
      const old = this.now() - entry.at > (entry.stored ? KEEP_FOR : KEEP_UNTOLD_FOR);
      if (old || (kept > KEEP && entry.stored)) gone.push(id);
      else if (entry.stored && characters > KEEP_CHARACTERS && entry.result.body) {
        await this.write(id, { ...entry, result: { ...entry.result, body: '', truncated: true } });
      }
    }
    gone.forEach((id) => this.entries.delete(id));
    if (gone.length) await this.storage.remove(gone.map((id) => PREFIX + id));
  }
}
