// The service worker. It may be stopped and started by the browser at any moment; while it is
// connected it stays awake, and an alarm wakes it otherwise.

import { Bridge } from './bridge.js';

const AWAKE = 15_000;

const bridge = new Bridge(chrome);
bridge.started().catch((error) => console.error(error));

const whenStarted = (act) => async (...given) => {
  await bridge.started();
  return act(...given);
};

// Events within 30 seconds keep a service worker alive (Chrome 110 and later): the server's pings
// are some, but further apart than is comfortable.
setInterval(() => bridge.socket && chrome.runtime.getPlatformInfo(), AWAKE);

chrome.alarms.create('tick', { periodInMinutes: 0.5 });
chrome.alarms.onAlarm.addListener(whenStarted(() => bridge.tick()));
chrome.runtime.onStartup.addListener(whenStarted(() => bridge.connect()));
chrome.runtime.onInstalled.addListener(whenStarted(() => bridge.connect()));

chrome.tabs.onUpdated.addListener(whenStarted((id, change, tab) => (
  change.status === 'complete' ? bridge.pageLoaded(tab.url, id) : null
)));

chrome.notifications.onClicked.addListener(whenStarted((id) => {
  chrome.notifications.clear(id);
  return bridge.showVinted();
}));

const ASKED = {
  pair: (message) => bridge.pair(message),
  unpair: () => bridge.unpair(),
  pause: () => bridge.setPaused(true),
  resume: () => bridge.setPaused(false),
  look: () => bridge.session.look(bridge.settings.vinted),
  show: () => bridge.showVinted(),
  status: () => bridge.freshStatus(),
};

// Only pages of this extension are listened to: no site, no other extension, no content script.
chrome.runtime.onMessage.addListener((message, sender, reply) => {
  const ours = sender.id === chrome.runtime.id && sender.origin === location.origin;
  if (!ours || !Object.hasOwn(ASKED, message?.ask)) return false;
  whenStarted(ASKED[message.ask])(message)
    .then(() => reply({ done: true }), (error) => reply({ error: error.message }));
  return true;
});
