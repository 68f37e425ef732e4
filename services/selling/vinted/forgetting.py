"""Deletes old commands with their answers, which may name buyers."""

from collections.abc import Callable
from datetime import timedelta

from repositories.accounts.bells import BellRepository
from repositories.selling.vinted import VintedCommandRepository
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import TenantUnavailable

KEPT = timedelta(days=14)


class CommandForgetting:
    """One short transaction a shop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def forget(self, go_on: Callable[[], None] = lambda: None) -> int:
        """Delete the commands of ended jobs that are two weeks old; returns how many."""
        with self._database.platform() as session:
            shops = BellRepository(session).open_shops()
        gone = 0
        for shop in shops:
            go_on()
            gone += self._forget_in(shop)
        return gone

    def _forget_in(self, shop: TenantSchema) -> int:
        try:
            with self._database.tenant(shop) as session:
                before = self._clock.now() - KEPT
                return VintedCommandRepository(session).forget_ended_before(before)
        except TenantUnavailable:
            return 0
