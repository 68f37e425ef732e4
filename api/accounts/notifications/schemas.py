"""How notifications are shown."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from api.pages import Page
from models.accounts.notifications import Notification

NotificationId = Annotated[int, Field(gt=0, lt=2**63)]


class NotificationOut(BaseModel):
    """One thing that you were told."""

    id: int
    kind: str = Field(
        description="`shop_opened`, `shop_suspended`, `shop_resumed`,"
        " `channel_needs_reconnecting`, `listings_differ`, `listings_held_back`,"
        " `goods_may_come_back`; expect more."
    )
    title: str
    message: str
    data: dict[str, Any] = Field(description="What the sentences are made of, for translating.")
    created_at: datetime
    read_at: datetime | None = Field(description="Null: not read.")

    @classmethod
    def of(cls, notification: Notification) -> Self:
        """Show one."""
        return cls.model_validate(notification, from_attributes=True)


class NotificationsOut(Page[NotificationOut]):
    """Notifications, newest first."""

    unread: int = Field(description="Of all, not of this page.")


class ReadIn(BaseModel):
    """How far somebody has read."""

    up_to: NotificationId = Field(description="The newest notification that was seen.")


class ReadOut(BaseModel):
    """What that changed."""

    marked: int = Field(description="How many were unread until now.")
    unread: int
