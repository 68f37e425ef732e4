"""What an inventory sent by PUT must look like."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.etsy.errors import bad_request
from sandbox.etsy.inventory_views import ON_PROPERTY
from sandbox.etsy.listing_rules import MAX_QUANTITY, check_price
from sandbox.etsy.property_rules import described
from sandbox.etsy.state import Listing, Offering, Product, Shop
from sandbox.etsy.taxonomy_data import Taxonomy
from sandbox.etsy.values import cents

MAX_SKU = 32
MAX_PRODUCTS = 4_900
"""70 values of one property by 70 of another."""
PRODUCT_FIELDS = frozenset({"sku", "property_values", "offerings"})
OFFERING_FIELDS = frozenset({"price", "quantity", "is_enabled", "readiness_state_id"})
Body = Mapping[str, Any]


@dataclass(frozen=True)
class WantedProduct:
    """A product as asked for; `offering` is cents, quantity, whether shown, processing profile."""

    sku: str
    offering: tuple[int, int, bool, int | None]
    property_values: list[dict[str, Any]] = field(default_factory=list)

    def as_product(self) -> Product:
        """The product without numbers of its own."""
        return Product(0, self.sku, Offering(0, *self.offering), self.property_values)

    def depends(self, name: str) -> Any:
        """The value of what `*_on_property` calls `name`."""
        price, quantity, _, readiness = self.offering
        return {
            "price": price,
            "quantity": quantity,
            "sku": self.sku,
            "readiness_state": readiness,
        }[name]

    def values_of(self, property_ids: list[int]) -> tuple[tuple[str, ...], ...]:
        """What this product is in those properties."""
        return tuple(
            tuple(one["values"])
            for one in self.property_values
            if one["property_id"] in property_ids
        )


@dataclass(frozen=True)
class WantedInventory:
    """A whole inventory as asked for."""

    products: list[WantedProduct]
    on_property: dict[str, list[int]]

    @property
    def units(self) -> int:
        """What buyers could buy in all."""
        return sum(one.offering[1] for one in self.products if one.offering[2])


def read_inventory(
    taxonomy: Taxonomy, shop: Shop, listing: Listing, body: Body, most_properties: int
) -> WantedInventory:
    """The inventory of a request. Raises EtsyError 400."""
    _only(body, {"products", *(f"{name}_on_property" for name in ON_PROPERTY)}, "the inventory")
    rows = body.get("products")
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_PRODUCTS:
        raise bad_request("products must be an array that is not empty.")
    products = [_product(taxonomy, shop, listing, row) for row in rows]
    wanted = WantedInventory(products, _on_property(body))
    _check_variations(products, most_properties)
    for name, property_ids in wanted.on_property.items():
        _check_dependence(name, property_ids, products)
    if not 0 < wanted.units <= MAX_QUANTITY:
        raise bad_request(
            f"The quantity of all enabled offerings must be between 1 and {MAX_QUANTITY}."
        )
    return wanted


def _product(taxonomy: Taxonomy, shop: Shop, listing: Listing, row: Any) -> WantedProduct:
    _only(row, PRODUCT_FIELDS, "a product")
    sku = row.get("sku") or ""
    if not isinstance(sku, str) or len(sku) > MAX_SKU:
        raise bad_request(f"sku must be a text of at most {MAX_SKU} characters.")
    offerings, values = row.get("offerings"), row.get("property_values", [])
    if not isinstance(offerings, list) or len(offerings) != 1:
        raise bad_request("A product must have one offering in offerings.")
    if not isinstance(values, list):
        raise bad_request("property_values must be an array.")
    node = listing.content["taxonomy_id"]
    found = [described(taxonomy, node, value) for value in values]
    return WantedProduct(sku, _offering(shop, offerings[0]), found)


def _offering(shop: Shop, row: Any) -> tuple[int, int, bool, int | None]:
    _only(row, OFFERING_FIELDS, "an offering")
    missing = OFFERING_FIELDS - set(row)
    if missing:
        raise bad_request(f"An offering lacks {', '.join(sorted(missing))}.")
    price, quantity, enabled = _price(row["price"]), row["quantity"], row["is_enabled"]
    if type(quantity) is not int or not 0 <= quantity <= MAX_QUANTITY:
        raise bad_request(f"quantity must be a whole number between 0 and {MAX_QUANTITY}.")
    if not isinstance(enabled, bool):
        raise bad_request("is_enabled must be true or false.")
    readiness = row["readiness_state_id"]
    if readiness is not None and readiness not in list(shop.readiness_states):
        raise bad_request("Invalid value for readiness_state_id: it does not exist.")
    return cents(price), quantity, enabled, readiness


def _price(value: Any) -> Decimal:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise bad_request("price must be a number, not a Money.")
    price = Decimal(str(value))
    check_price(price)
    return price


def _on_property(body: Body) -> dict[str, list[int]]:
    found = {name: body.get(f"{name}_on_property") or [] for name in ON_PROPERTY}
    for name, ids in found.items():
        if not isinstance(ids, list) or not all(type(one) is int for one in ids):
            raise bad_request(f"{name}_on_property must be an array of property ids.")
    return found


def _check_variations(products: list[WantedProduct], most: int) -> None:
    """All products vary in the same properties, and no two are the same."""
    used = [[one["property_id"] for one in product.property_values] for product in products]
    if any(ids != used[0] for ids in used) or len(set(used[0])) < len(used[0]):
        raise bad_request("All products must have the same property_values, each once.")
    if len(used[0]) > most:
        raise bad_request(f"Products may vary in at most {most} properties.")
    combinations = [product.values_of(used[0]) for product in products]
    if len(set(combinations)) < len(combinations):
        raise bad_request("Two products have the same property values.")


def _check_dependence(name: str, ids: list[int], products: list[WantedProduct]) -> None:
    """Products that are alike in `ids` must be alike in `name`."""
    known = {one["property_id"] for one in products[0].property_values}
    if not set(ids) <= known:
        raise bad_request(f"{name}_on_property names a property that products do not have.")
    by_values = sorted(products, key=lambda one: one.values_of(ids))
    for _, alike in itertools.groupby(by_values, key=lambda one: one.values_of(ids)):
        if len({product.depends(name) for product in alike}) > 1:
            raise bad_request(
                f"{name} differs between products although {name}_on_property does not say so."
            )


def _only(row: Any, known: set[str] | frozenset[str], what: str) -> None:
    """Refuse what belongs to answers only, such as product_id, or is misspelt."""
    if not isinstance(row, dict):
        raise bad_request(f"{what} must be an object.")
    strange = sorted(set(row) - known)
    if strange:
        raise bad_request(f"{what} has unknown fields: {', '.join(strange)}.")
