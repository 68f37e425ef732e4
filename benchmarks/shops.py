"""Many shops: each made by the real service, then filled with the first one's goods."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from benchmarks.goods import stock
from migrations.rendering import tenant_script
from models.accounts.identity import Role, User
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import SystemClock
from shared.database import Database, TenantSchema
from shared.ids import new_uuid

THREADS = 2
SAY_EVERY_S = 5.0

_GOODS = ("products", "product_variants", "product_images")

Item = TypeVar("Item")


def open_shops(database: Database, how_many: int) -> Sequence[TenantSchema]:
    """Open shops that sell the same 60 products, in parallel, each in a transaction of its own."""
    first = _open(database, None, 0)
    with database.tenant(first) as session:
        stock(session.connection(), 0)
    with ThreadPoolExecutor(THREADS) as threads:
        others = threads.map(partial(_open, database, first), range(1, how_many))
        return [first, *shown("shops opened", others, how_many - 1)]


def shown(what: str, items: Iterable[Item], total: int) -> Iterator[Item]:
    """Pass the items on; a line every few seconds tells how far it is."""
    started = said = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - said >= SAY_EVERY_S:
            said = now
            line = f"{what}: {number:,} of {total:,}, {number / (now - started):.0f}/s"
            print(line, file=sys.stderr, flush=True)


def _open(database: Database, model: TenantSchema | None, number: int) -> TenantSchema:
    clock = SystemClock()
    provisioning = TenantProvisioning(database, tenant_script(), clock)
    with database.platform() as session:
        user = User(
            public_id=new_uuid(),
            email=f"seller{number}@example.com",
            password_hash="!",
            full_name="Bench",
            role=Role.MEMBER,
            failed_sign_ins=0,
            created_at=clock.now(),
        )
        session.add(user)
        session.flush()
        shop = provisioning.provision(session, user.id)
        if model is not None:
            session.connection().exec_driver_sql(
                "; ".join(
                    f"INSERT INTO {shop.quoted}.{table} SELECT * FROM {model.quoted}.{table}"
                    for table in _GOODS
                )
            )
    return shop
