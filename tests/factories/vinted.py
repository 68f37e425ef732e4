"""A shop's account at Vinted."""

from typing import Any

from models.selling.vinted import VintedSession
from repositories.selling.vinted import VintedAccountRepository
from shared.clock import MovableClock
from shared.database import TenantSession

SITE = "www.vinted.fr"


def make_vinted_account(session: TenantSession, clock: MovableClock, **changes: Any) -> None:
    """A connected account with nobody at the browser."""
    now = clock.now()
    values: dict[str, Any] = {
        "site": SITE,
        "remote_user_id": "4711",
        "login": "anna",
        "session": VintedSession.SIGNED_IN,
        "choices": {},
        "connected_at": now,
        "checked_at": now,
    }
    VintedAccountRepository(session).add_unless_there(values | changes)
