"""Consent page and token endpoint."""

import base64
import binascii
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.ebay import tokens
from sandbox.ebay.apis import USER_SCOPES
from sandbox.ebay.pages import consent_page, refusal_page
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.sellers import seller_named
from sandbox.ebay.state import Keyset
from sandbox.oauth import NO_STORE, Form, OAuthError, TokenEndpoint, needed, sent_back


def oauth_routes(sandbox: EbaySandbox) -> list[Route]:
    """The three addresses of the authorization-code flow."""

    def grant(headers: Headers, form: Form) -> dict[str, Any]:
        keyset = _authenticated(sandbox, headers.get("authorization"))
        return _granted(sandbox, keyset, form)

    async def authorize(request: Request) -> Response:
        sandbox.state.count_call("authorize")
        return _consent_asked(sandbox, dict(request.query_params))

    async def consent(request: Request) -> Response:
        form = await request.form()
        return _consent_given(sandbox, {name: str(value) for name, value in form.items()})

    return [
        Route("/oauth2/authorize", authorize, methods=["GET"]),
        Route("/oauth2/consent", consent, methods=["POST"]),
        Route("/identity/v1/oauth2/token", TokenEndpoint(sandbox, grant), methods=["POST"]),
    ]


def _authenticated(sandbox: EbaySandbox, authorization: str | None) -> Keyset:
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id = secret = ""
    keyset = sandbox.state.keysets.get(client_id)
    if scheme.lower() != "basic" or keyset is None or keyset.client_secret != secret:
        raise OAuthError("invalid_client", "client authentication failed", 401)
    return keyset


def _granted(sandbox: EbaySandbox, keyset: Keyset, form: dict[str, str]) -> dict[str, Any]:
    match form.get("grant_type"):
        case "authorization_code":
            code, redirect_uri = needed(form, "code"), needed(form, "redirect_uri")
            return tokens.exchange_code(sandbox, keyset, code, redirect_uri)
        case "refresh_token":
            wanted = form["scope"].split() if form.get("scope") else None
            return tokens.refresh(sandbox, keyset, needed(form, "refresh_token"), wanted)
        case "client_credentials":
            return tokens.application_token(sandbox, keyset, form.get("scope", "").split())
    raise OAuthError(
        "unsupported_grant_type", "the grant type is not supported by the authorization server"
    )


def _consent_asked(sandbox: EbaySandbox, query: dict[str, str]) -> Response:
    keyset = _keyset_named(sandbox, query)
    if keyset is None:
        return HTMLResponse(refusal_page("unauthorized_client"), status_code=400)
    refusal = _refusal(query)
    if refusal is not None:
        return sent_back(keyset.declined_url or keyset.accepted_url, refusal, query)
    return HTMLResponse(consent_page(query, sorted(sandbox.state.sellers)), headers=NO_STORE)


def _consent_given(sandbox: EbaySandbox, form: dict[str, str]) -> Response:
    keyset = _keyset_named(sandbox, form)
    if keyset is None:
        return HTMLResponse(refusal_page("unauthorized_client"), status_code=400)
    declined_url = keyset.declined_url or keyset.accepted_url
    refusal = _refusal({**form, "response_type": "code"})
    if refusal is not None:
        return sent_back(declined_url, refusal, form)
    if form.get("decision") != "agree":
        return sent_back(declined_url, {"error": "access_denied"}, form)
    seller = seller_named(sandbox, form.get("user", ""))
    if seller is None:
        page = consent_page(form, sorted(sandbox.state.sellers), "This user name cannot be.")
        return HTMLResponse(page, status_code=400)
    code = tokens.issue_code(sandbox, keyset, seller.name, form["scope"].split())
    sandbox.changed()
    answer = {"code": code, "expires_in": str(int(tokens.CODE_TTL.total_seconds()))}
    return sent_back(keyset.accepted_url, answer, form)


def _keyset_named(sandbox: EbaySandbox, query: dict[str, str]) -> Keyset | None:
    keyset = sandbox.state.keysets.get(query.get("client_id", ""))
    return keyset if keyset and keyset.ru_name == query.get("redirect_uri") else None


def _refusal(query: dict[str, str]) -> dict[str, str] | None:
    if query.get("response_type") != "code":
        return {"error": "unsupported_response_type"}
    wanted = query.get("scope", "").split()
    if not wanted or not set(wanted) <= USER_SCOPES:
        return {"error": "invalid_scope"}
    return None
