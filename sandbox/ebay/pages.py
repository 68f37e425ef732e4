"""The few HTML pages a seller sees."""

from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1.25rem;margin-right:.5rem}"
    "input{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}"
    ".wrong{color:#b00020}code{overflow-wrap:anywhere}"
)


def consent_page(query: dict[str, str], sellers: list[str], wrong: str = "") -> str:
    """Sign-in and consent in one form, posted to `/oauth2/consent`."""
    carried = "".join(
        f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""))}">'
        for name in ("client_id", "redirect_uri", "scope", "state")
    )
    known = "".join(f'<option value="{escape(name)}">' for name in sellers)
    asked = "".join(
        f"<li><code>{escape(scope)}</code></li>" for scope in query.get("scope", "").split()
    )
    complaint = f'<p class="wrong">{escape(wrong)}</p>' if wrong else ""
    return _page(
        "Sandbox eBay: sign in and agree",
        f"""<p><b>{escape(query.get("client_id", ""))}</b> asks to act for you:</p>
<ul>{asked}</ul>{complaint}
<form method="post" action="/oauth2/consent">{carried}
<p><label>User name (a new name opens a new account)
<input name="user" list="sellers" value="{escape(query.get("user", "TESTUSER_seller"))}"
 autocomplete="off" required></label></p>
<datalist id="sellers">{known}</datalist>
<button name="decision" value="agree">Agree and continue</button>
<button name="decision" value="decline" formnovalidate>Decline</button>
</form>""",
    )


def refusal_page(code: str) -> str:
    """Shown instead of a redirect when it is not known where to redirect to."""
    return _page(
        "Sandbox eBay: this cannot be",
        f"<p>The application's client_id or RuName is wrong: <code>{escape(code)}</code>.</p>",
    )


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{content}</html>"
    )
