"""Items as Vinted shows them: in its wardrobe's lists, and to their owner for editing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateways.vinted.reading import (
    at,
    flag,
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
class WardrobeItem:
    """A row of the wardrobe. What Vinted does not say is None, and no news."""

    item_id: int
    title: str | None
    price: Money | None
    url: str | None
    photo_ids: tuple[int, ...]
    """Often the cover alone."""
    is_draft: bool | None
    is_closed: bool | None
    is_reserved: bool | None
    is_hidden: bool | None
    closing_action: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "WardrobeItem":
        """Read a row. Raises `UnreadableAnswer` without an id."""
        return cls(
            item_id=needed_number(row, "id"),
            title=text(row, "title"),
            price=money(row, "price"),
            url=text(row, "url"),
            photo_ids=_photo_ids(row),
            is_draft=flag(row, "is_draft"),
            is_closed=flag(row, "is_closed"),
            is_reserved=flag(row, "is_reserved"),
            is_hidden=flag(row, "is_hidden"),
            closing_action=text(row, "item_closing_action"),
        )

    @property
    def sold(self) -> bool:
        """Whether Vinted says that it was sold. That it is not there any more does not say so."""
        return self.is_closed is True and (self.closing_action == "sold" or self.is_draft is False)

    @property
    def for_sale(self) -> bool:
        """Whether buyers can have it."""
        return not (self.is_draft or self.is_closed or self.is_hidden)


@dataclass(frozen=True, slots=True)
class WardrobePage:
    """A page of the wardrobe, and what Vinted says of all pages."""

    items: tuple[WardrobeItem, ...]
    page: int
    total_pages: int | None
    total_entries: int | None

    @classmethod
    def of(cls, body: Any, page: int) -> "WardrobePage":
        """Read an answer. Raises `UnreadableAnswer` when it has no list."""
        return cls(
            tuple(WardrobeItem.of(row) for row in needed_rows(body, "items")),
            number(body, "pagination", "current_page") or page,
            number(body, "pagination", "total_pages"),
            number(body, "pagination", "total_entries"),
        )


@dataclass(frozen=True, slots=True)
class OwnItem:
    """An item as its owner edits it."""

    item_id: int
    title: str | None
    description: str | None
    price: Money | None
    catalog_id: int | None
    photo_ids: tuple[int, ...]
    is_draft: bool | None
    is_hidden: bool | None
    url: str | None

    @classmethod
    def of(cls, body: Any) -> "OwnItem":
        """Read an answer. Raises `UnreadableAnswer` without an id."""
        item = at(body, "item")
        return cls(
            item_id=needed_number(item, "id"),
            title=text(item, "title"),
            description=text(item, "description"),
            price=money(item, "price"),
            catalog_id=number(item, "catalog_id"),
            photo_ids=_photo_ids(item),
            is_draft=flag(item, "is_draft"),
            is_hidden=flag(item, "is_hidden"),
            url=text(item, "url"),
        )

    @property
    def for_sale(self) -> bool:
        """Whether buyers can have it."""
        return not (self.is_draft or self.is_hidden)


def _photo_ids(row: Any) -> tuple[int, ...]:
    found = (number(photo, "id") for photo in rows(row, "photos"))
    ids = tuple(each for each in found if each is not None)
    return ids or numbers(row, "photo_ids")
