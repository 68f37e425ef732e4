"""Says a product in eBay's words: category, condition, item specifics.

Everything comes from the hand-checked mapping and from what eBay itself said about the category.
What is not known there is a gap with a name; nothing is guessed, and nothing is asked of eBay.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from models.reference.attributes import category_and_ancestors
from models.reference.marketplace_mappings import (
    EbayCategoryAspect,
    EbayCondition,
    Platform,
    PlatformCategory,
)
from repositories.reference.attributes import AttributeRepository
from repositories.reference.marketplace_mappings import (
    EbayMappingRepository,
    PlatformMappingRepository,
)
from services.gateways.ebay.marketplaces import SITES, Marketplace
from services.reference.attributes.lookup import AttributeLookup
from services.reference.marketplace_mappings.ebay_aspects import AspectFilling, EbayWords
from services.reference.marketplace_mappings.facts import (
    MAPPED_SITE,
    AspectFacts,
    EbayResolution,
    Gap,
    GapKind,
    ProductFacts,
)
from services.reference.marketplace_mappings.places import OwnPlaces, PlatformMapping
from shared.database import PlatformSession

_NO_ASPECTS = AspectFacts({}, (), ())


class UnmappedSite:
    """A site whose categories no source has given us: it knows what the shop chose, and no more."""

    def __init__(
        self, repository: PlatformMappingRepository, site: Marketplace, own: OwnPlaces
    ) -> None:
        self._repository = repository
        self._site = site
        self._own = own

    def category(self, code: str | None, department: str | None) -> PlatformCategory | Gap:
        """The shop's own place for a category, or that there is none."""
        if not code:
            return Gap(GapKind.CATEGORY_MISSING, "category", "Choose a category.")
        own = self._own.get((code, department or "")) or self._own.get((code, ""))
        if own is not None:
            return own
        path = self._repository.category_path(code) or code
        message = (
            f"We do not know the categories of {self._site.id} yet; choose one of eBay's own for "
            f"“{path}” or for this product."
        )
        return Gap(GapKind.CATEGORY_UNKNOWN_ON_SITE, "category", message)


class EbayMapping:
    """Maps products to a site of eBay's. Remembers what it read; keep it for a request or batch."""

    def __init__(
        self,
        repository: EbayMappingRepository,
        places: PlatformMapping | UnmappedSite,
        lookup: AttributeLookup,
        site: Marketplace,
    ) -> None:
        self._repository = repository
        self._places = places
        self._words = EbayWords(repository, lookup, site)
        self._implied: dict[str, Mapping[str, str]] = {}
        self._requirements: dict[str, tuple[Sequence[EbayCategoryAspect], set[int]] | None] = {}

    @classmethod
    def on(
        cls,
        session: PlatformSession,
        own: OwnPlaces | None = None,
        site: Marketplace = SITES[MAPPED_SITE],
    ) -> "EbayMapping":
        """The mapping as it stands in this session's transaction, a shop's `own` before it."""
        lookup = AttributeLookup(AttributeRepository(session))
        repository = PlatformMappingRepository(session, Platform.EBAY_US)
        places = (
            PlatformMapping(repository, lookup, own)
            if site.id == MAPPED_SITE
            else UnmappedSite(repository, site, own or {})
        )
        return cls(EbayMappingRepository(session, site.id), places, lookup, site)

    def resolve(self, product: ProductFacts) -> EbayResolution:
        """The product in eBay's words, with all its gaps at once."""
        category = self._category(product)
        if isinstance(category, Gap):
            condition_gaps = () if product.condition_code else (_no_condition(),)
            return EbayResolution(None, None, None, None, {}, (), (category, *condition_gaps))
        requirements = self._required_by(category.remote_id)
        if requirements is None:
            condition: EbayCondition | Gap = _requirements_unknown(category)
            aspects = _NO_ASPECTS
        else:
            known, accepted = requirements
            condition = self._condition(product.condition_code, accepted)
            aspects = self._aspects(product, known)
        found = None if isinstance(condition, Gap) else condition
        return EbayResolution(
            category_id=category.remote_id,
            category_path=category.remote_path,
            condition_id=found.ebay_condition_id if found else None,
            condition_enum=found.inventory_api_enum if found else None,
            aspects=aspects.shared,
            variant_aspects=aspects.by_variant,
            gaps=((condition,) if isinstance(condition, Gap) else ()) + aspects.gaps,
        )

    def _category(self, product: ProductFacts) -> PlatformCategory | Gap:
        if product.ebay_category_id:
            return _chosen(product.ebay_category_id)
        return self._places.category(product.category_code, product.department_code)

    def _implied_by(self, code: str) -> Mapping[str, str]:
        if code not in self._implied:
            codes = category_and_ancestors(code)
            rows = self._repository.implied_aspects_for(codes)
            farthest_first = sorted(rows, key=lambda row: -codes.index(row.category_code))
            self._implied[code] = {row.aspect_name: row.value for row in farthest_first}
        return self._implied[code]

    def _required_by(self, ebay_id: str) -> tuple[Sequence[EbayCategoryAspect], set[int]] | None:
        if ebay_id not in self._requirements:
            repository = self._repository
            self._requirements[ebay_id] = (
                (repository.category_aspects(ebay_id), repository.category_conditions(ebay_id))
                if repository.was_fetched(ebay_id)
                else None
            )
        return self._requirements[ebay_id]

    @cached_property
    def _conditions(self) -> Mapping[str, Sequence[EbayCondition]]:
        by_code: dict[str, list[EbayCondition]] = {}
        for row in self._repository.conditions():
            by_code.setdefault(row.condition_code, []).append(row)
        return by_code

    def _condition(self, code: str | None, accepted: set[int]) -> EbayCondition | Gap:
        if not code:
            return _no_condition()
        for row in self._conditions.get(code, ()):
            if row.ebay_condition_id in accepted:
                return row
        choices = tuple(
            ours
            for ours, rows in self._conditions.items()
            if any(row.ebay_condition_id in accepted for row in rows)
        )
        message = "eBay does not take this condition in this category."
        return Gap(GapKind.CONDITION_NOT_ACCEPTED, "condition", message, choices)

    def _aspects(self, product: ProductFacts, known: Sequence[EbayCategoryAspect]) -> AspectFacts:
        code = product.category_code
        implied = self._implied_by(code) if code and self._words.in_english else {}
        return AspectFilling(self._words, known, implied, product).fill()


def _no_condition() -> Gap:
    return Gap(GapKind.CONDITION_MISSING, "condition", "Say what condition it is in.")


def _chosen(ebay_category_id: str) -> PlatformCategory:
    """The seller's own choice, in the form of a mapping row that is never stored."""
    return PlatformCategory(
        platform=Platform.EBAY_US,
        category_code="",
        department="",
        remote_id=ebay_category_id,
        remote_path=f"eBay category {ebay_category_id}",
        with_children=False,
    )


def _requirements_unknown(category: PlatformCategory) -> Gap:
    message = f"eBay has not been asked yet what it wants to know in “{category.remote_path}”."
    return Gap(GapKind.REQUIREMENTS_UNKNOWN, "category", message)
