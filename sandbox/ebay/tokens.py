"""Codes and tokens: made, exchanged, refreshed, looked up, revoked."""

import base64
import secrets
from datetime import timedelta
from typing import Any

from sandbox.ebay.apis import APPLICATION_SCOPES
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.state import AccessToken, Grant, Keyset
from sandbox.faults import Fault, FaultKind
from sandbox.oauth import OAuthError

CODE_TTL = timedelta(seconds=299)
ACCESS_TTL = timedelta(seconds=7200)
REFRESH_TTL = timedelta(seconds=47_304_000)
MAX_CODE_LENGTH = 1024


def issue_code(sandbox: EbaySandbox, keyset: Keyset, seller: str, scopes: list[str]) -> str:
    """A single-use authorization code for `seller`'s consent."""
    code = _minted("p^3#I^3#r^1")
    expires_at = sandbox.clock.now() + CODE_TTL
    sandbox.state.codes[code] = Grant(keyset.client_id, seller, scopes, expires_at)
    return code


def exchange_code(
    sandbox: EbaySandbox, keyset: Keyset, code: str, redirect_uri: str
) -> dict[str, Any]:
    """Spend a code. Raises OAuthError invalid_grant when it is unknown, spent, late or foreign."""
    grant = sandbox.state.codes.get(code)
    if grant is None or grant.client_id != keyset.client_id or redirect_uri != keyset.ru_name:
        raise _invalid_grant("authorization code")
    del sandbox.state.codes[code]
    if grant.expires_at <= sandbox.clock.now():
        raise _invalid_grant("authorization code")
    refresh_token = _minted("p^3#I^3#r^1")
    expires_at = sandbox.clock.now() + REFRESH_TTL
    sandbox.state.refresh_tokens[refresh_token] = Grant(
        keyset.client_id, grant.seller, grant.scopes, expires_at
    )
    return {
        **_access(sandbox, keyset, grant.seller, grant.scopes),
        "refresh_token": refresh_token,
        "refresh_token_expires_in": int(REFRESH_TTL.total_seconds()),
        "token_type": "User Access Token",
    }


def refresh(
    sandbox: EbaySandbox, keyset: Keyset, token: str, wanted: list[str] | None
) -> dict[str, Any]:
    """A new access token; the refresh token stays as it is and is not repeated.

    Raises OAuthError invalid_grant (unknown, expired, revoked) or invalid_scope (more than given).
    """
    grant = sandbox.state.refresh_tokens.get(token)
    if (
        grant is None
        or grant.client_id != keyset.client_id
        or grant.expires_at <= sandbox.clock.now()
    ):
        raise _invalid_grant("refresh token")
    granted = grant.scopes if wanted is None else wanted
    if not set(granted) <= set(grant.scopes):
        raise invalid_scope()
    return {
        **_access(sandbox, keyset, grant.seller, granted),
        "token_type": "User Access Token",
    }


def application_token(sandbox: EbaySandbox, keyset: Keyset, wanted: list[str]) -> dict[str, Any]:
    """A token without a seller. Raises OAuthError invalid_scope for scopes that need consent."""
    if not wanted or not set(wanted) <= APPLICATION_SCOPES:
        raise invalid_scope()
    return {
        **_access(sandbox, keyset, None, wanted),
        "token_type": "Application Access Token",
    }


def bearer(sandbox: EbaySandbox, authorization: str | None) -> AccessToken:
    """The live token an Authorization header names. Raises EbayError 401 (1001, 1002)."""
    scheme, _, value = (authorization or "").partition(" ")
    if not value:
        raise EbayError(401, error(1002, "Missing access token", domain="OAuth"))
    token = sandbox.state.access_tokens.get(value)
    if scheme.lower() != "bearer" or token is None or token.expires_at <= sandbox.clock.now():
        raise EbayError(401, invalid_token())
    return token


def invalid_token() -> dict[str, Any]:
    """1001: bad or expired."""
    return error(1001, "Invalid access token", domain="OAuth")


def killed(sandbox: EbaySandbox, token: AccessToken, fault: Fault | None) -> None:
    """Commit the faults that end a token. Raises EbayError 401 (1001) where one does."""
    if fault is None or fault.kind not in (FaultKind.EXPIRED_TOKEN, FaultKind.REVOKED_TOKEN):
        return
    token.expires_at = sandbox.clock.now()
    if fault.kind is FaultKind.REVOKED_TOKEN and token.seller is not None:
        revoke(sandbox, token.seller)
    raise EbayError(401, invalid_token())


def revoke(sandbox: EbaySandbox, seller: str) -> None:
    """What a seller's password change does: every token of theirs is dead at once."""
    state = sandbox.state
    for grants in (state.codes, state.refresh_tokens):
        for token in [token for token, grant in grants.items() if grant.seller == seller]:
            del grants[token]
    for access_token in state.access_tokens.values():
        if access_token.seller == seller:
            access_token.expires_at = sandbox.clock.now()


def invalid_scope() -> OAuthError:
    """Unknown, or more than was consented to."""
    return OAuthError(
        "invalid_scope", "the requested scope is unknown or exceeds the scope granted"
    )


def _invalid_grant(what: str) -> OAuthError:
    return OAuthError(
        "invalid_grant",
        f"the provided {what} is invalid, expired, revoked or was issued to another client",
    )


def _access(
    sandbox: EbaySandbox, keyset: Keyset, seller: str | None, scopes: list[str]
) -> dict[str, Any]:
    now = sandbox.clock.now()
    live = sandbox.state.access_tokens
    for stale in [token for token, known in live.items() if known.expires_at <= now]:
        del live[stale]
    token = _minted("p^3#I^3#r^0" if seller else "p^1#I^3#r^0")
    live[token] = AccessToken(keyset.client_id, seller, list(scopes), now + ACCESS_TTL)
    return {"access_token": token, "expires_in": int(ACCESS_TTL.total_seconds())}


def _minted(flags: str) -> str:
    """A text with the characters that break careless clients: ^ # + / =."""
    secret = base64.b64encode(secrets.token_bytes(148)).decode()
    return f"v^1.1#i^1#f^0#{flags}#t^H4s+/{secret}"
