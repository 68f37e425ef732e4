"""What a product must satisfy before it is stored. Pure; names every field that is wrong."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set

from models.selling.catalog import (
    DESCRIPTION_LIMIT,
    OPTION_LIMIT,
    TITLE_LIMIT,
    VARIANT_LIMIT,
)
from services.selling.catalog.drafts import ProductDraft, VariantDraft
from shared.errors import FieldProblem
from shared.money import MAX_MINOR, exponent_of

QUANTITY_LIMIT = 999_999
WEIGHT_LIMIT_GRAMS = 1_000_000
TEXT_LIMIT = 255
"""For brand, SKU, tags, option names and values, attribute names and values."""
BARCODE_LIMIT = 64
TAG_LIMIT = 250
ATTRIBUTE_LIMIT = 100
VALUES_LIMIT = 50
"""Values of one attribute."""

_HANDLE = re.compile(r"[^\s/?#\\]+")
_CURRENCY = re.compile(r"[A-Z]{3}")

KnownCodes = Set[tuple[str, str]]
"""What the catalogues have: ("category", code), ("condition", code), ("department", code)."""


def problems_of(draft: ProductDraft, known: KnownCodes) -> list[FieldProblem]:
    """Everything wrong with a cleaned draft; empty when it may be stored."""
    return [
        *_texts(draft),
        *_codes(draft, known),
        *_lists(draft),
        *_options(draft),
        *_currency(draft),
        *_variants(draft),
    ]


def _texts(draft: ProductDraft) -> Iterator[FieldProblem]:
    if not draft.title:
        yield FieldProblem("title", "must not be empty", "required")
    yield from _too_long("title", draft.title, TITLE_LIMIT)
    yield from _too_long("description", draft.description, DESCRIPTION_LIMIT)
    yield from _too_long("brand", draft.brand, TEXT_LIMIT)
    yield from _too_long("handle", draft.handle, TEXT_LIMIT)
    if draft.handle and not _HANDLE.fullmatch(draft.handle):
        yield FieldProblem("handle", "no white space, slash, ? or #")


def _codes(draft: ProductDraft, known: KnownCodes) -> Iterator[FieldProblem]:
    for kind, code in (
        ("category", draft.category),
        ("condition", draft.condition),
        ("department", draft.department),
    ):
        if code is not None and (kind, code) not in known:
            yield FieldProblem(kind, f"there is no {kind} {code[:60]!r}", f"unknown-{kind}")


def _lists(draft: ProductDraft) -> Iterator[FieldProblem]:
    if len(draft.tags) > TAG_LIMIT:
        yield FieldProblem("tags", f"at most {TAG_LIMIT}", "too-many")
    yield from _each_too_long("tags", draft.tags)
    if len(draft.attributes) > ATTRIBUTE_LIMIT:
        yield FieldProblem("attributes", f"at most {ATTRIBUTE_LIMIT}", "too-many")
    for name, values in draft.attributes.items():
        if not name:
            yield FieldProblem("attributes", "a name must not be empty", "required")
        yield from _too_long("attributes", name, TEXT_LIMIT)
        if len(values) > VALUES_LIMIT:
            yield FieldProblem(f"attributes.{name}", f"at most {VALUES_LIMIT} values", "too-many")
        yield from _each_too_long(f"attributes.{name}", values)


def _options(draft: ProductDraft) -> Iterator[FieldProblem]:
    names = draft.option_names
    if len(names) > OPTION_LIMIT:
        yield FieldProblem("option_names", f"at most {OPTION_LIMIT}", "too-many")
    if not all(names):
        yield FieldProblem("option_names", "a name must not be empty", "required")
    if _repeated(name.casefold() for name in names):
        yield FieldProblem("option_names", "each name only once", "repeated")
    yield from _each_too_long("option_names", names)


def _currency(draft: ProductDraft) -> Iterator[FieldProblem]:
    if not _CURRENCY.fullmatch(draft.currency):
        yield FieldProblem("currency", "three capital letters of ISO 4217, such as USD")


def _variants(draft: ProductDraft) -> Iterator[FieldProblem]:
    if not draft.variants:
        yield FieldProblem("variants", "at least one", "required")
    if len(draft.variants) > VARIANT_LIMIT:
        yield FieldProblem("variants", f"at most {VARIANT_LIMIT}", "too-many")
    if not draft.option_names and len(draft.variants) > 1:
        yield FieldProblem("option_names", "say what the variants differ in", "required")
    repeated = _repeated(_folded(variant.option_values) for variant in draft.variants)
    for number, variant in enumerate(draft.variants):
        path = f"variants.{number}"
        yield from _variant(path, variant, draft)
        if draft.option_names and _folded(variant.option_values) in repeated:
            yield FieldProblem(f"{path}.option_values", "another variant has the same", "repeated")


def _variant(path: str, variant: VariantDraft, draft: ProductDraft) -> Iterator[FieldProblem]:
    if not 0 < variant.price_minor <= MAX_MINOR:
        limit = MAX_MINOR // 10 ** exponent_of(draft.currency)
        message = "must be above 0" if variant.price_minor <= 0 else f"at most {limit}"
        yield FieldProblem(f"{path}.price", message, "out-of-range")
    yield from _in_range(f"{path}.quantity", variant.quantity, QUANTITY_LIMIT)
    if variant.weight_grams is not None:
        yield from _in_range(f"{path}.weight_grams", variant.weight_grams, WEIGHT_LIMIT_GRAMS)
    yield from _too_long(f"{path}.sku", variant.sku, TEXT_LIMIT)
    yield from _too_long(f"{path}.barcode", variant.barcode, BARCODE_LIMIT)
    yield from _each_too_long(f"{path}.option_values", variant.option_values)
    if len(variant.option_values) != len(draft.option_names):
        named = ", ".join(draft.option_names) or "none"
        yield FieldProblem(f"{path}.option_values", f"one value for each option ({named})")
    elif not all(variant.option_values):
        yield FieldProblem(f"{path}.option_values", "must not be empty", "required")


def _in_range(path: str, number: int, limit: int) -> Iterator[FieldProblem]:
    if not 0 <= number <= limit:
        yield FieldProblem(path, f"from 0 to {limit}", "out-of-range")


def _too_long(path: str, text: str | None, limit: int) -> Iterator[FieldProblem]:
    if text is not None and len(text) > limit:
        yield FieldProblem(path, f"at most {limit} characters, this has {len(text)}", "too-long")


def _each_too_long(path: str, texts: Iterable[str]) -> Iterator[FieldProblem]:
    for number, text in enumerate(texts):
        yield from _too_long(f"{path}.{number}", text, TEXT_LIMIT)


def _folded(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.casefold() for value in values)


def _repeated(keys: Iterable[object]) -> set[object]:
    return {key for key, number in Counter(keys).items() if number > 1}
