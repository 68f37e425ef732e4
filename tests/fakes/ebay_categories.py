"""eBay's answers about categories, taken from the sandbox's files without a network."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sandbox.ebay.catalogue import Catalogue
from services.gateways.ebay.marketplaces import marketplace_named
from shared.errors import EbayError

_CATALOGUE = Catalogue()


@dataclass(frozen=True)
class Answer:
    """An item specific as a gateway would hand it over."""

    name: str
    required: bool
    mode: str = "FREE_TEXT"
    cardinality: str = "SINGLE"
    values: tuple[str, ...] = ()
    enabled_for_variations: bool = False
    max_length: int | None = 65


class FakeEbayCategories:
    """Answers as eBay would and remembers what it was asked."""

    site = marketplace_named("EBAY_US")

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.condition_calls: list[list[str]] = []
        self.fails_on: dict[str, EbayError] = {}
        self.extra: dict[str, list[Answer]] = {}
        """More item specifics by category id."""

    def aspects_of(self, category_id: str) -> Sequence[Answer]:
        if category_id in self.fails_on:
            raise self.fails_on[category_id]
        self.asked.append(category_id)
        known = [
            Answer(a.name, a.required, a.mode, a.cardinality, a.values, a.variant)
            for a in _CATALOGUE.aspects(category_id)
        ]
        return known + self.extra.get(category_id, [])

    def conditions_of(self, category_ids: Sequence[str]) -> Mapping[str, Collection[int]]:
        self.condition_calls.append(list(category_ids))
        return {
            category_id: [int(c.condition_id) for c in _CATALOGUE.allowed_conditions(category_id)]
            for category_id in category_ids
        }
