// A lease is a signed permission for one request: an RS256 JWT of StoFlow's own key, which
// anybody can verify with /.well-known/jwks.json.

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** What is wrong with a lease; `reason` is a word of the protocol's CommandAck. */
export class LeaseRefused extends Error {
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

export class Leases {
  /** @param fetchKeys asks for the JSON Web Key Set; @param now StoFlow's time in milliseconds */
  constructor(fetchKeys, now) {
    this.fetchKeys = fetchKeys;
    this.now = now;
    this.keys = new Map();
  }

  /** Throws LeaseRefused unless the lease is genuine, in force, and for exactly this command. */
  async check(command, shop) {
    const { header, claims, signed, signature } = decoded(command.lease);
    if (header.alg !== 'RS256') throw new LeaseRefused('bad_lease', 'The lease is not RS256.');
    const key = await this.keyOf(header.kid);
    if (!await crypto.subtle.verify(ALGORITHM, key, signature, signed)) {
      throw new LeaseRefused('bad_lease', 'The signature of the lease is wrong.');
    }
    const asked = {
      command: command.command_id,
      method: command.request.method,
      path: command.request.path,
      site: command.request.site,
      tid: shop,
    };
    for (const [name, value] of Object.entries(asked)) {
      if (claims[name] !== value) {
        throw new LeaseRefused('bad_lease', `The lease is for another ${name}.`);
      }
    }
    if (typeof claims.exp !== 'number') throw new LeaseRefused('bad_lease', 'It never ends.');
    if (claims.exp * 1000 <= this.now()) throw new LeaseRefused('expired', 'The lease has ended.');
  }

  async keyOf(kid) {
    if (!this.keys.has(kid)) {
      const { keys } = await this.fetchKeys();
      this.keys = new Map(await Promise.all(keys.filter((each) => each.kty === 'RSA').map(
        async (each) => [
          each.kid, await crypto.subtle.importKey('jwk', each, ALGORITHM, false, ['verify']),
        ],
      )));
    }
    const key = this.keys.get(kid);
    if (!key) throw new LeaseRefused('bad_lease', 'StoFlow knows no such key.');
    return key;
  }
}

/** The claims of a token of ours, without looking at its signature. */
export function claimsOf(token) {
  return decoded(token).claims;
}

function decoded(token) {
  try {
    const [header, claims, signature] = token.split('.');
    return {
      header: JSON.parse(text(header)),
      claims: JSON.parse(text(claims)),
      signed: new TextEncoder().encode(`${header}.${claims}`),
      signature: bytes(signature),
    };
  } catch {
    throw new LeaseRefused('bad_lease', 'The lease cannot be read.');
  }
}

function bytes(base64url) {
  const base64 = base64url.replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
}

function text(base64url) {
  return new TextDecoder().decode(bytes(base64url));
}
