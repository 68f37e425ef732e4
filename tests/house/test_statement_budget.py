"""What a request of a shop and a worker's turn may ask of the database: so much and no more."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy import event

from backend.metrics import Meters
from backend.subscriptions import subscriptions
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction
from services.accounts.outbox.relaying import OutboxRelay
from services.selling.publishing.handlers import Snooze
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.conftest import MakeTenant
from tests.factories.selling import make_job, make_product
from tests.fakes.handlers import ScriptedHandler
from tests.serving import Seller

BUDGET_LEASE = timedelta(seconds=60)

PICK_UP_BUDGET = 12
"""The bell 2 (bind, lease), the shop 8 (bind, lock the bell, find the job, the story, the job, its
news, when next, set the bell), and where the handler begins 2 (bind, job)."""

CATALOGS = re.compile(r"pg_namespace|pg_class|pg_catalog|information_schema|pg_tables", re.I)


@contextmanager
def listening(database: Database) -> Iterator[list[str]]:
    """Every round trip to PostgreSQL, but for BEGIN, COMMIT and the ping of a rested connection."""
    said: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)


def test_a_list_is_two_round_trips_the_binding_and_the_list(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """F14: no look at which schemas exist, no registry: the binding itself checks the shop."""
    with database.tenant(seller.tenant) as session:
        make_product(session, clock)

    with listening(database) as said:
        answer = seller.http.get("/api/v1/products")

    assert len(answer.json()["items"]) == 1
    assert len(said) == 2
    assert said[0].startswith("SET LOCAL ")
    assert "FROM products" in said[1]
    assert not [statement for statement in said if CATALOGS.search(statement)]


def test_what_a_list_costs_does_not_depend_on_the_number_of_shops(
    seller: Seller, database: Database, make_tenant: MakeTenant
) -> None:
    """F14."""
    with listening(database) as alone:
        seller.http.get("/api/v1/products")
    for _ in range(3):
        make_tenant()
    with listening(database) as among_others:
        seller.http.get("/api/v1/products")

    assert among_others == alone


def test_finding_and_taking_a_job_keeps_to_its_budget(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F14, ST14: from the bell to a claimed job, and no shop looked at that has no work."""
    with database.tenant(tenant) as session:
        make_job(session, clock)
    in_production = Database(database.engine)
    so_far: list[list[str]] = []
    handler = ScriptedHandler(
        when_prepared=lambda session, job: (
            so_far.append(list(said)) or Snooze(clock.now(), "seen enough")
        )
    )
    processor = MarketplaceJobProcessor(
        in_production,
        {(Channel.EBAY, JobAction.PUBLISH): handler},
        LeaseKeeper(in_production, clock, duration=BUDGET_LEASE),
        clock,
        "budget",
    )

    with listening(database) as said:
        processor.process_next_job(Lane.BULK)

    (statements,) = so_far
    assert len(statements) <= PICK_UP_BUDGET
    assert not [statement for statement in said if CATALOGS.search(statement)]


def test_a_quiet_house_is_one_question(database: Database, clock: MovableClock) -> None:
    """F14: however many shops there are, a worker without work asks the bells alone."""
    in_production = Database(database.engine)
    processor = MarketplaceJobProcessor(
        in_production,
        {},
        LeaseKeeper(in_production, clock, duration=BUDGET_LEASE),
        clock,
        "budget",
    )

    with listening(database) as said:
        assert processor.process_next_job(Lane.BULK) is None

    assert len(said) == 2
    assert said[0].startswith("SET LOCAL ")
    assert "tenant_bells" in said[1]


def test_a_relay_without_events_asks_one_question(
    database: Database, make_tenant: MakeTenant, clock: MovableClock
) -> None:
    """F14: however many shops there are."""
    for _ in range(3):
        make_tenant()
    in_production = Database(database.engine)
    watch = Meters(CollectorRegistry())
    relay = OutboxRelay(in_production, subscriptions(clock), clock, watch)

    with listening(database) as said:
        assert not relay.turn()

    assert len(said) == 2
    assert said[0].startswith("SET LOCAL ")
    assert "outbox_events" in said[1]
    assert "outbox_streams" in said[1]
