"""Tells accounts of events: each once, however often the event is relayed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.accounts.notifications import Notification, NotificationKind
from repositories.accounts.news import append_event_of
from repositories.accounts.notifications import NotificationRepository
from services.accounts.outbox.subscribing import Told
from shared.clock import Clock
from shared.database import PlatformSession

NOTIFICATION = "notification"
"""The news by which clients that watch hear of a new one."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What to tell a seller."""

    kind: NotificationKind
    title: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the sentences are made of, for other languages."""


class SellerNotices:
    """Works in a subscriber's transaction on the shared schemas."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def tell(self, session: PlatformSession, told: Told[Any], notice: Notice) -> None:
        """Tell the owner of the event's shop, and whoever watches it that there is something new.

        Without effect for an event of the installation.
        """
        if told.tenant is None:
            return
        now = self._clock.now()
        number = NotificationRepository(session).add_unless_told(
            Notification(
                # A shop has its owner's number.
                user_id=told.tenant.tenant_id,
                kind=notice.kind,
                title=notice.title,
                message=notice.message,
                data=dict(notice.data),
                source=f"event {told.event_id}",
                created_at=told.recorded_at,
            )
        )
        if number is not None:
            payload = {"notification_id": number, "kind": notice.kind, "title": notice.title}
            append_event_of(session, told.tenant, NOTIFICATION, payload, now)
