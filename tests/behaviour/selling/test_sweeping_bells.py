"""Due jobs that no worker was told of are found, a slice of the shops at a time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from models.accounts.tenants import Lane, TenantStatus
from repositories.accounts.bells import BellRepository
from repositories.accounts.tenants import TenantRepository
from services.selling.publishing import sweeping
from services.selling.publishing.sweeping import BellSweeper, Swept
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.conftest import MakeTenant
from tests.factories.selling import make_job

Shops = list[TenantSchema]


@pytest.fixture
def shops(make_tenant: MakeTenant) -> Shops:
    return [make_tenant() for _ in range(5)]


def a_lost_job(database: Database, clock: MovableClock, shop: TenantSchema) -> None:
    """A due job whose bell is gone, as after a restore of one table."""
    with database.tenant(shop) as session:
        make_job(session, clock)
        session.execute(text("DELETE FROM public.tenant_bells"))


def ringing(database: Database) -> Shops:
    with database.platform() as session:
        return list(BellRepository(session).shops_with_one())


def test_every_shop_is_looked_into_once_a_round(
    database: Database, clock: MovableClock, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 8 of Citus: slices of two, and then from the beginning."""
    monkeypatch.setattr(sweeping, "SMALLEST_SLICE", 2)
    for shop in shops:
        a_lost_job(database, clock, shop)
    sweeper = BellSweeper(database, clock)
    assert sweeper.sweep_slice(0) == Swept(2, 2, shops[1].tenant_id)
    assert ringing(database) == shops[:2]
    assert sweeper.sweep_slice(shops[1].tenant_id) == Swept(2, 2, shops[3].tenant_id)
    assert sweeper.sweep_slice(shops[3].tenant_id) == Swept(1, 1, 0)
    assert ringing(database) == shops


def test_up_to_five_hundred_shops_are_one_slice(
    database: Database, clock: MovableClock, shops: Shops
) -> None:
    """A small installation is mended within one interval."""
    a_lost_job(database, clock, shops[-1])
    assert BellSweeper(database, clock).sweep_slice(0) == Swept(5, 1, 0)


def test_a_shop_with_all_its_bells_is_left_to_whoever_hears_them(
    database: Database, clock: MovableClock, shops: Shops
) -> None:
    """F14: opening a schema is what costs; suspended shops are not opened either."""
    busy, suspended = shops[0], shops[1]
    with database.tenant(busy) as session:
        for lane in Lane:
            make_job(session, clock, lane=lane)
    with database.platform() as session:
        TenantRepository(session).set_status(suspended, TenantStatus.SUSPENDED, clock.now())
    sweeper = BellSweeper(database, clock)
    assert sweeper.sweep_slice(0) == Swept(3, 0, 0)
    assert sweeper.sweep() == Swept(4, 1, 0)


def test_a_bell_that_is_there_is_never_put_off(
    database: Database, clock: MovableClock, shops: Shops
) -> None:
    """G1: sweeping twice, or beside a worker, changes nothing."""
    with database.tenant(shops[0]) as session:
        make_job(session, clock)
    clock.advance(timedelta(hours=1))
    with database.tenant(shops[0]) as session:
        make_job(session, clock)
    before = due(database)
    BellSweeper(database, clock).sweep()
    assert due(database) == before


def due(database: Database) -> list[tuple[object, ...]]:
    with database.engine.connect() as connection:
        question = "SELECT tenant_id, lane, due_at, leased_until FROM public.tenant_bells"
        return [tuple(row) for row in connection.execute(text(question))]


def test_sweeping_stops_between_two_shops(
    database: Database, clock: MovableClock, shops: Shops
) -> None:
    """G8: a process that has to end does not wait for ten thousand shops."""

    class Enough(Exception):
        """Two are enough."""

    looks = 0

    def go_on() -> None:
        nonlocal looks
        looks += 1
        if looks > 2:
            raise Enough

    sweep: Callable[..., Swept] = BellSweeper(database, clock).sweep
    with pytest.raises(Enough):
        sweep(go_on)
    assert looks == 3
