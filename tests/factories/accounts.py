"""Accounts."""

from itertools import count

from models.accounts.identity import Role, User
from models.accounts.notifications import Notification, NotificationKind
from shared.clock import Clock
from shared.database import PlatformSession
from shared.ids import new_uuid

_numbers = count(1)


def make_user(session: PlatformSession, clock: Clock, *, email: str | None = None) -> User:
    """An account that cannot sign in (its password hash is none)."""
    user = User(
        public_id=new_uuid(),
        email=email or f"seller{next(_numbers)}@example.com",
        password_hash="!",
        full_name="A Seller",
        role=Role.MEMBER,
        failed_sign_ins=0,
        created_at=clock.now(),
    )
    session.add(user)
    session.flush()
    return user


def make_notification(
    session: PlatformSession, clock: Clock, user_id: int, *, title: str = "Connect eBay again"
) -> Notification:
    """One that its account has not read."""
    notification = Notification(
        user_id=user_id,
        kind=NotificationKind.CHANNEL_NEEDS_RECONNECTING,
        title=title,
        message=title,
        data={"channel": "ebay"},
        source=f"test {next(_numbers)}",
        created_at=clock.now(),
    )
    session.add(notification)
    session.flush()
    return notification
