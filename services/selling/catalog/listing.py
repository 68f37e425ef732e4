"""The product list, page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from repositories.selling.catalog_pages import (
    ProductFilter,
    ProductPageRepository,
    ProductSummary,
)
from shared.database import TenantSession

__all__ = ["Position", "ProductFilter", "ProductSummary", "list_products"]

Position: TypeAlias = tuple[datetime, int]
"""Where a page ends: when its last product was made, and its id."""


def list_products(
    session: TenantSession, wanted: ProductFilter, after: Position | None, limit: int
) -> tuple[Sequence[ProductSummary], bool]:
    """A page, newest first, and whether another follows: one statement.

    New products never shift the pages that follow.
    """
    found = ProductPageRepository(session).page(wanted, after, limit + 1)
    return found[:limit], len(found) > limit
