"""Many sign up at once, processes and connections die meanwhile: a shop is whole or not there."""

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, event, text

from migrations.lines import TENANT
from migrations.rendering import SchemaScript, tenant_script
from repositories.accounts.identity import UserRepository
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import MovableClock
from shared.database import TEMPLATE_SCHEMA, Database, TenantSchema
from shared.errors import SchemaCreationError
from tests.behaviour.accounts.test_opening_a_shop import catalog_of, left_overs
from tests.conftest import MakeTenant
from tests.factories.accounts import make_user
from tests.passwords import PASSWORD
from tests.paths import CHECKOUT
from tests.serving import assert_problem, client, sign_in
from tests.tenancy.moving import NEXT, SHELF, Mover, at, columns_of, continued, revision_of
from tests.tenancy.one_sign_up import MOMENTS

THREADS = 16
SOON_S = 60.0


@pytest.fixture
def database(database_of_its_own: Database) -> Database:
    """Roles, schemas and the blueprint are counted and moved here."""
    return database_of_its_own


def at_once(act: Callable[[int], object], times: int) -> list[object]:
    """Do it in 16 threads that begin together."""
    together = threading.Barrier(THREADS)

    def begin(number: int) -> object:
        if number < THREADS:
            together.wait(SOON_S)
        return act(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(begin, range(times)))


def register(api: httpx.Client, email: str) -> httpx.Response:
    account = {"email": email, "password": PASSWORD, "full_name": "A Member"}
    with client(str(api.base_url)) as http:
        return http.post("/api/v1/auth/register", json=account)


def shops_in(database: Database) -> list[TenantSchema]:
    """All shops, after looking that accounts, shops, schemas and roles are the same ones."""
    with database.platform() as session:
        shops = [TenantSchema(it) for it in session.scalars(text("SELECT id FROM public.tenants"))]
        accounts = set(session.scalars(text("SELECT id FROM public.users")))
    assert accounts == {shop.tenant_id for shop in shops}
    names = [name for shop in shops for name in (shop.name, database.role_of(shop))]
    assert sorted(left_overs(database)) == sorted(names)
    return shops


def assert_all_whole(database: Database, how_many: int) -> None:
    """So many shops, each like the template."""
    shops = shops_in(database)
    assert len(shops) == how_many
    with database.platform() as session:
        template = catalog_of(session, TEMPLATE_SCHEMA)
        for shop in shops:
            assert catalog_of(session, shop.name) == template


def until(reached: Callable[[], object]) -> None:
    """Go on as soon as it is so."""
    deadline = time.monotonic() + SOON_S
    while not reached():
        assert time.monotonic() < deadline, "it did not come to this"
        time.sleep(0.005)


def test_sixteen_threads_open_shops_without_waiting_for_each_other_for_ever(
    database: Database, clock: MovableClock
) -> None:
    """F6: through the service."""
    provisioning = TenantProvisioning(database, tenant_script(), clock)

    def open_one(_number: int) -> TenantSchema:
        with database.platform() as session:
            return provisioning.provision(session, make_user(session, clock).id)

    assert len(set(at_once(open_one, 3 * THREADS))) == 3 * THREADS
    assert_all_whole(database, 3 * THREADS)


def test_sixteen_people_at_a_time_sign_up_over_http(database: Database, api: httpx.Client) -> None:
    """F6: and each can work in the shop at once."""

    def sign_up_and_look(number: int) -> tuple[int, int]:
        email = f"busy{number}@example.com"
        registered = register(api, email)
        with client(str(api.base_url)) as http:
            token = sign_in(http, email).json()["access_token"]
        with client(str(api.base_url), token) as http:
            return registered.status_code, http.get("/api/v1/products").status_code

    assert Counter(at_once(sign_up_and_look, 2 * THREADS)) == {(201, 200): 2 * THREADS}
    assert_all_whole(database, 2 * THREADS)


def test_one_address_registered_sixteen_times_at_once_is_one_shop(
    database: Database, api: httpx.Client
) -> None:
    """F6, F3."""
    statuses = at_once(lambda _number: register(api, "one@example.com").status_code, THREADS)

    assert Counter(statuses) == {201: 1, 409: THREADS - 1}
    assert_all_whole(database, 1)


def test_one_account_given_its_shop_by_sixteen_threads_has_one(
    database: Database, clock: MovableClock
) -> None:
    """F6, F3: whoever comes second finds it, or fails and finds it at the next try."""
    provisioning = TenantProvisioning(database, tenant_script(), clock)
    with database.platform() as session:
        user_id = make_user(session, clock).id

    def open_it(_number: int) -> bool:
        try:
            with database.platform() as session:
                provisioning.provision(session, user_id)
        except Exception:
            return False
        return True

    assert True in at_once(open_it, THREADS)
    with database.platform() as session:
        assert provisioning.provision(session, user_id) == TenantSchema(user_id)
    assert_all_whole(database, 1)


def test_people_sign_up_while_all_shops_are_upgraded(
    database: Database,
    clock: MovableClock,
    make_tenant: MakeTenant,
    mover: Mover,
    api: httpx.Client,
    tmp_path: Path,
) -> None:
    """F6, F7: no deadlock, and everybody ends at the new revision."""
    for _ in range(8):
        make_tenant()
    line = continued(TENANT, tmp_path, NEXT, *SHELF)
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(mover.along(line).run)
        statuses = at_once(
            lambda number: register(api, f"meanwhile{number}@example.com").status_code, 2 * THREADS
        )
        outcome = running.result()

    assert Counter(statuses) == {201: 2 * THREADS}
    assert outcome.shops.failed == ()
    mover.along(line).run()
    shops = shops_in(database)
    assert len(shops) == 8 + 2 * THREADS
    assert {revision_of(database, shop) for shop in shops} == {at(NEXT)}
    assert all("shelf" in columns_of(database, shop.name) for shop in shops)


@contextmanager
def signing_up(
    database: Database, emails: list[str], moment: str | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A real process that signs people up; killed at the end, as by a power cut."""
    url = database.engine.url.render_as_string(hide_password=False)
    wish = json.dumps({"url": url, "emails": emails, "moment": moment})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tenancy.one_sign_up", wish],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
    until(lambda: nobody_else_is_at_work(database))


def nobody_else_is_at_work(database: Database) -> bool:
    """PostgreSQL has noticed what died, and has undone it."""
    with database.engine.connect() as connection:
        own = {connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()}
        busy = connection.exec_driver_sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND state <> 'idle'"
        )
        return set(busy.scalars()) <= own


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_killed_during_a_sign_up_leaves_a_whole_shop_or_nothing(
    database: Database, api: httpx.Client, moment: str
) -> None:
    """F3, F6: at chosen moments; the next try has a shop in any case."""
    email = "interrupted@example.com"
    with signing_up(database, [email], moment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"

    committed = moment == "committed"
    assert_all_whole(database, 1 if committed else 0)
    again = register(api, email)
    assert again.status_code == (409 if committed else 201)
    assert sign_in(api, email).status_code == 200
    assert_all_whole(database, 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_process_killed_at_any_moment_leaves_whole_shops_alone(
    database: Database, api: httpx.Client, seed: int
) -> None:
    """F3, F6: after some sign-ups and a moment more."""
    chance = random.Random(seed)
    emails = [f"member{number}@example.com" for number in range(500)]
    with signing_up(database, emails) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(chance.randint(1, 4))]
        # Somewhere in the next sign-up; where, is left to chance.
        time.sleep(chance.random() * 0.05)

    shops = shops_in(database)
    assert len(shops) >= len(told)
    assert_all_whole(database, len(shops))
    with database.platform() as session:
        users = [UserRepository(session).by_email(email) for email in told]
    assert None not in users
    last = emails[len(shops)]
    assert register(api, last).status_code == 201


def test_a_backend_that_dies_amid_the_tables_leaves_nothing(
    database: Database, clock: MovableClock
) -> None:
    """F3: terminated while it makes them; the next try makes the shop."""
    whole = tenant_script()
    half = len(whole.statements) // 2
    statements = (*whole.statements[:half], "SELECT pg_sleep(60)", *whole.statements[half:])
    slow = TenantProvisioning(database, SchemaScript(whole.revision, statements), clock)
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active'"
        " AND datname = current_database() AND wait_event = 'PgSleep'"
    )

    def killed() -> bool:
        with database.engine.begin() as connection:
            return bool(connection.scalars(kill).all())

    def provision(provisioning: TenantProvisioning) -> None:
        with database.platform() as session:
            provisioning.provision(session, make_user(session, clock).id)

    with ThreadPoolExecutor(1) as beside:
        provisioned = beside.submit(provision, slow)
        until(killed)
        with pytest.raises(SchemaCreationError):
            provisioned.result()

    until(lambda: nobody_else_is_at_work(database))
    assert_all_whole(database, 0)
    provision(TenantProvisioning(database, whole, clock))
    assert_all_whole(database, 1)


def test_a_commit_that_fails_leaves_nothing(database: Database, api: httpx.Client) -> None:
    """F3: the connection is cut between the last statement and the commit."""
    cut: list[int] = []

    def cut_off_before_the_first_commit(connection: Connection) -> None:
        backend = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        if not cut:
            cut.append(backend)
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
                kill = text("SELECT pg_terminate_backend(:backend, 5000)")
                assert other.scalar(kill, {"backend": backend})

    event.listen(database.engine, "commit", cut_off_before_the_first_commit)
    try:
        answer = register(api, "unlucky@example.com")
    finally:
        event.remove(database.engine, "commit", cut_off_before_the_first_commit)

    assert_problem(answer, 503, "database-unavailable")
    assert_all_whole(database, 0)
    assert register(api, "unlucky@example.com").status_code == 201
    assert_all_whole(database, 1)
