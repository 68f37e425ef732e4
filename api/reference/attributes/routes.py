"""Catalogues: attribute tables, and the tree of categories with its places on marketplaces."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

from api.dependencies.services_reference import Browsing, Mappings
from api.pages import PageSize
from api.policies import Policy, guarded_router
from api.problems import problems
from api.reference.attributes.schemas import (
    AttributeTableOut,
    AttributeTablesOut,
    AttributeValueOut,
    AttributeValuesOut,
    CategoriesOut,
    CategoryOut,
    CategoryPlacesOut,
    Language,
    PlaceOut,
)
from services.reference.attributes.browsing import AttributeTableNotFound, CategoryNotFound
from shared.text import one_line

attributes = guarded_router("/attributes", policy=Policy.SIGNED_IN, tag="catalogues")
categories = guarded_router("/categories", policy=Policy.SIGNED_IN, tag="catalogues")

ROUTERS = (attributes, categories)

TableName = Annotated[str, Path(max_length=63, examples=["brands"])]
CategoryCode = Annotated[str, Path(max_length=63, examples=["aa-1-4"])]
Typed = Annotated[
    str | None,
    Query(
        max_length=100,
        description="What was typed so far: the beginning of a name or of one of its words, in"
        " any language. Case, accents and punctuation do not count.",
        examples=["niké"],
    ),
    AfterValidator(lambda words: words if words is None else one_line(words)),
]


@attributes.get("")
def list_attribute_tables(browsing: Browsing, lang: Language = "en") -> AttributeTablesOut:
    """Which attribute tables there are, and whom they are owed to."""
    items = [AttributeTableOut.of(each, lang) for each in browsing.tables()]
    return AttributeTablesOut(items=items)


@attributes.get("/{table}", responses=problems(AttributeTableNotFound))
def list_attribute_values(
    table: TableName,
    browsing: Browsing,
    q: Typed = None,
    lang: Language = "en",
    limit: PageSize = 20,
) -> AttributeValuesOut:
    """Values of a table: names that begin as typed, then those with a word that does."""
    items = [AttributeValueOut.of(each, lang) for each in browsing.values(table, q, limit)]
    return AttributeValuesOut(items=items)


@categories.get("", responses=problems(CategoryNotFound))
def list_categories(
    browsing: Browsing,
    parent: Annotated[
        str | None, Query(max_length=63, description="Whose children; without it the roots.")
    ] = None,
    q: Typed = None,
    lang: Language = "en",
    limit: PageSize = 20,
) -> CategoriesOut:
    """Children of a category, all of them; or, with `q`, the best `limit` of the whole tree."""
    found = browsing.categories(parent) if q is None else browsing.categories_called(q, limit)
    return CategoriesOut(items=[CategoryOut.of(each, lang) for each in found])


@categories.get("/{code}", responses=problems(CategoryNotFound))
def show_category(
    code: CategoryCode, browsing: Browsing, mappings: Mappings, lang: Language = "en"
) -> CategoryPlacesOut:
    """A category, and where each marketplace keeps it."""
    category = browsing.category(code)
    shown = CategoryOut.of(category, lang)
    rows = [row for mapping in mappings for row in mapping.places_of(code).values()]
    places = sorted((PlaceOut.of(row) for row in rows), key=_by_platform)
    return CategoryPlacesOut(**shown.model_dump(), places=places)


def _by_platform(place: PlaceOut) -> tuple[str, str]:
    return place.platform, place.department or ""
