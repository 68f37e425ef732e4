"""What was sold on Vinted, and the conversations in which it happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.gateways.vinted.reading import (
    at,
    flag,
    moment,
    money,
    needed_number,
    needed_rows,
    number,
    numbers,
    rows,
    text,
)
from shared.money import Money


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of the orders. Which items it is about does not stand in it."""

    transaction_id: int
    conversation_id: int | None
    title: str
    price: Money | None
    status: str
    """A sentence in the language of the site."""
    user_status: str
    """Whose turn it is: `needs_action`, `waiting`, `completed` or `failed`, as far as was seen."""
    bought_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "OrderRow":
        """Read a row. Raises `UnreadableAnswer` without an id."""
        return cls(
            transaction_id=needed_number(row, "transaction_id"),
            conversation_id=number(row, "conversation_id"),
            title=text(row, "title") or "",
            price=money(row, "price"),
            status=text(row, "status") or "",
            user_status=text(row, "transaction_user_status") or "",
            bought_at=moment(row, "date"),
        )


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of what was sold, the newest first."""

    rows: tuple[OrderRow, ...]
    total_pages: int | None

    @classmethod
    def of(cls, body: Any) -> "OrderPage":
        """Read an answer. Raises `UnreadableAnswer` when it has no list."""
        return cls(
            tuple(OrderRow.of(row) for row in needed_rows(body, "my_orders")),
            number(body, "pagination", "total_pages"),
        )


@dataclass(frozen=True, slots=True)
class Deal:
    """A transaction: which items, and how far their parcel is, in Vinted's own numbers."""

    transaction_id: int
    item_ids: tuple[int, ...]
    """Several in a bundle."""
    is_bundle: bool
    status: int | None
    shipment_status: int | None
    user_status: str | None
    buyer: str | None

    @classmethod
    def of(cls, found: Any, buyer: str | None = None) -> "Deal":
        """Read a transaction, of itself or of its conversation."""
        several, one = numbers(found, "item_ids"), number(found, "item_id")
        return cls(
            transaction_id=needed_number(found, "id"),
            item_ids=several or (() if one is None else (one,)),
            is_bundle=flag(found, "is_bundle") is True,
            status=number(found, "status"),
            shipment_status=number(found, "shipment_status"),
            user_status=text(found, "transaction_user_status"),
            buyer=buyer,
        )

    @property
    def names_all(self) -> bool:
        """Whether its items are known: of a bundle the first alone may be named."""
        return len(self.item_ids) > int(self.is_bundle)


@dataclass(frozen=True, slots=True)
class Written:
    """A message of a person."""

    user_id: int | None
    body: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages between the seller and one other member."""

    conversation_id: int
    opposite_user_id: int | None
    opposite_login: str | None
    deal: Deal | None
    may_reply: bool
    written: tuple[Written, ...]

    @classmethod
    def of(cls, body: Any) -> "Conversation":
        """Read an answer. Raises `UnreadableAnswer` without an id."""
        found = at(body, "conversation")
        login = text(found, "opposite_user", "login")
        deal = at(found, "transaction")
        return cls(
            conversation_id=needed_number(found, "id"),
            opposite_user_id=number(found, "opposite_user", "id"),
            opposite_login=login,
            deal=Deal.of(deal, login) if number(deal, "id") is not None else None,
            may_reply=flag(found, "allow_reply") is not False,
            written=tuple(_written(found)),
        )


def _written(conversation: Any) -> list[Written]:
    """The key that says what kind a message is was not captured: what has words was written."""
    found = []
    for row in rows(conversation, "messages"):
        entity = at(row, "entity") if isinstance(at(row, "entity"), Mapping) else row
        body = text(entity, "body")
        if body is not None:
            found.append(Written(number(entity, "user_id"), body))
    return found
