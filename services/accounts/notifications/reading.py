"""What an account does with what it was told."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.accounts.notifications import Notification
from repositories.accounts.news import append_event_of
from repositories.accounts.notifications import NotificationRepository
from shared.clock import Clock
from shared.database import PlatformSession, TenantSchema
from shared.errors import NotFound

NOTIFICATIONS_READ = "notifications_read"
"""The news by which an account's other clients hear that something was read."""


class NotificationNotFound(NotFound):
    """It never was, is another account's, or was read long ago."""

    code, title = "notification-not-found", "There is no such notification"


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Some of an account's, and how many it has not read."""

    items: Sequence[Notification]
    more: bool
    unread: int


class Notifications:
    """Works in the request's transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def page(
        self,
        session: PlatformSession,
        user_id: int,
        before: int | None,
        limit: int,
        *,
        unread: bool,
    ) -> NotificationPage:
        """Newest first, and whether more follow."""
        repository = NotificationRepository(session)
        found = repository.page(user_id, before, limit + 1, unread=unread)
        return NotificationPage(found[:limit], len(found) > limit, repository.unread(user_id))

    def read_one(
        self, session: PlatformSession, user_id: int, notification_id: int
    ) -> Notification:
        """Mark it; reading it again changes nothing. Raises `NotificationNotFound`."""
        self._mark(session, user_id, notification_id, notification_id)
        return _own(session, user_id, notification_id)

    def read_all(self, session: PlatformSession, user_id: int, up_to: int) -> tuple[int, int]:
        """Mark everything up to one that the reader has seen: what came since stays unread.

        Returns how many were marked, and how many are unread now. Raises `NotificationNotFound`.
        """
        _own(session, user_id, up_to)
        marked = self._mark(session, user_id, 1, up_to)
        return len(marked), NotificationRepository(session).unread(user_id)

    def _mark(self, session: PlatformSession, user_id: int, first: int, last: int) -> Sequence[int]:
        now = self._clock.now()
        marked = NotificationRepository(session).mark_read(user_id, first, last, now)
        if marked:
            # Only what changed is told: marking again disturbs nobody.
            payload = {"first": marked[0], "last": marked[-1], "number": len(marked)}
            append_event_of(session, TenantSchema(user_id), NOTIFICATIONS_READ, payload, now)
        return marked


def _own(session: PlatformSession, user_id: int, notification_id: int) -> Notification:
    found = NotificationRepository(session).get(user_id, notification_id)
    if found is None:
        raise NotificationNotFound
    return found
