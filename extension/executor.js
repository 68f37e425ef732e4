// Executes commands, one at a time. A command is looked at with suspicion, written down before
// anything is sent, sent once, and never again.

import { isAllowed } from './allowed.js';
import { LeaseRefused } from './lease.js';
import { fetchPhoto } from './photos.js';

const PATIENCE = 60_000;
const LONGEST_BODY = 200_000;

export class Executor {
  /**
   * @param parts {journal, leases, account, session, tab, fetchPhoto?}
   * @param settings gives {server, vinted, paused}
   * @param told {challenged(command, status), result()}: async
   */
  constructor(parts, settings, told) {
    Object.assign(this, { fetchPhoto }, parts);
    this.settings = settings;
    this.told = told;
    this.current = null;
  }

  /** The answer to execute_job: {taken: true}, or {refused, detail} and nothing was done. */
  async take(command) {
    if (this.current?.id === command.command_id) return this.current.taking;
    if (this.journal.find(command.command_id)) return this.repeat(command.command_id);
    if (this.current) return { refused: 'busy', detail: `Busy with: ${this.current.step}.` };
    const current = { id: command.command_id, step: command.step };
    this.current = current;
    current.taking = this.begin(command).catch(
      (error) => refused('busy', `It cannot be taken now: ${error.message}`),
    );
    const answer = await current.taking;
    if (!answer.taken) this.current = null;
    return answer;
  }

  /** A command that is known is not executed; what came of it is told again. */
  async repeat(id) {
    await this.journal.tellAgain(id);
    this.told.result();
    return { taken: true };
  }

  async begin(command) {
    const refusal = await this.refusal(command);
    if (refusal) return refusal;
    await this.journal.take(command);
    this.perform(command).catch(complain).then(() => {
      this.current = null;
      return this.told.result();
    }).catch(complain);
    return { taken: true };
  }

  async refusal(command) {
    const { method, path, site } = command.request;
    if (this.settings().paused) return refused('paused', 'The seller has paused this browser.');
    if (!isAllowed(method, path)) {
      return refused('not_allowed', `${method} ${path} is not on the list.`);
    }
    if (site !== new URL(this.settings().vinted).host) {
      return refused('not_allowed', `This browser works for ${this.settings().vinted}.`);
    }
    if (this.session.blocked) {
      return refused('no_session', `At Vinted the seller is: ${this.session.known.state}.`);
    }
    try {
      await this.leases.check(command, await this.account.shop());
    } catch (error) {
      if (error instanceof LeaseRefused) return refused(error.reason, error.message);
      return refused('busy', `The lease cannot be verified now: ${error.message}`);
    }
    // Last, for the keys of the lease bring StoFlow's time with them.
    return this.isLate(command) ? refused('expired', 'The deadline has passed.') : null;
  }

  isLate(command) {
    return !(Date.parse(command.deadline) > this.account.now());
  }

  /** What came of it is written down before anything else happens, as far as there is room. */
  async perform(command) {
    const answer = await this.answer(command);
    await this.journal.answer(command.command_id, outcomeOf(answer)).catch(complain);
    await this.heed(command, answer);
  }

  /** Of the shape that askVinted describes. */
  async answer(command) {
    const { server, vinted } = this.settings();
    let request;
    let tab;
    try {
      request = await this.prepared(command, server);
      tab = await this.tab.find(vinted);
      if (this.isLate(command)) return notSent('The deadline has passed.');
      if (this.settings().paused) return notSent('The seller has paused this browser.');
      await this.journal.begin(command.command_id);
    } catch (error) {
      return notSent(error.message);
    }
    return this.tab.ask(tab, request).catch(
      (error) => ({ sent: true, status: null, detail: error.message }),
    );
  }

  async prepared(command, server) {
    const { method, path, query, json, photo } = command.request;
    const until = Date.parse(command.deadline) - this.account.now() + Date.now();
    const asked = { method, path, query: query ?? {}, json: json ?? null, patience: PATIENCE, until };
    if (!photo) return asked;
    const { content_type, fields } = photo;
    const base64 = await this.fetchPhoto(photo, server);
    return { ...asked, photo: { content_type, fields, base64 } };
  }

  /** An answer may show that the seller is challenged or signed out. */
  async heed(command, answer) {
    const { vinted } = this.settings();
    if (answer.challenged) {
      await this.session.challenged(vinted);
      await this.told.challenged(command, answer.status ?? answer.page_status ?? null);
    } else if (answer.status === 401) this.session.look(vinted);
    else if (answer.status === 403) this.tab.forgetToken();
  }
}

function complain(error) {
  console.error(error);
}

function notSent(detail) {
  return { sent: false, status: null, detail };
}

function refused(reason, detail) {
  return { refused: reason, detail: detail.slice(0, 500) };
}

function outcomeOf(answer) {
  const detail = answer.detail?.slice(0, 500) ?? null;
  if (!answer.sent) return { outcome: 'not_sent', detail };
  if (answer.status === null) return { outcome: 'lost', detail };
  return {
    outcome: 'answered',
    status: answer.status,
    content_type: answer.content_type?.slice(0, 200) ?? null,
    retry_after: answer.retry_after?.slice(0, 100) ?? null,
    ...cut(answer.body, LONGEST_BODY),
    challenged: Boolean(answer.challenged),
    detail,
  };
}

function cut(body, length) {
  return { body: body.slice(0, length).toWellFormed(), truncated: body.length > length };
}

/** The result, its body cut so that the message stays below what the server takes. */
export function fitting(result, bytes) {
  const size = (each) => new TextEncoder().encode(JSON.stringify(each)).length;
  let fit = result;
  while (size(fit) > bytes && fit.body) {
    const length = Math.floor(fit.body.length * Math.min(0.9, bytes / size(fit)));
    fit = { ...fit, ...cut(fit.body, length), truncated: true };
  }
  return fit;
}
