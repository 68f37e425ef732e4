// Photos come straight from StoFlow's object store, by a signed address that is good for a while.

import { isLoopback } from './settings.js';

const PATIENCE = 60_000;
const LARGEST = 20_000_000;

/** The photo's bytes as base64; throws an Error in plain words. */
export async function fetchPhoto(photo, server, fetch = globalThis.fetch) {
  const url = new URL(photo.url);
  if (url.protocol !== 'https:' && !(isLoopback(url.origin) && isLoopback(server))) {
    throw new Error('The photo’s address is not https.');
  }
  const answer = await fetch(url, { credentials: 'omit', signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) throw new Error(`The photo could not be fetched (${answer.status}).`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length > LARGEST) throw new Error('The photo is too large.');
  if (await sha256(bytes) !== photo.sha256) throw new Error('The photo is not the one expected.');
  return base64(bytes);
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (each) => each.toString(16).padStart(2, '0')).join('');
}

function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
