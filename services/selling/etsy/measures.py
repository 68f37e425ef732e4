"""Of what a thing is made, how heavy and how large it is, as far as the product says it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal

from models.selling.catalog import Product
from services.gateways.etsy.listings import ItemSize

MAX_MATERIALS = 13
MATERIAL_LIMIT = 45

_LENGTH = re.compile(r"(?P<number>\d{1,5}(?:\.\d{1,3})?) ?(?P<unit>mm|cm|m|in|ft|yd)")


def usable_materials(words: Sequence[str]) -> list[str]:
    """The first 13 that Etsy takes: letters, digits and blanks."""
    return [word for word in words if _material_fits(word)][:MAX_MATERIALS]


def heaviest(product: Product) -> int | None:
    """Grams of the heaviest variant; None when none is known."""
    return max((each.weight_grams or 0 for each in product.variants), default=0) or None


def size_of(attributes: Mapping[str, Sequence[str]]) -> ItemSize | None:
    """Of the attributes `length`, `width` and `height`, each such as `30 cm`.

    None unless all three are there, in one unit: a dress that is *long* has no measure.
    """
    found = [_LENGTH.fullmatch(_first(attributes, side)) for side in ("length", "width", "height")]
    numbers = [Decimal(each["number"]) for each in found if each is not None]
    units = {each["unit"] for each in found if each is not None}
    if len(numbers) < len(found) or len(units) > 1 or not all(numbers):
        return None
    length, width, height = numbers
    return ItemSize(length, width, height, units.pop())


def _first(attributes: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(attributes.get(name, ())), "").strip().lower()


def _material_fits(word: str) -> bool:
    return 0 < len(word.strip()) <= MATERIAL_LIMIT and all(
        unicodedata.category(sign)[0] == "L" or unicodedata.category(sign) in {"Nd", "Zs"}
        for sign in word
    )
