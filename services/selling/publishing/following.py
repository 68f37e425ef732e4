"""Follows the stories of jobs as they are written, in one shop or in all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from models.selling.publishing import JobStep, MarketplaceJob
from repositories.accounts.bells import BellRepository
from repositories.selling.job_stories import JobStoryRepository
from shared.database import Database, TenantSchema
from shared.errors import TenantUnavailable

QUIET_SHOPS_A_LOOK = 50
"""Shops without a bell that are looked into in turn: a short job comes and goes between looks."""

_STEPS_A_LOOK = 500
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

    Shops in which jobs live are read at every look, 50 others in turn: what those did is seen
    later, never left out.
    """

    def __init__(
        self, database: Database, since: datetime, only: TenantSchema | None = None
    ) -> None:
        self._database = database
        self._since = since
        self._only = only
        self._places: dict[TenantSchema, _Place] = {}
        self._busy: set[TenantSchema] = set()
        self._turn = 0

    def look(self) -> Sequence[StoryLine]:
        """New lines, in the order in which things happened."""
        lines = [line for shop in self._shops() for line in self._read(shop)]
        return sorted(lines, key=lambda line: (line.step.finished_at, line.step.id))

    def _shops(self) -> Sequence[TenantSchema]:
        if self._only is not None:
            return [self._only]
        with self._database.platform() as session:
            bells = BellRepository(session)
            busy = set(bells.shops_with_one())
            quiet = bells.open_shops(self._turn, QUIET_SHOPS_A_LOOK)
        self._turn = quiet[-1].tenant_id if len(quiet) == QUIET_SHOPS_A_LOOK else 0
        # One that has just gone quiet wrote its last lines after the look before.
        shops = busy | self._busy | set(quiet)
        self._busy = busy
        return sorted(shops)

    def _read(self, shop: TenantSchema) -> Sequence[StoryLine]:
        place = self._places.setdefault(shop, _Place())
        try:
            with self._database.tenant(shop) as session:
                found = JobStoryRepository(session).newest_steps(place.above, _STEPS_A_LOOK)
        except TenantUnavailable:
            return ()
        new = [
            StoryLine(shop, job, step)
            for step, job in found
            if step.id not in place.seen and step.finished_at >= self._since
        ]
        if found:
            place.above = max(place.above, found[-1][0].id - _OVERLAP)
        place.seen = {step.id for step, _ in found if step.id > place.above}
        return new
