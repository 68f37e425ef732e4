"""How long does a new shop take, against the raw DDL of the same tables in the same run?"""

from collections.abc import Callable
from itertools import count

import psycopg2

from benchmarks.answer import Answer, alternately
from benchmarks.installation import address_of, empty_installation
from migrations.runner import tenant_script
from models.accounts.identity import Role, User
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import SystemClock
from shared.database import Database
from shared.ids import new_uuid

ROUNDS = 40


def measure() -> Answer:
    """Provision shops and raw schemas in turn; each is one committed transaction."""
    with empty_installation() as database:
        provisioned, raw = alternately(ROUNDS, _provision(database), _RawSchemas(database).create)
    return Answer(
        figures={
            "tables": float(sum(s.startswith("CREATE TABLE") for s in tenant_script().statements)),
            "provision_ms": provisioned,
            "raw_ddl_ms": raw,
        },
        ratios={"to_raw": round(provisioned / raw, 3)},
    )


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
