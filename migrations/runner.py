"""Runs the two lines on what all shops share: the shared schemas, the template, the blueprint.

Every transaction here gives up a lock that it does not get soon, so that nobody queues up behind
it, and is tried again.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from migrations.access import grant_tenant_access
from migrations.blueprints import make_current
from migrations.lines import PLATFORM, TENANT, Line
from migrations.rendering import BASE, head_of, revisions, tenant_script
from models.accounts.tenants import ASLEEP, Tenant, TenantBlueprint
from shared.clock import Clock, SystemClock
from shared.database import TEMPLATE_SCHEMA, lacks_something, may_pass
from shared.database.tenant_schema import quote_identifier

Say = Callable[[str], None]

_MIGRATING = 7_340_001
"""Key of the advisory lock that lets one process migrate at a time."""

_LOCK_TIMEOUT = "5s"
_TRIES = 6
_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True)
class InstallationState:
    """Where an installation is; None for what it does not have yet."""

    platform: str | None
    blueprint: str | None
    """The revision at which new shops are made."""
    shops_elsewhere: int
    """Shops with a schema at a revision that this version knows and that is not the target."""


def silently(_line: str) -> None:
    """Says nothing."""


def has_reached(line: Line, revision: str | None) -> bool:
    """Whether a database at `revision` has all that this version needs.

    A revision that this version does not know is newer: during a deployment the old processes go
    on serving after the new version has migrated.
    """
    return revision is not None and (revision == head_of(line) or revision not in revisions(line))


def apart_from(target: str, line: Line = TENANT) -> list[str]:
    """The revisions that a shop on its way to `target` can be at."""
    return [revision for revision in revisions(line) if revision != target]


def state_of(engine: Engine, target: str, line: Line = TENANT) -> InstallationState:
    """One query: is there anything to do on the way to `target`? Alembic is not started."""
    platform = text(f"(SELECT version_num FROM public.{PLATFORM.version_table})")  # noqa: S608 - a constant of ours
    blueprint = select(TenantBlueprint.revision).where(TenantBlueprint.is_current)
    elsewhere = select(func.count()).where(
        Tenant.schema_version.in_(apart_from(target, line)), Tenant.status.not_in(ASLEEP)
    )
    with engine.connect() as connection:
        try:
            found = connection.execute(
                select(platform, blueprint.scalar_subquery(), elsewhere.scalar_subquery())
            ).one()
        except DBAPIError as error:
            if not lacks_something(error):
                raise
            # An empty database, or one of before the blueprints.
            connection.rollback()
            return InstallationState(_platform_revision(connection), None, 0)
    return InstallationState(*found)


def current_platform_revision(engine: Engine) -> str | None:
    """Where the shared schemas are; None before the first migration."""
    with engine.connect() as connection:
        return _platform_revision(connection)


@contextmanager
def alone(engine: Engine, say: Say = silently) -> Iterator[None]:
    """Keeps other migrations of this database out, or waits, saying so, until they are done.

    Held by an open transaction, not by the session, so that it means something behind a pooler.
    """
    with engine.connect() as guard:
        guard.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        if not guard.scalar(select(func.pg_try_advisory_xact_lock(_MIGRATING))):
            say("Another migration of this database is at work; waiting until it is done.")
            guard.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
        yield


def migrate(engine: Engine, say: Say = silently, clock: Clock | None = None) -> None:
    """Bring shared schemas, template and blueprint to their heads; existing shops stay.

    Safe to repeat and to run at the same time elsewhere.
    """
    head = head_of(TENANT)
    with alone(engine, say):
        upgrade_platform(engine, say)
        if has_reached(TENANT, state_of(engine, head).blueprint):
            return
        move_template(engine, head, say=say)
        make_blueprint_current(engine, head, clock or SystemClock(), say=say)


def upgrade_platform(engine: Engine, say: Say = silently) -> None:
    """Bring the shared schemas to their head, or leave them when they are newer than that."""
    at = current_platform_revision(engine)
    if not has_reached(PLATFORM, at):
        _patiently(engine, say, _upgrade_platform)
        at = head_of(PLATFORM)
    say(f"public, product_attributes: at {at}")


def state_grants(engine: Engine) -> None:
    """Grant what shops may touch in the shared schemas anew: grants belong to no revision."""
    with alone(engine):
        _patiently(engine, silently, _grant)


def move_template(engine: Engine, target: str, line: Line = TENANT, say: Say = silently) -> None:
    """Bring the template up or down to `target`; one that is newer than this version stays."""

    def move(connection: Connection) -> None:
        template = quote_identifier(TEMPLATE_SCHEMA)
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {template}"))
        connection.execute(text(f"SET LOCAL search_path TO {template}, public"))
        at = _revision_in(connection, line, TEMPLATE_SCHEMA) or BASE
        known = (BASE, *revisions(line))
        if at not in known:
            return
        go = command.upgrade if known.index(at) <= known.index(target) else command.downgrade
        go(line.config(connection=connection), target)

    _patiently(engine, say, move)
    say(f"{TEMPLATE_SCHEMA}: at {target}")


def make_blueprint_current(
    engine: Engine, target: str, clock: Clock, line: Line = TENANT, say: Say = silently
) -> None:
    """Have new shops made at `target` from now on, by processes of every version."""
    script = tenant_script(until=target, line=line)
    _patiently(engine, say, lambda connection: make_current(connection, script, clock.now()))
    say(f"new shops: at {target}")


def _platform_revision(connection: Connection) -> str | None:
    return _revision_in(connection, PLATFORM, PLATFORM.version_schema)


def _revision_in(connection: Connection, line: Line, schema: str | None) -> str | None:
    options = {"version_table": line.version_table, "version_table_schema": schema}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _upgrade_platform(connection: Connection) -> None:
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS product_attributes"))
    command.upgrade(PLATFORM.config(connection=connection), "head")
    _grant(connection)


def _grant(connection: Connection) -> None:
    database = connection.engine.url.database
    assert database is not None
    grant_tenant_access(connection, database)


def _patiently(engine: Engine, say: Say, act: Callable[[Connection], None]) -> None:
    """`act` in a transaction of its own, again when somebody else stood in its way."""
    for left in reversed(range(_TRIES)):
        try:
            with engine.begin() as connection:
                connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
                act(connection)
        except Exception as error:
            if not left or not may_pass(error):
                raise
            say("Somebody else holds a lock that this needs; trying again.")
            # Nobody guesses this.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_S))  # noqa: S311
        else:
            return
