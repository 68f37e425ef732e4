"""Who a browser is: cookies with tokens in them, and a session behind them."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from starlette.responses import Response

from sandbox.faults import Fault, FaultKind
from sandbox.vinted.errors import invalid_token
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import Account, Session

ACCESS, REFRESH = "access_token_web", "refresh_token_web"
SESSION = "_vinted_fr_session"
SCRIPTS_MAY_READ = ("anon_id", "v_uid", "v_sid")
ACCESS_TTL = timedelta(hours=2)
REFRESH_TTL = timedelta(days=7)
"""Vinted publishes no figures."""

Cookies = Mapping[str, str]


def opened(sandbox: VintedSandbox, user_id: int | None = None) -> Session:
    """A new session, of a visitor or of a member, with a CSRF token of its own."""
    session = Session(secrets.token_hex(16), str(uuid.uuid4()), user_id)
    sandbox.state.sessions[session.session_id] = session
    return session


def admitted(sandbox: VintedSandbox, cookies: Cookies) -> Session:
    """The session of a live access token. Raises VintedError 401."""
    claims = _claims(sandbox, cookies.get(ACCESS), "access")
    session = _living(sandbox, claims)
    if claims is None or session is None or claims["serial"] < session.least_serial:
        raise invalid_token()
    return session


def refreshable(sandbox: VintedSandbox, cookies: Cookies) -> Session | None:
    """The session of a live refresh token."""
    return _living(sandbox, _claims(sandbox, cookies.get(REFRESH), "refresh"))


def refreshed(session: Session) -> Session:
    """The session, the next access token of which is a new one."""
    session.serial += 1
    return session


def account_of(sandbox: VintedSandbox, session: Session | None) -> Account | None:
    """The member who is signed in."""
    if session is None or session.user_id is None:
        return None
    return sandbox.state.accounts.get(session.user_id)


def member_behind(sandbox: VintedSandbox, cookies: Cookies) -> Account | None:
    """Whose browser it is, by the token's word alone: the guard at the door asks no more."""
    claims = _claims(sandbox, cookies.get(ACCESS), "access", even_over=True)
    return account_of(sandbox, _living(sandbox, claims))


def give_cookies(
    sandbox: VintedSandbox, session: Session, cookies: Cookies, answer: Response
) -> None:
    """Set what the real site sets; `cookies` are those the browser has."""
    now, member = sandbox.clock.now(), session.user_id is not None
    answer.set_cookie(ACCESS, _token(sandbox, session, "access", now + ACCESS_TTL), httponly=True)
    if member:
        refresh = _token(sandbox, session, "refresh", now + REFRESH_TTL)
        answer.set_cookie(REFRESH, refresh, httponly=True)
    elif REFRESH in cookies:
        answer.delete_cookie(REFRESH)
    answer.set_cookie(SESSION, session.session_id, httponly=True)
    for name in SCRIPTS_MAY_READ:
        if name not in cookies:
            answer.set_cookie(name, str(uuid.uuid4()))
    if "datadome" not in cookies:
        give_datadome(answer)


def give_datadome(answer: Response) -> None:
    """The guard's own cookie; a new one comes with every solved challenge."""
    answer.set_cookie("datadome", secrets.token_urlsafe(64))


def killed(sandbox: VintedSandbox, session: Session, fault: Fault | None) -> None:
    """Commit the faults that end tokens. Raises VintedError 401 where one does."""
    if fault is None or fault.kind not in (FaultKind.EXPIRED_TOKEN, FaultKind.REVOKED_TOKEN):
        return
    if fault.kind is FaultKind.EXPIRED_TOKEN:
        expire(session)
    elif session.user_id is not None:
        sign_out_everywhere(sandbox, session.user_id)
    raise invalid_token()


def expire(session: Session) -> None:
    """Its access tokens are dead; refreshing gives a new one."""
    session.least_serial = session.serial + 1


def sign_out_everywhere(sandbox: VintedSandbox, user_id: int) -> None:
    """Every session of a member ends."""
    for session in sandbox.state.sessions.values():
        if session.user_id == user_id:
            session.ended = True


def _token(sandbox: VintedSandbox, session: Session, purpose: str, ends_at: datetime) -> str:
    who = "" if session.user_id is None else str(session.user_id)
    claims = {
        "sub": who,
        "account_id": session.user_id,
        "sid": session.session_id,
        "purpose": purpose,
        "scope": "user" if who else "public",
        "serial": session.serial,
        "iat": int(sandbox.clock.now().timestamp()),
        "exp": int(ends_at.timestamp()),
    }
    return jwt.encode(claims, sandbox.state.key, algorithm="HS256")


def _claims(
    sandbox: VintedSandbox, token: str | None, purpose: str, *, even_over: bool = False
) -> dict[str, Any] | None:
    """What a token says; None where it is none of ours, or over."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token or "",
            sandbox.state.key,
            algorithms=["HS256"],
            options={"verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    over = not even_over and claims["exp"] <= sandbox.clock.now().timestamp()
    return None if over or claims["purpose"] != purpose else claims


def _living(sandbox: VintedSandbox, claims: dict[str, Any] | None) -> Session | None:
    session = sandbox.state.sessions.get(claims["sid"]) if claims else None
    return None if session is None or session.ended else session
