// The popup shows what the service worker has written to chrome.storage.session, and asks it.

import { DEFAULTS, VINTED_SITES, isLoopback, pattern, serverOrigin, vintedOrigin } from './settings.js';
import { accountWords, clock, connectionWords, queueWords, resultWords } from './words.js';

const at = (id) => document.getElementById(id);

for (const site of VINTED_SITES) {
  const option = document.createElement('option');
  option.value = site;
  at('sites').append(option);
}

function show(view) {
  const paired = view.connection.state !== 'unpaired';
  const [connection, mood] = connectionWords(view);
  at('connection').textContent = connection;
  at('connection').className = `pill ${mood}`;
  at('pairing').hidden = paired;
  at('paired').hidden = !paired;
  at('problem').textContent = view.connection.detail ?? '';
  at('problem').hidden = !view.connection.detail;
  if (paired) showWork(view);
  else fill(view.settings);
}

function showWork(view) {
  const [account, advice, helps] = accountWords(view);
  at('account').textContent = account;
  at('advice').textContent = advice;
  at('show').hidden = !helps;
  at('look').hidden = !helps;
  [at('waiting').textContent, at('queue').textContent] = queueWords(view);
  at('latest').replaceChildren(...view.latest.map(line));
  at('pause').textContent = view.settings.paused ? 'Go on' : 'Pause';
  at('pause').setAttribute('aria-pressed', String(view.settings.paused));
}

function line(result) {
  const [words, mood] = resultWords(result);
  const item = document.createElement('li');
  const text = document.createElement('span');
  const time = document.createElement('time');
  item.className = mood;
  text.textContent = words;
  time.dateTime = new Date(result.at).toISOString();
  time.textContent = clock(result.at);
  item.append(text, time);
  return item;
}

/** What the seller has typed stays. */
function fill({ server, vinted, device }) {
  at('server').value ||= server;
  at('vinted').value ||= vinted.replace('https://', '');
  at('device').value ||= device;
}

async function ask(message, button) {
  button.disabled = true;
  const answer = await chrome.runtime.sendMessage(message).catch((error) => ({
    error: error.message,
  }));
  button.disabled = false;
  at('problem').textContent = answer?.error ?? '';
  at('problem').hidden = !answer?.error;
}

/** Only an address beyond the defaults needs the seller's permission; Chrome asks for it. */
async function permitted(server, vinted) {
  const origins = [pattern(server)];
  if (isLoopback(vinted)) origins.push(pattern(vinted));
  if (await chrome.permissions.contains({ origins })) return;
  if (!await chrome.permissions.request({ origins })) {
    throw new Error('Without this permission StoFlow cannot be reached.');
  }
}

at('pairing').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = Object.fromEntries(new FormData(at('pairing')));
  try {
    const server = serverOrigin(form.server);
    await permitted(server, vintedOrigin(form.vinted, server));
    await ask({ ask: 'pair', ...form }, event.submitter ?? at('pairing').querySelector('button'));
    at('code').value = '';
  } catch (error) {
    at('problem').textContent = error.message;
    at('problem').hidden = false;
  }
});

at('pause').addEventListener('click', ({ target }) => (
  ask({ ask: target.getAttribute('aria-pressed') === 'true' ? 'resume' : 'pause' }, target)
));
for (const name of ['unpair', 'look', 'show']) {
  at(name).addEventListener('click', ({ target }) => ask({ ask: name }, target));
}

chrome.storage.session.onChanged.addListener(({ view }) => view?.newValue && show(view.newValue));
const { view } = await chrome.storage.session.get('view');
show(view ?? { connection: { state: 'unpaired' }, settings: DEFAULTS });
// Where StoFlow cannot be reached, the popup says so already.
chrome.runtime.sendMessage({ ask: 'status' }).catch(() => {});
