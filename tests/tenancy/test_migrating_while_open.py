"""A run over all shops while everything else goes on: sign-ups, requests, jobs, another run."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from migrations.lines import TENANT, Line
from migrations.rendering import tenant_script
from migrations.runner import alone
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.selling.publishing import JobRepository
from services.accounts.tenants.provisioning import TenantProvisioning
from services.selling.publishing.failures import UPGRADE_PAUSE, verdict_on
from services.selling.publishing.handlers import Retry, Unknown
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import ShopBeingUpgraded
from tests.conftest import MakeTenant
from tests.factories.accounts import make_user
from tests.factories.catalog import PRODUCTS, product_body
from tests.factories.selling import make_job, make_product
from tests.fakes.handlers import ScriptedHandler
from tests.paths import CHECKOUT
from tests.serving import Seller, assert_problem, sign_up
from tests.tenancy.moving import (
    HEAD,
    NEXT,
    SHELF,
    Listener,
    Mover,
    at,
    blueprint_of,
    columns_of,
    continued,
    revision_of,
    run_in,
)

WITHOUT_BRAND = (
    'op.drop_column("products", "brand")',
    'op.add_column("products", sa.Column("brand", sa.Text(), nullable=True))',
)
"""The new version has no use for a column that this one asks for."""

SOON_S = 30.0


@pytest.fixture
def database(database_of_its_own: Database) -> Database:
    """Template and blueprint move here."""
    return database_of_its_own


@pytest.fixture
def narrow(tmp_path: Path) -> Line:
    """The tenant line and a revision that takes something away."""
    return continued(TENANT, tmp_path, NEXT, *WITHOUT_BRAND)


def waiting_for_a_lock(database: Database, kind: str) -> bool:
    """Whether somebody in this database waits for a lock of this kind."""
    with database.engine.connect() as connection:
        return bool(
            connection.scalar(
                text(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = :kind"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = :name)"
                ),
                {"kind": kind, "name": database.name},
            )
        )


def until(so: Callable[[], bool]) -> None:
    """Ask again and again, half a minute at most."""
    for _ in range(3000):
        if so():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


@contextmanager
def running(mover: Mover, listener: Listener | None = None, **wishes: object) -> Iterator[None]:
    """A run in a thread of its own; joined, and its failures raised, at the end."""
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(mover.run, listener, **wishes)
        yield
        run.result(SOON_S)


def provision(database: Database, clock: MovableClock, line: Line = TENANT) -> TenantSchema:
    """Open a shop as a process of the version that knows `line` does."""
    service = TenantProvisioning(database, tenant_script(line=line), clock)
    with database.platform() as session:
        return service.provision(session, make_user(session, clock).id)


def test_a_sign_up_that_is_under_way_is_waited_for_and_migrated(
    database: Database, mover: Mover, line: Line, clock: MovableClock
) -> None:
    """F1: no shop can appear at the old revision after the plan was made."""
    service = TenantProvisioning(database, tenant_script(), clock)
    with database.platform_session() as session:
        shop = service.provision(session, make_user(session, clock).id)
        with running(mover.along(line)):
            until(lambda: waiting_for_a_lock(database, "advisory"))
            session.commit()
    assert revision_of(database, shop) == at(NEXT)


def test_shops_opened_during_and_after_a_run_are_at_the_new_revision(
    database: Database, mover: Mover, line: Line, clock: MovableClock, make_tenant: MakeTenant
) -> None:
    """F1, F7: whether a process of the old or of the new version opens them."""
    for _ in range(4):
        make_tenant()
    opened: list[TenantSchema] = []
    listener = Listener()
    listener.on_moved = lambda _shop: opened.append(provision(database, clock))
    outcome = mover.along(line).run(listener, jobs=2)
    assert (outcome.shops.migrated, len(opened)) == (4, 4)
    opened.append(provision(database, clock))
    opened.append(provision(database, clock, line))
    assert {revision_of(database, shop) for shop in opened} == {at(NEXT)}
    assert mover.along(line).run().nothing_to_do
    mover.along(line).run(to=HEAD)
    assert revision_of(database, provision(database, clock, line)) == at(HEAD)


def test_many_sign_ups_at_once_beside_a_run_all_end_at_its_revision(
    database: Database, mover: Mover, line: Line, clock: MovableClock, make_tenant: MakeTenant
) -> None:
    """F5, F6: and nobody waits for anybody in a circle."""
    for _ in range(8):
        make_tenant()
    with ThreadPoolExecutor(6) as threads:
        signing_up = [threads.submit(provision, database, clock) for _ in range(24)]
        outcome = mover.along(line).run()
        shops = [each.result(SOON_S) for each in signing_up]
    assert outcome.shops.failed == ()
    assert {revision_of(database, shop) for shop in shops} == {at(NEXT)}


def test_a_second_run_says_that_it_waits_and_then_finds_all_done(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema
) -> None:
    """F5: the lock belongs to a transaction, so that it holds behind a pooler too."""
    listener = Listener()
    with ThreadPoolExecutor(1) as threads:
        with alone(database.engine):
            second = threads.submit(mover.along(line).run, listener)
            until(lambda: waiting_for_a_lock(database, "advisory"))
            assert revision_of(database, tenant) == at(HEAD)
        outcome = second.result(SOON_S)
    assert listener.lines[0].startswith("Another migration of this database is at work")
    assert outcome.shops.migrated == 1
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(mover.along(line).run, to=HEAD) for _ in range(2)]
        migrated = [run.result(SOON_S).shops.migrated for run in runs]
    assert sorted(migrated) == [0, 1]


KILLED = """
import sys
from pathlib import Path

from backend.migration import InstallationMigration, MigrationWish, Silent
from migrations.lines import TENANT
from shared.clock import SystemClock
from shared.database import Database, create_database_engine

url, folder = sys.argv[1:]
wish = MigrationWish(line=TENANT.continued_in(Path(folder)), jobs=2)
InstallationMigration(Database(create_database_engine(url)), SystemClock(), wish).run(Silent())
"""

COUNTING = """
def fill(connection):
    connection.execute(sa.text("UPDATE products SET title = title || '!'"))
"""


def test_a_run_that_is_killed_goes_on_where_it_was(
    database: Database, mover: Mover, tmp_path: Path, clock: MovableClock, make_tenant: MakeTenant
) -> None:
    """F3: killed with -9 in the middle; what is done is not repeated, nothing is half done."""
    shops = [make_tenant() for _ in range(8)]
    for shop in shops:
        with database.tenant(shop) as session:
            make_product(session, clock, title="Hat")
    line = continued(TENANT, tmp_path, NEXT, *SHELF, COUNTING)
    url = database.engine.url.render_as_string(hide_password=False)
    # The last two shops are read by somebody, so that the run cannot get to its end.
    with database.engine.connect() as reader:
        for shop in shops[-2:]:
            reader.execute(text(f"LOCK TABLE {shop.quoted}.products IN ACCESS SHARE MODE"))
        run = subprocess.Popen(
            [sys.executable, "-c", KILLED, url, str(tmp_path / NEXT)], cwd=CHECKOUT, env=os.environ
        )
        until(lambda: sum(revision_of(database, shop) == at(NEXT) for shop in shops) >= 4)
        run.send_signal(signal.SIGKILL)
        run.wait()
    before = {shop: revision_of(database, shop) for shop in shops}
    assert set(before.values()) == {at(HEAD), at(NEXT)}, "each is at one end or at the other"
    outcome = mover.along(line).run()
    assert outcome.shops.failed == ()
    assert outcome.shops.migrated == list(before.values()).count(at(HEAD))
    for shop in shops:
        assert revision_of(database, shop) == at(NEXT)
        with database.tenant(shop) as session:
            assert session.scalar(text("SELECT title FROM products")) == "Hat!"


def test_a_run_that_is_killed_before_the_first_shop_is_repeated_whole(
    database: Database,
    mover: Mover,
    line: Line,
    tenant: TenantSchema,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F3: between any two of template, blueprint and shops."""
    for step in ("move_template", "make_blueprint_current"):
        with monkeypatch.context() as patch:

            def die(*_arguments: object, **_options: object) -> None:
                raise SystemExit

            patch.setattr(f"backend.migration.{step}", die)
            with pytest.raises(SystemExit):
                mover.along(line).run()
        assert revision_of(database, tenant) == at(HEAD)
        assert blueprint_of(database) == HEAD
    assert mover.along(line).run().shops.migrated == 1
    assert revision_of(database, provision_again(mover)) == at(NEXT)


def provision_again(mover: Mover) -> TenantSchema:
    assert isinstance(mover.clock, MovableClock)
    return provision(mover.database, mover.clock)


def test_the_api_answers_everybody_while_a_column_is_added(
    api: httpx.Client, seller: Seller, database: Database, mover: Mover, line: Line
) -> None:
    """F1: sellers list and create in shops that are moved already and in those that are not."""
    sellers = [seller, *(sign_up(api) for _ in range(5))]
    answers: Counter[int] = Counter()
    finished = threading.Event()

    def work(one: Seller) -> int:
        rounds = 0
        while not finished.is_set() or rounds < 3:
            answers[one.http.get(PRODUCTS).status_code] += 1
            answers[one.http.post(PRODUCTS, json=product_body()).status_code] += 1
            rounds += 1
        return rounds

    listener = Listener()
    with ThreadPoolExecutor(len(sellers)) as threads:
        working = [threads.submit(work, one) for one in sellers]
        until(lambda: sum(answers.values()) >= len(sellers))
        for target in (NEXT, HEAD, NEXT):
            outcome = mover.along(line).run(listener, to=target, jobs=1)
            assert outcome.shops.failed == ()
        finished.set()
        rounds = sum(each.result(SOON_S) for each in working)
    assert {shop.tenant for shop in listener.shops} == {one.tenant for one in sellers}
    assert answers == {200: rounds, 201: rounds}
    for one in sellers:
        assert revision_of(database, one.tenant) == at(NEXT)
        assert "shelf" in columns_of(database, one.tenant.name)
        one.http.close()


def test_a_shop_that_lacks_a_column_is_told_to_come_back(
    api: httpx.Client,
    seller: Seller,
    other_seller: Seller,
    database: Database,
    mover: Mover,
    narrow: Line,
) -> None:
    """F1: 503 with Retry-After, for that shop alone, until versions fit again."""
    mover.along(narrow).run(only=(seller.tenant,))
    for answer in (
        seller.http.get(PRODUCTS),
        seller.http.post(PRODUCTS, json=product_body()),
    ):
        problem = assert_problem(answer, 503, "shop-being-upgraded")
        assert problem["retry_after"] == int(answer.headers["Retry-After"]) == 30
    assert other_seller.http.get(PRODUCTS).status_code == 200
    mover.along(narrow).run(only=(seller.tenant,), to=HEAD)
    assert seller.http.get(PRODUCTS).status_code == 200


def test_a_shop_whose_transactions_cannot_even_begin_is_told_so(
    seller: Seller, database: Database
) -> None:
    """F1: a table that is read at each begin is missing."""
    run_in(database, seller.tenant, "ALTER TABLE tenant_sentinel RENAME TO elsewhere")
    assert_problem(seller.http.get(PRODUCTS), 503, "shop-being-upgraded")


def test_a_table_that_the_shared_schemas_lack_is_no_upgrade(database: Database) -> None:
    """Only a shop's own transaction is told to come back."""
    with (
        pytest.raises(Exception, match="does not exist") as caught,
        database.platform() as session,
    ):
        session.execute(text("SELECT 1 FROM public.nowhere"))
    assert not isinstance(caught.value, ShopBeingUpgraded)


@pytest.fixture
def handler() -> ScriptedHandler:
    return ScriptedHandler()


@pytest.fixture
def processor(
    database: Database, clock: MovableClock, handler: ScriptedHandler
) -> MarketplaceJobProcessor:
    table = {(Channel.EBAY, action): handler for action in JobAction}
    leases = LeaseKeeper(database, clock, timedelta(seconds=60))
    return MarketplaceJobProcessor(database, table, leases, clock, "worker-1")


def test_a_job_of_a_shop_that_is_behind_is_put_off_at_no_cost(
    database: Database,
    mover: Mover,
    narrow: Line,
    tenant: TenantSchema,
    clock: MovableClock,
    handler: ScriptedHandler,
    processor: MarketplaceJobProcessor,
) -> None:
    """F1: no attempt is counted against the seller, and it runs when the shop fits."""
    with database.tenant(tenant) as session:
        product = make_product(session, clock)
        job_id = make_job(session, clock, product_id=product.id, max_attempts=2).id
    handler.when_prepared = lambda session, _job: (
        session.execute(text("SELECT brand FROM products")) and None
    )
    mover.along(narrow).run()
    for _ in range(3):
        processed = processor.process_next_job(Lane.BULK)
        assert processed is not None
        assert processed.status is JobStatus.PENDING
        assert processor.process_next_job(Lane.BULK) is None
        clock.advance(UPGRADE_PAUSE)
    assert handler.performed == []
    mover.along(narrow).run(to=HEAD)
    processed = processor.process_next_job(Lane.BULK)
    assert processed is not None
    assert processed.outcome is JobOutcome.OK
    with database.tenant(tenant) as session:
        job = JobRepository(session).get(job_id)
        assert job is not None
        assert job.problem_code is None


def test_a_shop_whose_jobs_cannot_be_read_does_not_stop_the_worker(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    handler: ScriptedHandler,
    processor: MarketplaceJobProcessor,
) -> None:
    """F1: its bell rings again later; the next shop's job runs at once."""
    for shop in (tenant, other_tenant):
        with database.tenant(shop) as session:
            make_job(session, clock)
        clock.advance(timedelta(seconds=1))
    run_in(database, tenant, "ALTER TABLE marketplace_jobs RENAME COLUMN payload TO later")
    processed = processor.process_next_job(Lane.BULK)
    assert processed is not None
    assert processed.lease.tenant == other_tenant
    assert processor.process_next_job(Lane.BULK) is None
    run_in(database, tenant, "ALTER TABLE marketplace_jobs RENAME COLUMN later TO payload")
    clock.advance(UPGRADE_PAUSE)
    processed = processor.process_next_job(Lane.BULK)
    assert processed is not None
    assert processed.lease.tenant == tenant


def test_what_was_done_outside_before_a_shop_moved_is_looked_up() -> None:
    """B1: a job that had got to the channel asks there before it does anything again."""
    assert isinstance(verdict_on(ShopBeingUpgraded(), outside=True), Unknown)
    put_off = verdict_on(ShopBeingUpgraded(), outside=False)
    assert isinstance(put_off, Retry)
    assert put_off.after == UPGRADE_PAUSE
