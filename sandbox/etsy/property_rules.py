"""Properties of listings and products: which ids and values there are."""

import zlib
from typing import Any

from sandbox.etsy.errors import bad_request
from sandbox.etsy.taxonomy_data import Property, Taxonomy

CUSTOM = (513, 514)
"""Properties under a name of the seller's own, with values of the seller's own."""
FIELDS = frozenset({"property_id", "property_name", "scale_id", "value_ids", "values"})
NEEDED = frozenset({"property_id", "value_ids", "values"})
OWN_VALUES_FROM = 60_000_000_000
MAX_VALUE = 45


def described(taxonomy: Taxonomy, taxonomy_id: int, row: Any) -> dict[str, Any]:
    """What a product says of itself, as Etsy's ListingPropertyValue. Raises EtsyError 400."""
    if not isinstance(row, dict) or set(row) - FIELDS or NEEDED - set(row):
        raise bad_request(
            "Each of property_values has property_id, value_ids and values, and may have "
            "property_name and scale_id."
        )
    property_id, ids, values = row["property_id"], row["value_ids"], row["values"]
    if row.get("scale_id") is not None:
        raise bad_request("Invalid value for scale_id: the property has no scales.")
    if not _whole_numbers(ids) or not _texts(values) or len(values) != 1:
        raise bad_request("values is an array of one text, value_ids one of numbers or none.")
    known = find(taxonomy, taxonomy_id, property_id)
    if property_id in CUSTOM:
        name = row.get("property_name")
        if not isinstance(name, str) or not name.strip() or "(" in name or ")" in name:
            raise bad_request("A custom property needs a property_name, without parentheses.")
        return property_value(property_id, name, [_own_value(name, values[0])], values)
    if known is None or not known.variation:
        raise bad_request(f"Invalid value for property_id: {property_id} is no variation here.")
    return property_value(property_id, known.name, value_ids(known, ids, values), values)


def find(taxonomy: Taxonomy, taxonomy_id: int, property_id: Any) -> Property | None:
    """The property that listings of the node have under this id."""
    rows = taxonomy.properties_of(taxonomy_id)
    return next((one for one in rows if one.property_id == property_id), None)


def value_ids(known: Property, ids: list[int], values: list[str]) -> list[int]:
    """The ids of `values`, given or looked up. Raises EtsyError 400 where they do not fit."""
    numbers = {name: number for number, name in known.values.items()}
    found = [numbers.get(value) or _own_value(known.name, value) for value in values]
    if ids and ids != found:
        raise bad_request(f"value_ids and values of property {known.property_id} do not agree.")
    return found


def property_value(
    property_id: int, name: str, ids: list[int], values: list[str]
) -> dict[str, Any]:
    """Etsy's ListingPropertyValue."""
    return {
        "property_id": property_id,
        "property_name": name,
        "scale_id": None,
        "scale_name": None,
        "value_ids": ids,
        "values": values,
    }


def _own_value(name: str, value: str) -> int:
    """The number of a value that the seller made up: the same for the same words."""
    return OWN_VALUES_FROM + zlib.crc32(f"{name}\n{value}".encode())


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int and one > 0 for one in value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, str) and 0 < len(one.strip()) <= MAX_VALUE and not set(one) & {"(", ")"}
        for one in value
    )
