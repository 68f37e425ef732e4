"""How long does a new shop take?

Against the raw DDL of the same tables and, where it can be installed, against django-tenants with
the same tables, all in the same run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import psycopg2
from sqlalchemy import text

from benchmarks import peers
from benchmarks.answer import Answer, alternately
from benchmarks.installation import address_of, empty_installation
from migrations.rendering import tenant_script
from models.accounts.identity import Role, User
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import SystemClock
from shared.database import Database
from shared.ids import new_uuid

ROUNDS = 30

WARM_UP = 60
"""Shops of each kind before anything is measured."""


def measure() -> Answer:
    """Provision shops and raw schemas in turn; each is one committed transaction."""
    with empty_installation() as database, _opened_by_django_tenants(database) as theirs:
        ours, raw = _provision(database), _RawSchemas(database).create
        times = alternately(ROUNDS, ours, raw, *theirs, warm_up=lambda: _age(database, ours, raw))
    tables = sum(each.startswith("CREATE TABLE") for each in tenant_script().statements)
    figures = {"tables": float(tables), "provision_ms": times[0], "raw_ddl_ms": times[1]}
    ratios = {"to_raw": round(times[0] / times[1], 3)}
    if theirs:
        figures["django_tenants_ms"] = times[2]
        ratios["to_django_tenants"] = round(times[2] / times[0], 3)
    return Answer(figures, ratios)


def _age(database: Database, *acts: Callable[[], object]) -> None:
    """Make the server one that has run for a while.

    A fresh one fills each file of its log with zeros first, which takes longer than a shop; after
    a checkpoint it takes old files instead.
    """
    for _ in range(WARM_UP):
        for act in acts:
            act()
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("CHECKPOINT"))


@contextmanager
def _opened_by_django_tenants(database: Database) -> Iterator[list[Callable[[], object]]]:
    """What opens a shop there; nothing where django-tenants cannot be had."""
    django = peers.installed()
    if django is None:
        yield []
        return
    with django.shops(database) as shops:
        numbers = count(1)
        yield [lambda: shops.open(f"shop{next(numbers)}")]


def _provision(database: Database) -> Callable[[], None]:
    clock, numbers = SystemClock(), count(1)
    service = TenantProvisioning(database, tenant_script(), clock)

    def provision() -> None:
        with database.platform() as session:
            user = User(
                public_id=new_uuid(),
                email=f"bench{next(numbers)}@example.com",
                password_hash="!",
                full_name="Bench",
                role=Role.MEMBER,
                failed_sign_ins=0,
                created_at=clock.now(),
            )
            session.add(user)
            session.flush()
            service.provision(session, user.id)

    return provision


class _RawSchemas:
    """The same tables by hand: one connection that stays open, one round trip, one commit."""

    def __init__(self, database: Database) -> None:
        self._connection = psycopg2.connect(address_of(database))
        self._ddl = "; ".join(tenant_script().statements)
        self._numbers = count(1)

    def create(self) -> None:
        name = f"raw_{next(self._numbers)}"
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {name}; SET LOCAL search_path TO {name}; {self._ddl}")
