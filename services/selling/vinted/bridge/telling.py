"""Tells of changes: whoever watches the shop at each, the seller when only a person can help."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from models.accounts.notifications import NotificationKind
from models.selling.vinted import VintedAccount, VintedSession
from repositories.accounts.news import append_event
from repositories.accounts.stopped_channels import StoppedChannelRepository
from services.accounts.notifications.telling import Notice, SellerNotices
from services.accounts.outbox.events import Event
from services.accounts.outbox.recording import OutboxRecorder
from services.accounts.outbox.subscribing import Told
from services.selling.vinted.bridge.standing import (
    VINTED_CONNECTION_STATUS,
    standing_of,
    status_of,
)
from shared.clock import Clock
from shared.database import PlatformSession, TenantSession

_NEEDS_A_PERSON = frozenset(
    {
        VintedSession.CHALLENGED,
        VintedSession.SIGNED_OUT,
        VintedSession.WRONG_ACCOUNT,
        VintedSession.OTHER_SITE,
    }
)


@dataclass(frozen=True, slots=True)
class VintedNeedsSeller(Event):
    """Nothing goes on at Vinted until the seller has done something in the browser."""

    kind: ClassVar[str] = "vinted-needs-seller"

    session: VintedSession
    login: str | None


class VintedNews:
    """Writes in the transaction that makes the change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recorder = OutboxRecorder(clock)

    @contextmanager
    def telling(self, session: TenantSession, account: VintedAccount) -> Iterator[None]:
        """Tell of what the block changes of a locked account. The block takes all other locks."""
        now = self._clock.now()
        stopped = StoppedChannelRepository(session).get("vinted") is not None
        before, said = standing_of(account, now, stopped=stopped), account.session
        yield
        session.flush()
        if account.session is not said and account.session in _NEEDS_A_PERSON:
            self._recorder.record(session, VintedNeedsSeller(account.session, account.login))
        if standing_of(account, now, stopped=stopped) is not before:
            told = status_of(session, account, now).told_to(None)
            append_event(session, VINTED_CONNECTION_STATUS, told, now)


class VintedNotices:
    """Asks the seller to do it."""

    def __init__(self, clock: Clock) -> None:
        self._notices = SellerNotices(clock)

    def tell(self, session: PlatformSession, told: Told[VintedNeedsSeller]) -> None:
        """Once for each time that it came to this."""
        title, message = _WORDS[told.event.session]
        notice = Notice(
            NotificationKind.VINTED_NEEDS_SELLER,
            title,
            f"{message} Nothing is lost: work waits and goes on by itself.",
            {"session": told.event.session, "login": told.event.login},
        )
        self._notices.tell(session, told, notice)


_WORDS = {
    VintedSession.CHALLENGED: (
        "Vinted wants to see you",
        "Open Vinted in the browser that has the extension and do what the page asks, to show that"
        " you are a person.",
    ),
    VintedSession.SIGNED_OUT: (
        "Sign in at Vinted",
        "The browser that has the extension is not signed in at Vinted any more. Sign in there.",
    ),
    VintedSession.WRONG_ACCOUNT: (
        "Another Vinted account is signed in",
        "Somebody else than before is signed in at Vinted in the browser that has the extension."
        " Sign in there with the account that your shop sells with.",
    ),
    VintedSession.OTHER_SITE: (
        "Your browser works at another site of Vinted's",
        "The browser that has the extension works at another site of Vinted's than your shop sells"
        " on. Choose the same one in the extension's settings and for the shop.",
    ),
}
