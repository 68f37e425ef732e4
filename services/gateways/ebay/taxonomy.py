"""eBay's categories and the item specifics each of them knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from services.gateways.ebay.reading import at, optional_text, rows, text, whole
from services.gateways.ebay.transport import EbayRequest, EbayTransport

BASE = "/commerce/taxonomy/v1"


@dataclass(frozen=True, slots=True)
class CategoryAspect:
    """An item specific of a category."""

    name: str
    required: bool
    mode: str
    """`FREE_TEXT` or `SELECTION_ONLY`."""
    cardinality: str
    """`SINGLE` or `MULTI`."""
    values: list[str]
    enabled_for_variations: bool
    max_length: int | None
    """Characters a value may have."""


@dataclass(frozen=True, slots=True)
class CategorySuggestion:
    """A category without sub-categories, and its names from the root down."""

    category_id: str
    path: tuple[str, ...]


class EbayTaxonomyClient:
    """`/commerce/taxonomy/v1`, under the application's own token."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    @cached_property
    def tree_id(self) -> str:
        """The tree of this marketplace; asked once."""
        answer = self._transport.send(
            EbayRequest(
                "getDefaultCategoryTreeId",
                "GET",
                f"{BASE}/get_default_category_tree_id",
                params={"marketplace_id": self._transport.marketplace.id},
            )
        )
        return text(answer.body, "categoryTreeId")

    def aspects_of(self, category_id: str) -> Sequence[CategoryAspect]:
        """The item specifics of a leaf category. Refused (62009) for any other."""
        answer = self._transport.send(
            EbayRequest(
                "getItemAspectsForCategory",
                "GET",
                f"{self._tree}/get_item_aspects_for_category",
                params={"category_id": category_id},
            )
        )
        return [_aspect(row) for row in rows(answer.body, "aspects")]

    def suggestions(self, words: str) -> Sequence[CategorySuggestion]:
        """Leaf categories for these words, likeliest first; may be empty."""
        answer = self._transport.send(
            EbayRequest(
                "getCategorySuggestions",
                "GET",
                f"{self._tree}/get_category_suggestions",
                params={"q": words},
            )
        )
        return [_suggestion(row) for row in rows(answer.body, "categorySuggestions")]

    @property
    def _tree(self) -> str:
        return f"{BASE}/category_tree/{quote(self.tree_id, safe='')}"


def _aspect(row: Mapping[str, Any]) -> CategoryAspect:
    constraint = at(row, "aspectConstraint")
    return CategoryAspect(
        name=text(row, "localizedAspectName"),
        # aspectUsage says only RECOMMENDED or OPTIONAL, also for what is mandatory.
        required=at(constraint, "aspectRequired") is True,
        mode=optional_text(constraint, "aspectMode") or "FREE_TEXT",
        cardinality=optional_text(constraint, "itemToAspectCardinality") or "SINGLE",
        values=[text(value, "localizedValue") for value in rows(row, "aspectValues")],
        enabled_for_variations=at(constraint, "aspectEnabledForVariations") is True,
        max_length=whole(constraint, "aspectMaxLength"),
    )


def _suggestion(row: Mapping[str, Any]) -> CategorySuggestion:
    def level(ancestor: Mapping[str, Any]) -> int:
        found = at(ancestor, "categoryTreeNodeLevel")
        return found if isinstance(found, int) else 0

    above = sorted(rows(row, "categoryTreeNodeAncestors"), key=level)
    names = [optional_text(ancestor, "categoryName") or "" for ancestor in above]
    return CategorySuggestion(
        text(row, "category", "categoryId"), (*names, text(row, "category", "categoryName"))
    )
