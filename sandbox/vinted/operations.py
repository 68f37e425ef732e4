"""What an operation of the private API is, and what it is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.vinted.errors import access_denied, gone
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import Account, Item, VintedState

BASE = "/api/v2"
JSON = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One admitted call: by whom, on what, with which values."""

    sandbox: VintedSandbox
    account: Account
    path: Mapping[str, int]
    query: Mapping[str, str]
    body: JSON
    """The parsed JSON; empty where none was sent."""
    content: bytes
    """The body as it came."""
    headers: Mapping[str, str]
    origin: str
    """Scheme and host that the browser asked."""

    @property
    def state(self) -> VintedState:
        """All state."""
        return self.sandbox.state

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self.sandbox.clock.now()

    @property
    def own_item(self) -> Item:
        """The path's item. Raises VintedError: 404 when it is gone, 403 when not the caller's."""
        item = self.state.items.get(self.path["item_id"])
        if item is None or item.deleted_at is not None:
            raise gone()
        if item.user_id != self.account.user_id:
            raise access_denied()
        return item

    @property
    def changeable_item(self) -> Item:
        """The path's item; one that is sold or reserved cannot be opened any more (403)."""
        item = self.own_item
        if item.sold_at is not None or item.is_reserved:
            raise access_denied()
        return item


Handler = Callable[[Call], JSON | Awaitable[JSON]]


@dataclass(frozen=True)
class Operation:
    """One request of the site's own pages. The names are the sandbox's: Vinted publishes none."""

    operation_id: str
    method: str
    path: str
    handler: Handler

    @property
    def writes(self) -> bool:
        """Whether the CSRF token is asked for."""
        return self.method != "GET"


def page_of(
    call: Call, rows: list[Any], default: int = 20, most: int = 96
) -> tuple[list[Any], JSON]:
    """The rows of `page` (1) and `per_page`, and the pagination that tells of all of them."""
    page, size = _number(call, "page", 1), min(_number(call, "per_page", default), most)
    pages = -(-len(rows) // size)
    pagination = {
        "current_page": page,
        "total_pages": pages,
        "total_entries": len(rows),
        "per_page": size,
    }
    return rows[(page - 1) * size : page * size], pagination


def _number(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, "")
    return max(int(value), 1) if value.isdecimal() else default
