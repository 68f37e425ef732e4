"""What every test can ask for: a migrated database, shops in it, a clock that can be moved.

Tests commit for real. Each xdist worker has a database of its own; after a test its rows and its
shops are removed, so tests may run in any order.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.embedded import EmbeddedPostgres
from migrations.runner import migrate, tenant_script
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import MovableClock
from shared.database import Database, EngineOptions, TenantSchema, create_database_engine
from tests.databases import create_empty_database, drop_database, remove_everything
from tests.factories.accounts import make_user

SERVER_FOLDER = "TEST_POSTGRES_FOLDER"
"""Names the folder of this run's server. Not below pytest's own folder: run as root, every start
of pytest closes that one to the system user whom the server runs as."""


def pytest_configure(config: pytest.Config) -> None:
    """One server for all test processes of a run."""
    if not hasattr(config, "workerinput"):
        os.environ[SERVER_FOLDER] = tempfile.mkdtemp(prefix="stoflow-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SERVER_FOLDER), ignore_errors=True)


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
    yield Database(engine)
    engine.dispose()
    drop_database(server_url, name)


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


@pytest.fixture(autouse=True)
def no_settings_from_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of whoever runs the tests do not reach into them."""
    for name in [name for name in os.environ if name.startswith("STOFLOW_")]:
        if name not in {"STOFLOW_CONTRACTS", "STOFLOW_TEST_DATA"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("STOFLOW_DATA_DIR", str(tmp_path / "data"))
