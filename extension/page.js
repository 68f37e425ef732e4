// Runs inside the seller's Vinted tab, in the isolated world of a content script: its requests are
// the page's own, with the page's cookies. chrome.scripting hands over the function's text, so
// everything it uses is inside it.

/**
 * Make one request and say what came of it.
 * @param asked  {method, path, query, json, photo: {content_type, fields, base64}, patience, until,
 *   csrf}; `until` is the last moment to send it, by the clock of this computer
 * @returns {sent, status, content_type, retry_after, body, challenged, detail, csrf}; `sent` is
 *   false when nothing has left the browser, `status` is null when no answer came, `csrf` is the
 *   token that a write was sent with.
 */
export async function askVinted(asked) {
  const notSent = (detail, more) => ({ sent: false, status: null, detail, ...more });

  function isChallenge(answer, body) {
    const html = (answer.headers.get('content-type') ?? '').includes('text/html');
    if (answer.status === 403) {
      return body.includes('captcha-delivery') || html
        || answer.headers.has('x-datadome') || answer.headers.has('cf-mitigated');
    }
    return answer.ok && body.trim() !== '' && !isJson(body);
  }

  function isJson(body) {
    try {
      JSON.parse(body);
      return true;
    } catch {
      return false;
    }
  }

  const tokenIn = (html) => (
    /\\?"CSRF_TOKEN\\?"\s*:\s*\\?"([0-9a-f-]{36})/i.exec(html)?.[1]
    ?? /<meta[^>]+name="csrf-token"[^>]+content="([^"]+)"/i.exec(html)?.[1]
  );

  /** Each session has one; a page that was loaded before the seller signed in has an old one. */
  async function csrfToken() {
    if (asked.csrf) return { token: asked.csrf };
    const signal = AbortSignal.timeout(Math.ceil(asked.patience / 3));
    const page = await fetch('/items/new', { credentials: 'same-origin', signal });
    const html = await page.text();
    const token = tokenIn(html);
    const blocked = !token && (html.includes('captcha-delivery') || page.headers.has('x-datadome')
      || page.headers.has('cf-mitigated'));
    return { token, blocked, status: page.status };
  }

  function form({ content_type, fields, base64 }) {
    const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    data.append('photo[file]', new Blob([bytes], { type: content_type }), 'photo.jpg');
    return data;
  }

  if (!navigator.onLine) return notSent('This computer is offline.');
  const url = new URL(asked.path, location.origin);
  if (url.origin !== location.origin || url.pathname !== asked.path) {
    return notSent('The path is not a plain one.');
  }
  for (const [name, value] of Object.entries(asked.query ?? {})) {
    url.searchParams.append(name, value);
  }

  const headers = { Accept: 'application/json, text/plain, */*' };
  const anonymous = /(?:^|; )anon_id=([^;]+)/.exec(document.cookie)?.[1];
  if (anonymous) headers['X-Anon-Id'] = decodeURIComponent(anonymous);
  let body;
  let csrf;
  if (asked.method !== 'GET') {
    csrf = await csrfToken().catch(() => ({}));
    if (csrf.blocked) {
      return notSent('Vinted wants to see a person.', { challenged: true, page_status: csrf.status });
    }
    if (!csrf.token) return notSent('The page of Vinted shows no CSRF token.');
    headers['X-CSRF-Token'] = csrf.token;
    if (asked.photo) body = form(asked.photo);
    else if (asked.json !== null && asked.json !== undefined) {
      body = JSON.stringify(asked.json);
      headers['Content-Type'] = 'application/json';
    }
  }

  if (Date.now() >= asked.until) return notSent('It was too late to send it.');
  try {
    const answer = await fetch(url, {
      method: asked.method,
      headers,
      body,
      credentials: 'same-origin',
      redirect: 'manual',
      signal: AbortSignal.timeout(asked.patience),
    });
    if (answer.type === 'opaqueredirect') {
      return { sent: true, status: 302, body: '', detail: 'Vinted led to another page.' };
    }
    const text = await answer.text();
    return {
      sent: true,
      status: answer.status,
      content_type: answer.headers.get('content-type'),
      retry_after: answer.headers.get('retry-after'),
      body: text,
      challenged: isChallenge(answer, text),
      csrf: csrf?.token,
    };
  } catch (error) {
    return { sent: true, status: null, detail: `No answer came: ${error.message}` };
  }
}
