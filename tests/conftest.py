"""What every test can ask for: a migrated database, shops in it, a clock that can be moved.

Tests commit for real. Each xdist worker has a database of its own; after a test its rows and its
shops are removed, so tests may run in any order.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import structlog
from click.testing import Result
from sqlalchemy import Engine
from typer.testing import CliRunner

from backend.app import create_app
from backend.cli.commands import app
from backend.cli.tenants.opening import PASSWORD_VARIABLE
from backend.container import Container, build_container
from backend.embedded import EmbeddedPostgres
from backend.keys import new_token_key
from backend.settings import Settings
from migrations.rendering import tenant_script
from migrations.runner import migrate
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import MovableClock
from shared.database import Database, EngineOptions, TenantSchema, create_database_engine
from tests.citus_rules import WatchedStatements
from tests.databases import create_empty_database, drop_database, remove_everything
from tests.factories.accounts import make_user
from tests.passwords import CHEAP_PASSWORDS
from tests.serving import Seller, Stage, client, serving, sign_up

SERVER_FOLDER = "TEST_POSTGRES_FOLDER"
"""Names the folder of this run's server. Not below pytest's own folder: run as root, every start
of pytest closes that one to the system user whom the server runs as."""


def pytest_configure(config: pytest.Config) -> None:
    """One server for all test processes of a run, and logs that are quickly written."""
    log_plainly()
    if not hasattr(config, "workerinput"):
        os.environ[SERVER_FOLDER] = tempfile.mkdtemp(prefix="stoflow-tests-")
        # Else each process that a test starts would compile the whole house for itself.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SERVER_FOLDER), ignore_errors=True)


def log_plainly() -> None:
    """As structlog does by itself, but for drawings of all local variables at each exception.

    Those take a tenth of a second each, and some tests have a thousand exceptions.
    """
    structlog.reset_defaults()
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take long come first: no process waits at the end for another's last test."""
    items.sort(key=_may_take_s, reverse=True)


def _may_take_s(item: pytest.Item) -> float:
    own = item.get_closest_marker("timeout")
    return float(own.args[0]) if own is not None else 0.0


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which no test passed has not shown anything."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.OK and reporter and not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The server that tests use: `DATABASE_URL` when set, else an embedded one of this run."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    server = EmbeddedPostgres(Path(os.environ[SERVER_FOLDER]) / "postgres", durable=False)
    yield server.url("postgres")
    server.stop()


@pytest.fixture(scope="session")
def worker_database(server_url: str) -> Iterator[Database]:
    """One migrated database for this test process."""
    name = f"stoflow_test_{os.getpid()}"
    url = create_empty_database(server_url, name)
    engine = create_database_engine(url, EngineOptions(pool_size=10, max_overflow=30))
    migrate(engine)
    yield Database(engine, check_sentinel=True)
    engine.dispose()
    drop_database(server_url, name)


@pytest.fixture(autouse=True, scope="session")
def rules_of_citus() -> Iterator[None]:
    """Whatever is executed in this run would be taken by Citus (docs/adr/0003)."""
    watched = WatchedStatements()
    watched.watch()
    yield
    watched.end()
    assert watched.refused == set()


@pytest.fixture
def database(worker_database: Database) -> Iterator[Database]:
    """The database, empty of accounts and shops; cleaned after the test."""
    yield worker_database
    remove_everything(worker_database)


@pytest.fixture
def engine(database: Database) -> Engine:
    return database.engine


@pytest.fixture
def clock() -> MovableClock:
    """Noon of a working day; stands still."""
    return MovableClock(datetime(2026, 6, 1, 12, 0, tzinfo=UTC))


MakeTenant = Callable[[], TenantSchema]


@pytest.fixture
def make_tenant(database: Database, clock: MovableClock) -> MakeTenant:
    """Provision a shop through the real service and commit it."""
    provisioning = TenantProvisioning(database, tenant_script(), clock)

    def make() -> TenantSchema:
        with database.platform() as session:
            user = make_user(session, clock)
            return provisioning.provision(session, user.id)

    return make


@pytest.fixture
def tenant(make_tenant: MakeTenant) -> TenantSchema:
    """A shop."""
    return make_tenant()


@pytest.fixture
def other_tenant(make_tenant: MakeTenant) -> TenantSchema:
    """Another shop, whose rows nobody else may see."""
    return make_tenant()


@pytest.fixture(scope="session")
def token_key() -> str:
    """Signs the access tokens of this run; making one takes a while."""
    return new_token_key()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, token_key: str) -> Settings:
    """What the API of a test runs with; limits are far away."""
    monkeypatch.setenv("STOFLOW_TOKEN_PRIVATE_KEY", token_key)
    monkeypatch.setenv("STOFLOW_LIMIT_REQUESTS", "100000/minute")
    monkeypatch.setenv("STOFLOW_LIMIT_SIGN_IN", "100000/minute")
    return Settings()


@pytest.fixture
def container(settings: Settings, database: Database, clock: MovableClock) -> Iterator[Container]:
    """The composition on the test's database and clock."""
    built = build_container(settings, database=database, clock=clock, passwords=CHEAP_PASSWORDS)
    yield built
    built.close()


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A real port for the API of each test."""
    stage = Stage()
    with serving(stage) as stage.url:
        yield stage


@pytest.fixture
def api(container: Container, stage: Stage) -> Iterator[httpx.Client]:
    """The API on a real port; nobody is signed in."""
    stage.app = create_app(container)
    with client(stage.url) as nobody:
        yield nobody
    stage.app = None


@pytest.fixture
def seller(api: httpx.Client) -> Iterator[Seller]:
    """A member who registered and signed in over HTTP; `seller.http` is signed in."""
    member = sign_up(api)
    yield member
    member.http.close()


@pytest.fixture
def other_seller(api: httpx.Client) -> Iterator[Seller]:
    """Another one, whose things the first may never see."""
    member = sign_up(api)
    yield member
    member.http.close()


@pytest.fixture(autouse=True)
def no_settings_from_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of whoever runs the tests do not reach into them."""
    for name in [name for name in os.environ if name.startswith("STOFLOW_")]:
        if name not in {"STOFLOW_CONTRACTS", "STOFLOW_TEST_DATA"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("STOFLOW_DATA_DIR", str(tmp_path / "data"))


Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command on the test's database."""
    url = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("STOFLOW_DATABASE_CHECK_SENTINEL", "true")
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield lambda *words: CliRunner().invoke(app, words)
    root.handlers[:] = handlers
    root.setLevel(level)
    log_plainly()
