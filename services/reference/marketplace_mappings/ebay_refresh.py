"""Asks eBay what each category wants to know and keeps the answers for a week."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Protocol

from models.reference.marketplace_mappings import Platform
from repositories.reference.marketplace_mappings import (
    EbayMappingRepository,
    PlatformMappingRepository,
    StoredAspect,
)
from services.gateways.ebay.marketplaces import Marketplace
from services.reference.marketplace_mappings.facts import MAPPED_SITE
from shared.clock import Clock
from shared.database import PlatformSession
from shared.errors import EbayError, Remedy

FRESH_FOR = timedelta(days=7)
"""An answer younger than this is not asked for again. eBay changes item specifics a few times a
year and announces it weeks ahead; its Taxonomy API allows 5,000 calls a day for all our sellers."""

_TOGETHER = 20
"""Categories asked about between two short transactions: so many are asked again after a crash."""


class AspectAnswer(Protocol):
    """An item specific as the gateway hands it over."""

    @property
    def name(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def mode(self) -> str: ...
    @property
    def cardinality(self) -> str: ...
    @property
    def values(self) -> Sequence[str]: ...
    @property
    def enabled_for_variations(self) -> bool: ...
    @property
    def max_length(self) -> int | None: ...


class CategoryQuestions(Protocol):
    """What the gateway can ask about a site. Both raise `APIError` or `EbayError`."""

    @property
    def site(self) -> Marketplace:
        """Which site."""
        ...

    def aspects_of(self, category_id: str) -> Sequence[AspectAnswer]:
        """Item specifics of a leaf category."""
        ...

    def conditions_of(self, category_ids: Sequence[str]) -> Mapping[str, Collection[int]]:
        """Accepted condition ids by category; a category may be absent from the answer."""
        ...


OpenSession = Callable[[], AbstractContextManager[PlatformSession]]
"""Opens one short transaction that is committed at its end."""

Progress = Callable[[int, int], None]
"""Called with the number of categories done, and of all that are asked for."""


@dataclass(frozen=True)
class RefreshReport:
    """What a run did."""

    refreshed: int
    fresh: int
    """Categories left alone because their answer is young enough."""
    refused: Mapping[str, str]
    """eBay's words by category id, for categories that eBay no longer knows or accepts."""


class EbayRefresh:
    """Fills the cache. No transaction is open while eBay is asked.

    An answer that does not come ends the run with the gateway's error; what was stored before
    stays, so that the next run goes on from there.
    """

    def __init__(self, sessions: OpenSession, questions: CategoryQuestions, clock: Clock) -> None:
        self._sessions = sessions
        self._questions = questions
        self._clock = clock
        self._site = questions.site

    def run(
        self,
        category_ids: Collection[str] | None = None,
        progress: Progress = lambda _done, _total: None,
    ) -> RefreshReport:
        """Ask about `category_ids`, or all that are mapped or known, unless the answer is fresh."""
        wanted, stale = self._stale(category_ids)
        refused: dict[str, str] = {}
        done = 0
        progress(done, len(stale))
        for some in _in_groups(stale):
            refused.update(self._refresh(some))
            done += len(some)
            progress(done, len(stale))
        return RefreshReport(len(stale) - len(refused), wanted - len(stale), refused)

    def _stale(self, category_ids: Collection[str] | None) -> tuple[int, list[str]]:
        with self._sessions() as session:
            repository = EbayMappingRepository(session, self._site.id)
            wanted = self._all(session) if category_ids is None else category_ids
            fresh = repository.fetched_since(self._clock.now() - FRESH_FOR)
        return len(set(wanted)), sorted(set(wanted) - fresh)

    def _all(self, session: PlatformSession) -> Collection[str]:
        known = EbayMappingRepository(session, self._site.id).fetched()
        if self._site.id != MAPPED_SITE:
            return known
        mapped = PlatformMappingRepository(session, Platform.EBAY_US).mapped_category_ids()
        return known.union(mapped)

    def _refresh(self, category_ids: Sequence[str]) -> dict[str, str]:
        refused: dict[str, str] = {}
        answers: dict[str, list[StoredAspect]] = {}
        for category_id in category_ids:
            try:
                answers[category_id] = [
                    _stored(aspect) for aspect in self._questions.aspects_of(category_id)
                ]
            except EbayError as error:
                if error.remedy is not Remedy.FIX_DATA:
                    raise
                refused[category_id] = error.detail
        conditions = self._questions.conditions_of(list(answers)) if answers else {}
        with self._sessions() as session:
            repository = EbayMappingRepository(session, self._site.id)
            now = self._clock.now()
            for category_id, aspects in answers.items():
                accepted = conditions.get(category_id, ())
                repository.store_category(category_id, aspects, accepted, now)
        return refused


def _stored(aspect: AspectAnswer) -> StoredAspect:
    return StoredAspect(
        name=aspect.name,
        required=aspect.required,
        mode=aspect.mode,
        cardinality=aspect.cardinality,
        values=list(aspect.values),
        enabled_for_variations=aspect.enabled_for_variations,
        max_length=aspect.max_length,
    )


def _in_groups(category_ids: Sequence[str]) -> Iterator[list[str]]:
    left = iter(category_ids)
    while group := list(islice(left, _TOGETHER)):
        yield group
