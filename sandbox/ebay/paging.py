"""Lists in pages, where eBay's `offset` is a page number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.operations import Call

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page:
    """`limit` rows of page number `offset`, counted from 0."""

    limit: int
    offset: int

    @classmethod
    def asked(cls, call: Call, default: int, most: int) -> "Page":
        """Read `limit` and `offset`. Raises EbayError 400 (25706)."""
        limit, offset = call.query.get("limit", str(default)), call.query.get("offset", "0")
        if not (limit.isdecimal() and offset.isdecimal() and 1 <= int(limit) <= most):
            text = f"Invalid pagination values. limit is 1 to {most}, offset is a page number."
            raise EbayError(400, error(25706, text))
        return cls(int(limit), int(offset))

    def pages(self, total: int) -> int:
        """How many pages `total` rows make."""
        return -(-total // self.limit)

    def cut(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The page's rows."""
        return rows[self.offset * self.limit : (self.offset + 1) * self.limit]

    def envelope(self, path: str, total: int) -> dict[str, Any]:
        """href, limit, total, and next and prev where there are such pages."""
        joint = "&" if "?" in path else "?"
        links = {"href": self.offset}
        if self.offset + 1 < self.pages(total):
            links["next"] = self.offset + 1
        if self.offset > 0:
            links["prev"] = self.offset - 1
        return {
            "limit": self.limit,
            "total": total,
            **{
                name: f"{path}{joint}limit={self.limit}&offset={number}"
                for name, number in links.items()
            },
        }
