"""The few HTML pages a seller sees."""

from html import escape

from sandbox.pages import hidden_fields, html_page, scope_list, sign_in_fields

CARRIED = ("client_id", "redirect_uri", "scope", "state")


def consent_page(query: dict[str, str], sellers: list[str], wrong: str = "") -> str:
    """Sign-in and consent in one form, posted to `/oauth2/consent`."""
    carried = hidden_fields({name: query.get(name, "") for name in CARRIED})
    fields = sign_in_fields(sellers, query.get("user", "TESTUSER_seller"), wrong)
    return html_page(
        "Sandbox eBay: sign in and agree",
        f"""<p><b>{escape(query.get("client_id", ""))}</b> asks to act for you:</p>
{scope_list(query.get("scope", ""))}
<form method="post" action="/oauth2/consent">{carried}
{fields}
</form>""",
    )


def refusal_page(code: str) -> str:
    """Shown instead of a redirect when it is not known where to redirect to."""
    return html_page(
        "Sandbox eBay: this cannot be",
        f"<p>The application's client_id or RuName is wrong: <code>{escape(code)}</code>.</p>",
    )
