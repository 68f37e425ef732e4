"""Leading through a pooler that gives every transaction another connection."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.database import Database, create_database_engine
from shared.database.leadership import Leadership, leader_of
from tests.pooler import INSTALLED, pooler

pytestmark = pytest.mark.skipif(INSTALLED is None, reason="left out: pgbouncer is not installed")

LONG = timedelta(seconds=60)


@pytest.fixture
def pooled(database: Database) -> Iterator[Database]:
    """The test's database behind PgBouncer: the leader has one backend, all others share one."""
    url = database.engine.url.render_as_string(hide_password=False)
    with pooler(url, backends=2) as behind:
        engine = create_database_engine(behind)
        yield Database(engine)
        engine.dispose()


def leader(database: Database) -> str | None:
    with database.platform() as session:
        return leader_of(session)


def test_a_lead_is_kept_while_others_use_the_pooler(pooled: Database) -> None:
    """G8: nobody else gets it, however many transactions come and go."""
    first, second = (Leadership(pooled.engine, name, LONG) for name in ("first", "second"))
    assert first.hold()
    for _ in range(20):
        assert second.hold() is False
        assert leader(pooled) == "first"
        assert first.hold()
    first.release()
    assert second.hold()
    assert leader(pooled) == "second"
    second.release()


def test_a_lock_of_the_session_would_have_two_leaders(pooled: Database) -> None:
    """G8: why it is not that; the pooler gives both the same backend, which has the lock."""
    got = []
    for _ in range(2):
        with pooled.engine.connect() as connection:
            got.append(connection.scalar(text("SELECT pg_try_advisory_lock(4711)")))
    assert got == [True, True]


def test_a_client_that_vanishes_loses_its_lead(pooled: Database) -> None:
    """G8: the pooler ends the transaction of a client that is gone."""
    first, second = (Leadership(pooled.engine, name, LONG) for name in ("first", "second"))
    assert first.hold()
    cut_off(pooled, "first")
    assert first.hold() is False
    assert second.hold()
    second.release()


def cut_off(database: Database, name: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = :name AND datname = current_database()"
            ),
            {"name": f"stoflow leader {name}"},
        )
