"""A product of the file on top of the product that the shop has, if it has one."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from models.selling.catalog import Product, ProductStatus
from services.selling.catalog.checks import problems_of
from services.selling.catalog.drafts import ProductDraft, VariantDraft
from services.selling.catalog.importing.products import ImportedProduct, ImportedVariant
from services.selling.catalog.importing.report import Issue
from services.selling.catalog.importing.words import Meaning
from shared.errors import FieldProblem

Thing = TypeVar("Thing")

_COLUMN_OF = {
    "title": "title",
    "description": "description",
    "brand": "vendor",
    "handle": "handle",
    "tags": "tags",
    "option_names": "option1_name",
    "price": "price",
    "quantity": "quantity",
    "sku": "sku",
    "barcode": "barcode",
    "weight_grams": "grams",
    "option_values": "option1_value",
}
"""Field of a product or variant → our name of the column."""


def merge(
    wanted: ImportedProduct, meaning: Meaning, existing: Product | None, currency: str
) -> tuple[ProductDraft, list[Issue]]:
    """The product as it shall be, and everything that speaks against it.

    A column that the file lacks, and a word that we do not know, leave what the shop has.
    """
    before = ProductDraft.of(existing) if existing else None
    issues: list[Issue] = []
    draft = ProductDraft(
        handle=wanted.handle,
        title=wanted.title,
        currency=currency,
        description=_kept(
            wanted, "description", wanted.description, before.description if before else None
        )
        or "",
        status=wanted.status or (before.status if before else ProductStatus.ACTIVE),
        brand=_kept(wanted, "vendor", wanted.brand, before.brand if before else None),
        category=meaning.category or (before.category if before else None),
        condition=meaning.condition or (before.condition if before else None),
        department=meaning.department or (before.department if before else None),
        attributes={**(before.attributes if before else {}), **meaning.attributes},
        tags=_kept(wanted, "tags", wanted.tags, before.tags if before else None) or (),
        option_names=wanted.option_names,
        variants=_variants(wanted, before, issues),
    ).cleaned()
    # Codes come from the catalogues or were checked when they were stored.
    known = {
        (kind, code)
        for kind, code in (
            ("category", draft.category),
            ("condition", draft.condition),
            ("department", draft.department),
        )
        if code is not None
    }
    issues += [_issue(wanted, problem) for problem in problems_of(draft, known)]
    return draft, issues


def _kept(
    wanted: ImportedProduct, column: str, new: Thing | None, before: Thing | None
) -> Thing | None:
    return new if column in wanted.columns else before


def _variants(
    wanted: ImportedProduct, before: ProductDraft | None, issues: list[Issue]
) -> tuple[VariantDraft, ...]:
    matches = _matches(wanted, before) if before else {}
    return tuple(
        _variant(wanted, variant, matches.get(variant.row), issues) for variant in wanted.variants
    )


def _variant(
    wanted: ImportedProduct,
    variant: ImportedVariant,
    before: VariantDraft | None,
    issues: list[Issue],
) -> VariantDraft:
    quantity = variant.quantity
    if quantity is None and before is not None:
        quantity = before.quantity
    if quantity is None:
        header = wanted.columns.header("quantity")
        issues.append(Issue(variant.row, header, "is empty", "required", wanted.handle))
    return VariantDraft(
        price_minor=variant.price_minor,
        quantity=quantity or 0,
        option_values=variant.option_values,
        sku=variant.sku if "sku" in wanted.columns or before is None else before.sku,
        barcode=variant.barcode
        if "barcode" in wanted.columns or before is None
        else before.barcode,
        weight_grams=(
            variant.weight_grams
            if "grams" in wanted.columns or before is None
            else before.weight_grams
        ),
        id=before.id if before else None,
    )


def _matches(wanted: ImportedProduct, before: ProductDraft) -> dict[int, VariantDraft]:
    """Row → the variant it continues: the same SKU, else the same options, else the only one."""
    new, old = list(wanted.variants), list(before.variants)
    found = _paired(new, old, lambda it: it.sku, lambda it: it.sku)
    same_options = _folded(wanted.option_names) == _folded(before.option_names)
    new = [variant for variant in new if variant.row not in found]
    taken = {variant.id for variant in found.values()}
    old = [variant for variant in old if variant.id not in taken]
    if same_options and before.option_names:
        found |= _paired(
            new, old, lambda it: _folded(it.option_values), lambda it: _folded(it.option_values)
        )
    elif len(wanted.variants) == len(before.variants) == len(new) == 1:
        found[new[0].row] = old[0]
    return found


def _paired(
    new: Iterable[ImportedVariant],
    old: Iterable[VariantDraft],
    key_of_new: Callable[[ImportedVariant], Hashable],
    key_of_old: Callable[[VariantDraft], Hashable],
) -> dict[int, VariantDraft]:
    new, old = list(new), list(old)
    often = Counter(map(key_of_new, new)) + Counter(set(map(key_of_old, old)))
    by_key = {key_of_old(variant): variant for variant in old}
    twice = {key for key, number in Counter(map(key_of_old, old)).items() if number > 1}
    return {
        variant.row: by_key[key]
        for variant in new
        if (key := key_of_new(variant)) and key in by_key and key not in twice and often[key] == 2
    }


def _folded(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value.casefold() for value in values)


def _issue(wanted: ImportedProduct, problem: FieldProblem) -> Issue:
    """The row and column behind a field such as `variants.2.price`."""
    parts = problem.field.split(".")
    row = wanted.first.number
    if parts[0] == "variants" and len(parts) > 2:
        row, parts = wanted.variants[int(parts[1])].row, parts[2:]
    column = wanted.columns.header(_COLUMN_OF.get(parts[0], problem.field))
    return Issue(row, column, problem.message, problem.code, wanted.handle)
