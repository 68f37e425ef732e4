// Stand-ins for what a browser gives.

import { webcrypto } from 'node:crypto';

/** chrome.storage.local or .session; copies in and out, as Chrome does. */
export class FakeStorage {
  constructor(kept = {}) {
    this.kept = structuredClone(kept);
  }

  async get(name) {
    if (name === null) return structuredClone(this.kept);
    return name in this.kept ? { [name]: structuredClone(this.kept[name]) } : {};
  }

  async set(values) {
    if (this.full) throw new Error('the storage is full');
    Object.assign(this.kept, structuredClone(values));
  }

  async remove(names) {
    [names].flat().forEach((each) => delete this.kept[each]);
  }
}

/** A WebSocket whose other end is the test. */
export class FakeWebSocket {
  static all = [];

  static get last() {
    return FakeWebSocket.all.at(-1);
  }

  constructor(url) {
    this.url = url;
    this.sent = [];
    FakeWebSocket.all.push(this);
  }

  send(packet) {
    this.sent.push(packet);
  }

  close() {
    this.closed = true;
  }

  /** The server says something. */
  async says(packet) {
    this.onmessage({ data: packet });
    await settled();
  }

  async opens(hello = { pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 100_000 }) {
    await this.says(`0${JSON.stringify({ sid: 'x', ...hello })}`);
    await this.says('40{"sid":"y"}');
  }

  /** Events this end was sent: [[name, data, id]]. */
  get events() {
    return this.sent.filter((each) => each.startsWith('42')).map((each) => {
      const [, id, json] = /^42(\d*)(.*)$/s.exec(each);
      return [...JSON.parse(json), id];
    });
  }
}

/** Lets everything that is ready happen. */
export async function settled() {
  for (let turn = 0; turn < 40; turn += 1) await new Promise(setImmediate);
}

/** Waits until something has become true; keys are computed in other threads. */
export async function until(holds) {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`It never came true: ${holds}`);
    await new Promise((done) => { setTimeout(done, 2); });
  }
  await settled();
}

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** Signs tokens as StoFlow does, and shows its keys. */
export class Signer {
  static async make(kid = 'k1') {
    const signer = new Signer();
    signer.kid = kid;
    signer.pair = await webcrypto.subtle.generateKey(
      { ...ALGORITHM, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ['sign', 'verify'],
    );
    signer.jwk = { ...await webcrypto.subtle.exportKey('jwk', signer.pair.publicKey), kid };
    return signer;
  }

  async sign(claims, header = {}) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'RS256', kid: this.kid, ...header })}.${part(claims)}`;
    const signature = await webcrypto.subtle.sign(
      ALGORITHM, this.pair.privateKey, Buffer.from(signed),
    );
    return `${signed}.${Buffer.from(signature).toString('base64url')}`;
  }
}

export const SHOP = 7;
export const SITE = 'www.vinted.fr';
export const COMMAND_ID = '0b8f9c52-7a4e-4f55-9d0b-6a2f6d1c3e11';

/** A command as StoFlow sends it, with its lease. */
export async function command(signer, change = {}, claims = {}) {
  const asked = {
    command_id: COMMAND_ID,
    job_id: 12,
    action: 'publish',
    step: 'draft',
    deadline: new Date(Date.now() + 60_000).toISOString(),
    ...change,
    request: {
      site: SITE, method: 'POST', path: '/api/v2/item_upload/drafts', json: { draft: {} },
      ...change.request,
    },
  };
  const { site, method, path } = asked.request;
  const seconds = Math.floor(Date.now() / 1000);
  asked.lease = await signer.sign({
    iss: 'stoflow', tid: SHOP, command: asked.command_id, method, path, site,
    iat: seconds, exp: seconds + 120, ...claims,
  });
  return asked;
}
