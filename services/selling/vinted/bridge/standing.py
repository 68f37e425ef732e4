"""How a shop's account at Vinted stands, in the words of docs/extension-protocol.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.selling.publishing import Channel
from models.selling.vinted import VintedAccount, VintedSession
from repositories.accounts.stopped_channels import StoppedChannelRepository
from repositories.selling.vinted import VintedCommandRepository
from shared.database import TenantSession

VINTED_CONNECTION_STATUS = "vinted_connection_status"
"""The news by which whoever watches the shop hears of a change."""


class Standing(StrEnum):
    """What matters of it, the first that applies."""

    PAUSED = "paused"
    OFFLINE = "offline"
    UNREACHABLE = "unreachable"
    CHALLENGED = "challenged"
    WRONG_ACCOUNT = "wrong_account"
    OTHER_SITE = "other_site"
    SIGNED_OUT = "signed_out"
    BROWSER_PAUSED = "browser_paused"
    CONNECTED = "connected"


_OF_SESSION = {
    VintedSession.SIGNED_IN: Standing.CONNECTED,
    VintedSession.SIGNED_OUT: Standing.SIGNED_OUT,
    VintedSession.WRONG_ACCOUNT: Standing.WRONG_ACCOUNT,
    VintedSession.CHALLENGED: Standing.CHALLENGED,
    VintedSession.UNREACHABLE: Standing.UNREACHABLE,
    VintedSession.OTHER_SITE: Standing.OTHER_SITE,
    VintedSession.PAUSED: Standing.BROWSER_PAUSED,
}

CANNOT_WORK = frozenset(_OF_SESSION.values()) - {Standing.CONNECTED, Standing.CHALLENGED}
"""What of its browser lets another one step in."""

_PAUSED = "You have paused Vinted. Nothing is done there until you resume it."

_REASONS = {
    Standing.OFFLINE: "No browser with the extension is open. Open it and leave Vinted signed in.",
    Standing.UNREACHABLE: "Your browser is there, but has not reached Vinted yet. If that lasts,"
    " look at its tab of Vinted.",
    Standing.CHALLENGED: "Vinted wants to see that you are a person: open Vinted in that browser"
    " and do what it asks. Work goes on by itself afterwards.",
    Standing.SIGNED_OUT: "Sign in at Vinted in the browser that has the extension.",
    Standing.BROWSER_PAUSED: "You have paused the extension in your browser. Press Go on there.",
}


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """How the account stands."""

    standing: Standing
    reason: str | None
    """In the seller's words, with what to do."""
    executor: str | None
    """The socket that executes."""
    device: UUID | None
    """The paired browser behind it."""
    site: str | None
    login: str | None
    waiting: int
    """Jobs on Vinted that have not ended."""
    next_at: datetime | None
    """When pacing allows the next command; None: at once, as far as pacing goes."""

    def told_to(self, socket: str | None) -> dict[str, Any]:
        """The message; to a socket, or (None) to whoever watches the shop."""
        return {
            "state": self.standing.value,
            "reason": self.reason,
            "executor": self.executor is not None and socket in (None, self.executor),
            "site": self.site,
            "login": self.login,
            "waiting": self.waiting,
            "next_at": None if self.next_at is None else self.next_at.isoformat(),
        }


def status_of(
    session: TenantSession, account: VintedAccount | None, now: datetime
) -> ConnectionStatus:
    """How it stands at this moment; without an account no browser has ever been there."""
    stopped = StoppedChannelRepository(session).get(Channel.VINTED)
    waiting = VintedCommandRepository(session).live_jobs()
    if account is None:
        offline = _REASONS[Standing.OFFLINE]
        return ConnectionStatus(Standing.OFFLINE, offline, None, None, None, None, waiting, None)
    standing = standing_of(account, now, stopped=stopped is not None)
    executes = executes_now(account, now)
    return ConnectionStatus(
        standing,
        _reason(standing, account, None if stopped is None else stopped.because),
        account.executor if executes else None,
        account.executor_device if executes else None,
        account.site,
        account.login,
        waiting,
        account.next_at if account.next_at is not None and account.next_at > now else None,
    )


def standing_of(account: VintedAccount, now: datetime, *, stopped: bool) -> Standing:
    """The first of `Standing` that applies."""
    if stopped or account.paused_at is not None:
        return Standing.PAUSED
    if not executes_now(account, now):
        return Standing.OFFLINE
    return _OF_SESSION[account.session]


def hindrances(
    account: VintedAccount | None, now: datetime, stopped: str | None
) -> Sequence[tuple[str, str]]:
    """All that keeps work from being done at this moment, each with a word for it and in the
    seller's own; `stopped` is why the operator lets nothing be done.
    """
    found = []
    if stopped is not None:
        found.append(("stopped", _stopped(stopped)))
    if account is not None and account.paused_at is not None:
        found.append(("paused", _PAUSED))
    at_browser = Standing.OFFLINE
    if account is not None and executes_now(account, now):
        at_browser = _OF_SESSION[account.session]
    if at_browser is not Standing.CONNECTED:
        found.append((at_browser.value, _at_browser(at_browser, account)))
    return found


def executes_now(account: VintedAccount, now: datetime) -> bool:
    """Whether some browser is there to execute."""
    until = account.executor_until
    return account.executor is not None and until is not None and until > now


def _reason(standing: Standing, account: VintedAccount, stopped: str | None) -> str | None:
    if standing is Standing.PAUSED:
        return _PAUSED if stopped is None else _stopped(stopped)
    return None if standing is Standing.CONNECTED else _at_browser(standing, account)


def _stopped(because: str) -> str:
    return f"Vinted is stopped for all shops at the moment: {because}"


def _at_browser(standing: Standing, account: VintedAccount | None) -> str:
    if standing is Standing.WRONG_ACCOUNT:
        login = None if account is None else account.login
        return f"Another Vinted account than {login or 'yours'} is signed in there."
    if standing is Standing.OTHER_SITE and account is not None:
        return (
            f"Your shop sells on {account.site}, and your browser works at {account.browser_site}."
            " Choose the same site in the extension's settings and for the shop."
        )
    return _REASONS[standing]
