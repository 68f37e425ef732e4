"""How an event is told, over the socket and over REST alike."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from models.accounts.news import ShopEvent


class EventOut(BaseModel):
    """One piece of news of the shop."""

    sequence: int = Field(description="1, 2, 3 … without a gap; name the last one you know.")
    kind: str = Field(
        description="`job_status_update`, `batch_status_update`, `order_update` or"
        " `channel_status_update`, `vinted_connection_status`, `notification` or"
        " `notifications_read`."
    )
    at: datetime
    payload: dict[str, Any]

    @classmethod
    def of(cls, event: ShopEvent) -> Self:
        """Show an event."""
        return cls(
            sequence=event.sequence, kind=event.kind, at=event.created_at, payload=event.payload
        )


class NewsOut(BaseModel):
    """Events after a number, oldest first."""

    items: list[EventOut]
    last_sequence: int = Field(description="Number of the shop's newest event.")


def told(event: ShopEvent) -> dict[str, Any]:
    """The message of an event on the socket: its payload, its number and its time."""
    return {**event.payload, "sequence": event.sequence, "at": event.created_at.isoformat()}
