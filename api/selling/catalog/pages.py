"""The product list, written straight from its rows: no model is made of a line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.pages import read_cursor
from api.selling.catalog.schemas import MoneyOut, image_url
from models.selling.catalog import ProductStatus
from services.selling.catalog.listing import Position, ProductSummary
from shared.errors import BadInput, FieldProblem
from shared.ids import encode_cursor
from shared.money import exponent_of


class ProductSummaryOut(BaseModel):
    """A line of the product list."""

    id: int
    handle: str
    title: str
    status: ProductStatus
    brand: str | None
    currency: str
    price_from: MoneyOut = Field(description="Of the cheapest variant.")
    price_to: MoneyOut = Field(description="Of the dearest variant.")
    quantity: int = Field(description="Over all variants.")
    sku: str | None = Field(description="Of the first variant.")
    image_url: str | None = Field(description="The main photo.")
    version: int
    created_at: datetime
    updated_at: datetime


def page_response(found: Sequence[ProductSummary], *, more: bool) -> Response:
    """The page as JSON; `Page[ProductSummaryOut]` describes it."""
    cursor = encode_cursor(found[-1].created_at.isoformat(), found[-1].id) if more else None
    body = to_json({"items": [_line(row) for row in found], "next_cursor": cursor})
    return Response(body, media_type="application/json")


def position_of(cursor: str | None) -> Position | None:
    """Where the page before ended. Raises `BadInput` when the cursor was not made here."""
    values = read_cursor(cursor, 2)
    if values is None:
        return None
    try:
        moment, product_id = datetime.fromisoformat(values[0]), int(values[1])
        if moment.tzinfo is None or not 0 < product_id < 2**63:
            raise _not_ours()
        # Ours are in UTC; PostgreSQL does not know every offset that Python reads.
        return moment.astimezone(UTC), product_id
    except (ValueError, OverflowError):
        raise _not_ours() from None


def _line(row: ProductSummary) -> dict[str, Any]:
    return {
        "id": row.id,
        "handle": row.handle,
        "title": row.title,
        "status": row.status,
        "brand": row.brand,
        "currency": row.currency,
        "price_from": _money(row.lowest_minor, row.currency),
        "price_to": _money(row.highest_minor, row.currency),
        "quantity": row.quantity,
        "sku": row.sku,
        "image_url": None if row.image_id is None else image_url(row.id, row.image_id),
        "version": row.version,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _money(minor: int, currency: str) -> dict[str, str]:
    """As `Money.amount` says it, without a Decimal: prices are above 0."""
    digits = exponent_of(currency)
    if not digits:
        return {"amount": str(minor), "currency": currency}
    units, rest = divmod(minor, 10**digits)
    return {"amount": f"{units}.{rest:0{digits}d}", "currency": currency}


def _not_ours() -> BadInput:
    return BadInput(fields=[FieldProblem("cursor", "This is not a cursor of this list.")])
