// Which StoFlow and which Vinted this browser works for. Both are origins, such as
// "https://www.vinted.fr". Anything but https is refused, apart from this very computer.

export const VINTED_SITES = [
  'www.vinted.at', 'www.vinted.be', 'www.vinted.co.uk', 'www.vinted.com', 'www.vinted.cz',
  'www.vinted.de', 'www.vinted.dk', 'www.vinted.ee', 'www.vinted.es', 'www.vinted.fi',
  'www.vinted.fr', 'www.vinted.gr', 'www.vinted.hr', 'www.vinted.hu', 'www.vinted.ie',
  'www.vinted.it', 'www.vinted.lt', 'www.vinted.lu', 'www.vinted.lv', 'www.vinted.nl',
  'www.vinted.pl', 'www.vinted.pt', 'www.vinted.ro', 'www.vinted.se', 'www.vinted.si',
  'www.vinted.sk',
];

export const DEFAULTS = {
  server: 'https://api.stoflow.com',
  vinted: 'https://www.vinted.fr',
  device: 'Browser extension',
};

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

export function isLoopback(origin) {
  return LOOPBACK.has(new URL(origin).hostname);
}

/** The origin of StoFlow's API as a person typed it; throws an Error in plain words. */
export function serverOrigin(typed) {
  const url = parsed(typed, 'StoFlow');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.origin))) {
    return url.origin;
  }
  throw new Error('The address of StoFlow must begin with https://.');
}

/** The origin of Vinted; a site on this computer only together with a StoFlow on it. */
export function vintedOrigin(typed, server) {
  const url = parsed(typed, 'Vinted');
  const vinted = url.protocol === 'https:' && !url.port && VINTED_SITES.includes(url.hostname);
  if (vinted || (isLoopback(url.origin) && isLoopback(server))) return url.origin;
  throw new Error('This is none of Vinted’s sites.');
}

function parsed(typed, whose) {
  const text = String(typed ?? '').trim();
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    throw new Error(`The address of ${whose} cannot be read.`);
  }
  return url;
}

/** A pattern for chrome.permissions and chrome.tabs; patterns know no ports. */
export function pattern(origin) {
  const { protocol, hostname } = new URL(origin);
  return `${protocol}//${hostname}/*`;
}
