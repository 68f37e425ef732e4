"""Rings the bell of every shop that has live jobs and no bell: after a restore, say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from models.accounts.tenants import Lane
from repositories.accounts.bells import BellRepository
from repositories.selling.job_stories import JobStoryRepository
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import TenantUnavailable

SLICES_A_ROUND = 12
SMALLEST_SLICE = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    looked: int
    """Shops that were looked into."""
    rung: int
    """Shops in which work is waiting."""
    position: int
    """Where the next slice begins; 0: at the beginning."""


class BellSweeper:
    """Makes sure that no job waits unheard. One short transaction a shop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def sweep(self, go_on: Callable[[], None] = lambda: None) -> Swept:
        """Look into every shop; `go_on` is called between shops and may raise."""
        with self._database.platform() as session:
            shops = BellRepository(session).open_shops()
        return Swept(len(shops), self._ring_all(shops, go_on), 0)

    def sweep_slice(self, after: int, go_on: Callable[[], None] = lambda: None) -> Swept:
        """Look into the next shops behind number `after` that lack a bell.

        Others are looked into by whoever hears their bells. Twelve slices are a round; up to 500
        shops are one slice.
        """
        with self._database.platform() as session:
            bells = BellRepository(session)
            size = max(SMALLEST_SLICE, ceil(bells.number_of_open_shops() / SLICES_A_ROUND))
            shops = bells.shops_that_lack_one(after, size)
        rung = self._ring_all(shops, go_on)
        return Swept(len(shops), rung, shops[-1].tenant_id if len(shops) == size else 0)

    def _ring_all(self, shops: Sequence[TenantSchema], go_on: Callable[[], None]) -> int:
        rung = 0
        for shop in shops:
            go_on()
            rung += self._ring(shop)
        return rung

    def _ring(self, tenant: TenantSchema) -> bool:
        try:
            with self._database.tenant(tenant) as session:
                due = JobStoryRepository(session).earliest_due()
                for lane in (lane for lane in Lane if lane in due):
                    BellRepository(session).ring(tenant, lane, due[lane])
                return bool(due)
        except TenantUnavailable:
            return False
