"""Follows the stories of jobs as they are written, in one shop or in all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.selling.publishing import JobStep, MarketplaceJob
from repositories.accounts.bells import BellRepository
from repositories.accounts.news import ShopEventRepository
from repositories.selling.job_stories import JobStoryRepository
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import TenantUnavailable

SKEW = timedelta(seconds=60)
"""How far the clocks of those who write news may be apart."""

_STEPS_AT_FIRST = 500
"""Of a shop that is read for the first time."""

_OVERLAP = 200
"""Numbers are given before the commit: a step with a smaller number may appear after a larger."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """A step, and the job and shop it belongs to."""

    tenant: TenantSchema
    job: MarketplaceJob
    step: JobStep


@dataclass
class _Place:
    """How far a shop has been read."""

    above: int = 0
    seen: set[int] = field(default_factory=set)


class StoryFollower:
    """Each look returns what was written since the look before.

    Attempts tell of their begin and end in the shop's news, all shops' in one table: one question
    there, whatever the number of shops, says where to look. In between a job writes to its story
    alone, so a shop in which one runs is read at every look until none does.

    News carries the time of its writing and may be committed later. Whoever commits after a look
    has begun before it; so each look begins where the oldest transaction began that was open at
    the look before. The numbers tell what of that was heard already.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        since: datetime,
        only: TenantSchema | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._since = since
        self._only = only
        self._places: dict[TenantSchema, _Place] = {}
        self._heard: dict[TenantSchema, int] = {}
        self._heard_from = since - SKEW
        self._watched: set[TenantSchema] = set()
        """Shops in which a job ran when they were last read, or that could not be read."""
        self._begun = False

    def look(self) -> Sequence[StoryLine]:
        """New lines, in the order in which things happened."""
        lines = [line for shop in self._shops() for line in self._read(shop)]
        return sorted(lines, key=lambda line: (line.step.finished_at, line.step.id))

    def _shops(self) -> Sequence[TenantSchema]:
        if self._only is not None:
            return [self._only]
        now = self._clock.now()
        with self._database.platform() as session:
            events = ShopEventRepository(session)
            # First this, then the news: whoever commits in between is in one of the two.
            open_since = now - events.longest_open_transaction()
            newest = events.newest_since(self._heard_from)
            if not self._begun:
                self._watched.update(BellRepository(session).shops_with_one())
        told = {shop for shop, number in newest.items() if number > self._heard.get(shop, 0)}
        self._heard.update(newest)
        self._heard_from = open_since - SKEW
        shops, self._watched, self._begun = sorted(told | self._watched), set(), True
        return shops

    def _read(self, shop: TenantSchema) -> Sequence[StoryLine]:
        place = self._places.get(shop)
        first, place = place is None, place or _Place()
        try:
            with self._database.tenant(shop) as session:
                stories = JobStoryRepository(session)
                # First this: what a job writes before it ends is read in this look.
                if stories.any_running():
                    self._watched.add(shop)
                found = stories.newest_steps(place.above, _STEPS_AT_FIRST if first else None)
        except TenantUnavailable:
            self._watched.add(shop)
            return ()
        new = [
            StoryLine(shop, job, step)
            for step, job in found
            if step.id not in place.seen and step.finished_at >= self._since
        ]
        if found:
            place.above = max(place.above, found[-1][0].id - _OVERLAP)
        place.seen = {step.id for step, _ in found if step.id > place.above}
        self._places[shop] = place
        return new
