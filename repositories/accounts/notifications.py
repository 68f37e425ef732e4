"""What accounts were told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.accounts.notifications import Notification
from shared.database import PlatformSession


class NotificationRepository:
    """Rows of `public.notifications`; every question names the account."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def add_unless_told(self, notification: Notification) -> int | None:
        """Store it and return its number; None when the account was told of its source before."""
        columns = ("user_id", "kind", "title", "message", "data", "source", "created_at")
        return self._session.scalar(
            insert(Notification)
            .values({name: getattr(notification, name) for name in columns})
            .on_conflict_do_nothing(index_elements=[Notification.user_id, Notification.source])
            .returning(Notification.id)
        )

    def page(
        self, user_id: int, before: int | None, limit: int, *, unread: bool
    ) -> Sequence[Notification]:
        """The account's, newest first, beginning behind `before`; `unread`: those alone."""
        query = select(Notification).where(Notification.user_id == user_id)
        if before is not None:
            query = query.where(Notification.id < before)
        if unread:
            query = query.where(Notification.read_at.is_(None))
        return self._session.scalars(query.order_by(Notification.id.desc()).limit(limit)).all()

    def get(self, user_id: int, notification_id: int) -> Notification | None:
        """One of the account's own, as it is now."""
        return self._session.scalar(
            select(Notification)
            .where(Notification.user_id == user_id, Notification.id == notification_id)
            .execution_options(populate_existing=True)
        )

    def unread(self, user_id: int) -> int:
        """How many the account has not read: counted, not kept."""
        return (
            self._session.scalar(
                select(func.count()).where(
                    Notification.user_id == user_id, Notification.read_at.is_(None)
                )
            )
            or 0
        )

    def mark_read(self, user_id: int, first: int, last: int, at: datetime) -> Sequence[int]:
        """Mark those from number to number; returns which were unread until now."""
        marked = self._session.scalars(
            update(Notification)
            .where(
                Notification.user_id == user_id,
                Notification.id.between(first, last),
                Notification.read_at.is_(None),
            )
            .values(read_at=at)
            .returning(Notification.id)
            .execution_options(synchronize_session=False)
        )
        return sorted(marked.all())

    def forget_read_before(self, moment: datetime, limit: int) -> int:
        """Delete at most `limit` that were read before a moment; returns how many."""
        old = (
            select(Notification.id)
            .where(Notification.read_at < moment)
            .order_by(Notification.read_at)
            .limit(limit)
            .cte("old")
        )
        gone = self._session.scalars(
            delete(Notification)
            .where(Notification.id == old.c.id)
            .returning(Notification.id)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())
