"""Consent page and token endpoint: authorization code with PKCE, and rotation."""

import re
from html import escape
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.etsy import tokens
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.shops import shop_signing_in
from sandbox.etsy.state import App
from sandbox.oauth import NO_STORE, Form, OAuthError, TokenEndpoint, needed, sent_back
from sandbox.pages import hidden_fields, html_page, scope_list, sign_in_fields

SCOPES = frozenset(
    {
        "address_r", "address_w", "billing_r", "cart_r", "cart_w", "email_r", "favorites_r",
        "favorites_w", "feedback_r", "listings_d", "listings_r", "listings_w", "profile_r",
        "profile_w", "recommend_r", "recommend_w", "shops_r", "shops_w", "transactions_r",
        "transactions_w",
    }
)  # fmt: skip
CARRIED = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge",
    "code_challenge_method",
)  # fmt: skip
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def oauth_routes(sandbox: EtsySandbox) -> list[Route]:
    """The three addresses of the flow."""

    async def connect(request: Request) -> Response:
        sandbox.state.count_call("connect")
        return _consent_asked(sandbox, dict(request.query_params))

    async def consent(request: Request) -> Response:
        form = await request.form()
        return _consent_given(sandbox, {name: str(value) for name, value in form.items()})

    def grant(headers: Headers, form: Form) -> dict[str, Any]:
        return _granted(sandbox, form)

    return [
        Route("/oauth/connect", connect, methods=["GET"]),
        Route("/oauth/consent", consent, methods=["POST"]),
        Route("/v3/public/oauth/token", TokenEndpoint(sandbox, grant), methods=["POST"]),
    ]


def _granted(sandbox: EtsySandbox, form: Form) -> dict[str, Any]:
    app = sandbox.state.apps.get(needed(form, "client_id"))
    if app is None:
        raise OAuthError("invalid_client", "client_id is unknown", 401)
    match needed(form, "grant_type"):
        case "authorization_code":
            verifier = needed(form, "code_verifier")
            if not VERIFIER.fullmatch(verifier):
                raise OAuthError("invalid_request", "code_verifier is malformed")
            code, redirect_uri = needed(form, "code"), needed(form, "redirect_uri")
            return tokens.exchange_code(sandbox, app, code, redirect_uri, verifier)
        case "refresh_token":
            return tokens.rotate(sandbox, app, needed(form, "refresh_token"))
    raise OAuthError("unsupported_grant_type", "grant_type is not supported")


def _consent_asked(sandbox: EtsySandbox, query: Form) -> Response:
    if _app_called_back(sandbox, query) is None:
        return _refusal_page()
    refusal = _refusal(query)
    if refusal is not None:
        return sent_back(query["redirect_uri"], refusal, query)
    return HTMLResponse(_consent_page(sandbox, query), headers=NO_STORE)


def _consent_given(sandbox: EtsySandbox, form: Form) -> Response:
    if _app_called_back(sandbox, form) is None:
        return _refusal_page()
    refusal = _refusal(form)
    if refusal is None and form.get("decision") != "agree":
        text = "The seller denied the request."
        refusal = {"error": "access_denied", "error_description": text}
    if refusal is not None:
        return sent_back(form["redirect_uri"], refusal, form)
    shop = shop_signing_in(sandbox.state, form.get("user", ""), sandbox.clock.now())
    if shop is None:
        page = _consent_page(sandbox, form, "This user name cannot be.")
        return HTMLResponse(page, status_code=400)
    code = tokens.issue_code(sandbox, shop.user_id, form)
    sandbox.changed()
    return sent_back(form["redirect_uri"], {"code": code}, form)


def _app_called_back(sandbox: EtsySandbox, query: Form) -> App | None:
    """The application, if the address is exactly one of its own."""
    app = sandbox.state.apps.get(query.get("client_id", ""))
    return app if app and query.get("redirect_uri") in app.redirect_uris else None


def _refusal(query: Form) -> dict[str, str] | None:
    wanted = set(query.get("scope", "").split())
    faults = {
        "unsupported_response_type": query.get("response_type") != "code",
        "invalid_scope": not wanted or not wanted <= SCOPES,
        "invalid_request": not query.get("state")
        or query.get("code_challenge_method") != "S256"
        or not CHALLENGE.fullmatch(query.get("code_challenge", "")),
    }
    wrong = [code for code, found in faults.items() if found]
    if not wrong:
        return None
    text = "state, scope and an S256 code_challenge are needed, with response_type=code."
    return {"error": wrong[0], "error_description": text}


def _consent_page(sandbox: EtsySandbox, query: Form, wrong: str = "") -> str:
    carried = hidden_fields({name: query.get(name, "") for name in CARRIED})
    known = sorted(shop.login_name for shop in sandbox.state.shops.values())
    return html_page(
        "Sandbox Etsy: sign in and agree",
        f"""<p><b>{escape(query.get("client_id", ""))}</b> asks to act for you:</p>
{scope_list(query.get("scope", ""))}
<form method="post" action="/oauth/consent">{carried}
{sign_in_fields(known, query.get("user", known[0]), wrong)}
</form>""",
    )


def _refusal_page() -> Response:
    text = "<p>The application's keystring or redirect_uri is wrong.</p>"
    return HTMLResponse(html_page("Sandbox Etsy: this cannot be", text), status_code=400)
