"""The product list, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from repositories.selling.catalog_pages import (
    ProductFilter,
    ProductPageRepository,
    ProductSummary,
)
from shared.database import TenantSession
from shared.errors import BadInput, FieldProblem
from shared.ids import decode_cursor, encode_cursor


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A page; `next_cursor` None means that it is the last."""

    items: Sequence[ProductSummary]
    next_cursor: str | None


def list_products(
    session: TenantSession, wanted: ProductFilter, cursor: str | None, limit: int
) -> ProductPage:
    """Newest first; new products never shift the pages that follow. One statement."""
    after = None if cursor is None else _position(cursor)
    found = ProductPageRepository(session).page(wanted, after, limit + 1)
    items = found[:limit]
    if len(found) <= limit:
        return ProductPage(items, None)
    last = items[-1]
    return ProductPage(items, encode_cursor(last.created_at.isoformat(), last.id))


def _position(cursor: str) -> tuple[datetime, int]:
    try:
        created_at, product_id = decode_cursor(cursor)
        moment, number = datetime.fromisoformat(created_at), int(product_id)
    except ValueError:
        raise _unknown_cursor() from None
    if moment.tzinfo is None or not 0 < number < 2**63:
        raise _unknown_cursor()
    return moment, number


def _unknown_cursor() -> BadInput:
    return BadInput(
        "This cursor is not one of ours; begin again without it.",
        fields=[FieldProblem("cursor", "use next_cursor of the page before")],
    )
