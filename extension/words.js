// What the popup says, from what the bridge knows.

export function connectionWords({ connection, session, settings }) {
  if (connection.state === 'unpaired') return ['Not paired', 'warn'];
  if (connection.state !== 'connected') return ['Connecting …', 'warn'];
  if (settings.paused) return ['Paused', 'warn'];
  return session.state === 'challenged' ? ['Stopped', 'warn'] : ['Connected', 'good'];
}

/** [what, advice, does it help to open Vinted] */
export function accountWords({ session, settings, status }) {
  const site = new URL(settings.vinted).host;
  if (status?.site && status.site !== site) {
    return ['Another Vinted', `Your shop sells on ${status.site}, this browser works at ${site}.`, false];
  }
  if (session.state === 'signed_in') return [session.login ?? 'Signed in', site, false];
  if (session.state === 'signed_out') {
    return ['Signed out', `Sign in at ${site}, then StoFlow goes on.`, true];
  }
  if (session.state === 'challenged') {
    return [
      'Vinted wants to see you',
      `Everything has stopped. Open ${site}, show that you are a person, and it goes on by itself.`,
      true,
    ];
  }
  return ['Vinted cannot be reached', session.detail ?? `Open ${site} in a tab.`, true];
}

/** [how many, the rest] */
export function queueWords({ status, busy, settings }) {
  const waiting = status?.waiting ?? 0;
  const many = waiting === 0 ? 'Nothing' : `${waiting} ${waiting === 1 ? 'job' : 'jobs'}`;
  const rest = [];
  if (busy) rest.push(`Now: ${busy}.`);
  if (settings.paused) rest.push('You have paused this browser.');
  else if (status?.reason) rest.push(status.reason);
  else if (status && !status.executor) rest.push('Another browser of yours is doing the work.');
  if (status?.next_at && !busy) rest.push(`Next at ${clock(status.next_at)}.`);
  return [many, rest.join(' ')];
}

/** [sentence, good | bad | open] */
export function resultWords({ action, step, state, outcome, status, detail }) {
  const what = `${sentence(action)}, ${step}`;
  if (state !== 'answered') return [`${what}: under way`, 'open'];
  if (outcome === 'answered') {
    if (status < 300) return [`${what}: done`, 'good'];
    return [`${what}: Vinted answered ${status}`, 'bad'];
  }
  if (outcome === 'not_sent') return [`${what}: not sent. ${detail ?? ''}`.trim(), 'bad'];
  return [`${what}: no answer came; StoFlow will look`, 'bad'];
}

export function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1).replaceAll('_', ' ');
}
