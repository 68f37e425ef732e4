"""A database whose template and blueprint a test may move."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from migrations.lines import TENANT, Line
from migrations.runner import migrate, state_grants
from shared.clock import MovableClock
from shared.database import Database, EngineOptions, create_database_engine
from tests.databases import create_empty_database, drop_database
from tests.tenancy.moving import NEXT, SHELF, Mover, continued

_numbers = count(1)


@pytest.fixture(scope="session")
def migrated_database(server_url: str) -> Iterator[str]:
    """The name of a migrated database that nobody connects to: to be copied."""
    name = f"stoflow_whole_{os.getpid()}"
    engine = create_database_engine(create_empty_database(server_url, name))
    migrate(engine)
    engine.dispose()
    yield name
    drop_database(server_url, name)


@pytest.fixture
def database_of_its_own(server_url: str, migrated_database: str) -> Iterator[Database]:
    """A migrated database for one test."""
    name = f"stoflow_moved_{os.getpid()}_{next(_numbers)}"
    url = create_empty_database(server_url, name, like=migrated_database)
    engine = create_database_engine(url, EngineOptions(pool_size=10, max_overflow=30))
    state_grants(engine)
    yield Database(engine, check_sentinel=True)
    engine.dispose()
    drop_database(server_url, name)


@pytest.fixture
def mover(database: Database, clock: MovableClock) -> Mover:
    """Starts runs over all shops, with little patience."""
    return Mover(database, clock)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """The tenant line and one revision more."""
    return continued(TENANT, tmp_path, NEXT, *SHELF)
