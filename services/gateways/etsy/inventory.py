"""What a listing's inventory looks like: products, each with one offering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.gateways.etsy.reading import flag, money, number, numbers, rows, texts, whole
from shared.money import Money

CUSTOM_PROPERTIES = (513, 514)
"""Etsy's ids of the two things in which variants may differ under a name of the seller's own."""


@dataclass(frozen=True, slots=True)
class OfferedProduct:
    """One variant of a listing."""

    sku: str
    price: Money
    quantity: int
    values: Sequence[str] = ()
    """In the order of the inventory's `varies_by`."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that a listing offers; always sent whole, because a PUT replaces."""

    products: Sequence[OfferedProduct]
    varies_by: Sequence[str] = ()
    """At most two names, such as Size."""
    processing_profile_id: int | None = None

    def as_body(self) -> dict[str, Any]:
        """The request body."""
        properties = CUSTOM_PROPERTIES[: len(self.varies_by)]
        return {
            "products": [self._product(product) for product in self.products],
            "price_on_property": list(properties),
            "quantity_on_property": list(properties),
            "sku_on_property": list(properties),
        }

    def _product(self, product: OfferedProduct) -> dict[str, Any]:
        described = zip(CUSTOM_PROPERTIES, self.varies_by, product.values, strict=False)
        return {
            "sku": product.sku,
            "property_values": [
                {
                    "property_id": property_id,
                    "property_name": name,
                    "value_ids": [],
                    "values": [value],
                }
                for property_id, name, value in described
            ],
            "offerings": [
                {
                    "price": Decimal(product.price.amount()),
                    "quantity": product.quantity,
                    "is_enabled": product.quantity > 0,
                    "readiness_state_id": self.processing_profile_id,
                }
            ],
        }


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """A variant as Etsy has it. What Etsy does not say is None."""

    product_id: int
    sku: str | None
    price: Money | None
    quantity: int | None
    enabled: bool | None
    values: tuple[str, ...]

    @classmethod
    def all_in(cls, body: Any) -> "list[StoredProduct]":
        """Read an inventory, without what was deleted."""
        return [
            cls._of(row) for row in rows(body, "products") if flag(row, "is_deleted") is not True
        ]

    @classmethod
    def _of(cls, row: Mapping[str, Any]) -> "StoredProduct":
        offerings = [one for one in rows(row, "offerings") if flag(one, "is_deleted") is not True]
        offering = offerings[0] if offerings else {}
        sku = row.get("sku")
        return cls(
            product_id=number(row, "product_id"),
            sku=sku if isinstance(sku, str) and sku else None,
            price=money(offering, "price"),
            quantity=whole(offering, "quantity"),
            enabled=flag(offering, "is_enabled"),
            values=tuple(
                value
                for each in rows(row, "property_values")
                for value in (texts(each, "values") or ())
            ),
        )


@dataclass(frozen=True, slots=True)
class ListingProperty:
    """Something said of a listing as a whole, in Etsy's own ids."""

    property_id: int
    value_ids: tuple[int, ...]
    values: tuple[str, ...]

    @classmethod
    def of(cls, row: Any) -> "ListingProperty":
        """Read one; also how it is stored with a choice."""
        return cls(
            number(row, "property_id"), numbers(row, "value_ids"), texts(row, "values") or ()
        )
