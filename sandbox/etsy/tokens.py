"""Codes and tokens: made, exchanged, rotated, looked up, revoked."""

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any

from sandbox.etsy.errors import EtsyError, invalid_token
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.state import App, Code, Token
from sandbox.faults import Fault, FaultKind
from sandbox.oauth import OAuthError

CODE_TTL = timedelta(minutes=5)
"""Etsy publishes no figure."""
ACCESS_TTL = timedelta(seconds=3600)
REFRESH_TTL = timedelta(days=90)
EXPIRED = "access token is expired"


def issue_code(sandbox: EtsySandbox, user_id: int, asked: dict[str, str]) -> str:
    """A single-use authorization code for what the consent page was `asked`."""
    code = secrets.token_urlsafe(48)
    sandbox.state.codes[code] = Code(
        keystring=asked["client_id"],
        user_id=user_id,
        scopes=asked["scope"].split(),
        expires_at=sandbox.clock.now() + CODE_TTL,
        redirect_uri=asked["redirect_uri"],
        challenge=asked["code_challenge"],
    )
    return code


def exchange_code(
    sandbox: EtsySandbox, app: App, code: str, redirect_uri: str, verifier: str
) -> dict[str, Any]:
    """Spend a code, whether or not it fits.

    Raises OAuthError invalid_grant when it is unknown, spent, late, of another application or
    address, or when the verifier is not the challenge's.
    """
    known = sandbox.state.codes.pop(code, None)
    if known is None or known.keystring != app.keystring:
        raise OAuthError("invalid_grant", "code is invalid or was used before")
    if known.expires_at <= sandbox.clock.now():
        raise OAuthError("invalid_grant", "code has expired")
    if known.redirect_uri != redirect_uri:
        raise OAuthError("invalid_grant", "redirect_uri is not the one the code was issued for")
    if challenge_of(verifier) != known.challenge:
        raise OAuthError("invalid_grant", "code_verifier does not match code_challenge")
    return _pair(sandbox, app, known.user_id, known.scopes)


def rotate(sandbox: EtsySandbox, app: App, refresh_token: str) -> dict[str, Any]:
    """A new pair; the old refresh token is dead. Raises OAuthError invalid_grant."""
    known = sandbox.state.refresh_tokens.get(refresh_token)
    if known is None or known.keystring != app.keystring:
        raise OAuthError("invalid_grant", "refresh_token is invalid")
    if known.revoked:
        raise OAuthError("invalid_grant", "refresh_token is revoked")
    if known.expires_at <= sandbox.clock.now():
        raise OAuthError("invalid_grant", "refresh_token is expired")
    known.revoked = True
    return _pair(sandbox, app, known.user_id, known.scopes)


def bearer(sandbox: EtsySandbox, app: App, authorization: str) -> Token:
    """The live token an Authorization header names. Raises EtsyError 401."""
    scheme, _, value = authorization.partition(" ")
    token = sandbox.state.access_tokens.get(value)
    if scheme.lower() != "bearer" or token is None or token.keystring != app.keystring:
        raise invalid_token()
    if token.revoked:
        raise invalid_token()
    if token.expires_at <= sandbox.clock.now():
        raise invalid_token(EXPIRED)
    return token


def missing_token() -> EtsyError:
    """401: the operation needs a token and none was sent."""
    return invalid_token("access token is missing")


def killed(sandbox: EtsySandbox, token: Token, fault: Fault | None) -> None:
    """Commit the faults that end a token. Raises EtsyError 401 where one does."""
    if fault is not None and fault.kind is FaultKind.EXPIRED_TOKEN:
        token.expires_at = sandbox.clock.now()
        raise invalid_token(EXPIRED)
    if fault is not None and fault.kind is FaultKind.REVOKED_TOKEN:
        revoke(sandbox, token.user_id)
        raise invalid_token()


def revoke(sandbox: EtsySandbox, user_id: int) -> None:
    """What a seller's password change does: every token of theirs is dead at once."""
    state = sandbox.state
    for code in [code for code, known in state.codes.items() if known.user_id == user_id]:
        del state.codes[code]
    for token in (*state.access_tokens.values(), *state.refresh_tokens.values()):
        if token.user_id == user_id:
            token.revoked = True


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _pair(sandbox: EtsySandbox, app: App, user_id: int, scopes: list[str]) -> dict[str, Any]:
    now = sandbox.clock.now()
    access, refresh = (f"{user_id}.{secrets.token_urlsafe(64)}" for _ in range(2))
    sandbox.state.access_tokens[access] = Token(app.keystring, user_id, scopes, now + ACCESS_TTL)
    sandbox.state.refresh_tokens[refresh] = Token(app.keystring, user_id, scopes, now + REFRESH_TTL)
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TTL.total_seconds()),
        "refresh_token": refresh,
    }
