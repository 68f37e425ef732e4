"""What is said of an item: read, and everything that is wrong with it told at once."""

import uuid
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.vinted.catalogue import CONDITIONS, PACKAGE_SIZES, Catalog, Catalogue
from sandbox.vinted.errors import validation_error
from sandbox.vinted.operations import JSON
from sandbox.vinted.state import VintedState

MAX_COLORS = 2
Wrong = Iterator[tuple[str, str]]


def is_whole(value: Any) -> bool:
    """A JSON integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """A JSON number; a string of digits is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_uuid(value: Any) -> bool:
    """A UUID as text."""
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def is_list_of_numbers(value: Any) -> bool:
    """An array of integers."""
    return isinstance(value, list) and all(is_whole(one) for one in value)


def is_list_of_attributes(value: Any) -> bool:
    """An array of `{code, ids}`."""
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("code"), str)
        and is_list_of_numbers(one.get("ids"))
        for one in value
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "title": ("title", _is_text),
    "description": ("description", _is_text),
    "price": ("price", is_number),
    "currency": ("currency", _is_text),
    "catalog_id": ("catalog", is_whole),
    "brand_id": ("brand", is_whole),
    "brand": ("brand", _is_text),
    "size_id": ("size", is_whole),
    "status_id": ("condition", is_whole),
    "color_ids": ("color", is_list_of_numbers),
    "package_size_id": ("package_size", is_whole),
    "item_attributes": ("item_attributes", is_list_of_attributes),
    "temp_uuid": ("temp_uuid", is_uuid),
    "is_unisex": ("is_unisex", _is_flag),
    "ai_photo": ("ai_photo", _is_flag),
    "isbn": ("isbn", _is_text),
    "measurement_length": ("measurement_length", is_number),
    "measurement_width": ("measurement_width", is_number),
    "manufacturer": ("manufacturer", _is_text),
    "manufacturer_labelling": ("manufacturer_labelling", _is_text),
}
"""By name: what a refusal calls it, and what it must be where it is not null. The names brand,
condition, color, price and size in refusals are Vinted's, the others the sandbox's own."""


def cents(price: float) -> int:
    """An amount in hundredths."""
    return int((Decimal(str(price)) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def attribute(content: JSON, code: str) -> list[int]:
    """The ids an item has under an attribute's code."""
    rows = content.get("item_attributes") or []
    return next((list(row["ids"]) for row in rows if row["code"] == code), [])


def chosen(content: JSON, code: str, old_name: str, legacy: bool) -> int | None:
    """Size or condition, from where this site reads it."""
    if legacy:
        number: int | None = content.get(old_name)
        return number
    return next(iter(attribute(content, code)), None)


class ItemForm:
    """One form. `content` is what was said, by the names of FIELDS, nulls left out."""

    def __init__(self, catalogue: Catalogue, form: Any, site: VintedState) -> None:
        if not isinstance(form, dict):
            raise validation_error([("base", "L'article est manquant.")])
        self.content: JSON = {name: form[name] for name in FIELDS if form.get(name) is not None}
        self._catalogue = catalogue
        self._legacy, self._currency = site.legacy_form, site.currency
        misshapen = [
            (FIELDS[name][0], "Cette valeur n'est pas du bon type.")
            for name, value in self.content.items()
            if not FIELDS[name][1](value)
        ]
        if misshapen:
            raise validation_error(misshapen)

    def unfit(self) -> Wrong:
        """What cannot be, in a draft either."""
        price, currency = self.content.get("price"), self.content.get("currency")
        if price is not None and cents(price) <= 0:
            yield "price", "Le prix doit être supérieur à zéro."
        if currency not in (None, self._currency):
            yield "currency", f"La devise doit être {self._currency}."
        yield from self._unfit_catalog()
        yield from self._unfit_colors()
        brand_id, package = self.content.get("brand_id"), self.content.get("package_size_id")
        if brand_id is not None and brand_id not in self._catalogue.brands:
            yield "brand", "Cette marque n'existe pas."
        if package is not None and package not in PACKAGE_SIZES:
            yield "package_size", "Ce format de colis n'existe pas."
        yield from self._unfit_attributes()

    def missing(self) -> Wrong:
        """What an item for sale lacks."""
        for name, sentence in (
            ("title", "Le titre est obligatoire."),
            ("description", "La description est obligatoire."),
        ):
            if not self.content.get(name, "").strip():
                yield name, sentence
        for name in ("price", "currency", "catalog_id", "package_size_id"):
            if name not in self.content:
                yield FIELDS[name][0], "Cette information est obligatoire."
        if self._condition is None:
            yield "condition", "Indiquez l'état de l'article."
        if self._catalog is not None:
            yield from self._missing_of(self._catalog)

    @property
    def _catalog(self) -> Catalog | None:
        return self._catalogue.catalogs.get(self.content.get("catalog_id", 0))

    @property
    def _size(self) -> int | None:
        return chosen(self.content, "size", "size_id", self._legacy)

    @property
    def _condition(self) -> int | None:
        return chosen(self.content, "condition", "status_id", self._legacy)

    def _missing_of(self, catalog: Catalog) -> Wrong:
        named = self.content.get("brand_id") is not None or self.content.get("brand", "").strip()
        if catalog.has_brand and not named:
            yield "brand", "Indiquez la marque."
        if catalog.has_color and not self.content.get("color_ids"):
            yield "color", "Indiquez une couleur."
        if catalog.size_groups and self._size is None:
            yield "size", "Indiquez la taille."

    def _unfit_catalog(self) -> Wrong:
        if "catalog_id" in self.content and self._catalog is None:
            yield "catalog", "Cette catégorie n'existe pas."
        elif self._catalog is not None and self._catalog.children:
            yield "catalog", "Choisissez une catégorie plus précise."

    def _unfit_colors(self) -> Wrong:
        colors = self.content.get("color_ids", [])
        if len(colors) > MAX_COLORS:
            yield "color", "Deux couleurs au plus."
        if any(color not in self._catalogue.colors for color in colors):
            yield "color", "Cette couleur n'existe pas."

    def _unfit_attributes(self) -> Wrong:
        leaf = self._catalog is not None and not self._catalog.children
        groups = self._catalog.size_groups if self._catalog is not None else []
        known = {
            "size": {
                size.size_id
                for size in self._catalogue.sizes.values()
                if not leaf or size.group_id in groups
            },
            "condition": set(CONDITIONS),
            "material": set(self._catalogue.materials),
        }
        size, condition = self._size, self._condition
        if size is not None and size not in known["size"]:
            yield "size", "Cette taille n'existe pas dans cette catégorie."
        if condition is not None and condition not in known["condition"]:
            yield "condition", "Cet état n'existe pas."
        for row in self.content.get("item_attributes", []):
            if row["code"] not in known:
                yield row["code"], "Cette catégorie n'a pas cet attribut."
        if not set(attribute(self.content, "material")) <= known["material"]:
            yield "material", "Cette matière n'existe pas."
