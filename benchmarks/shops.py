"""Many shops: each made by the real service, then filled with the first one's goods."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from benchmarks.goods import stock
from migrations.rendering import tenant_script
from models.accounts.identity import Role, User
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import SystemClock
from shared.database import Database, TenantSchema, TenantSession
from shared.ids import new_uuid

THREADS = 2
SAY_EVERY_S = 5.0

_COPIED = ("products", "product_variants", "product_images", "marketplace_jobs")
_LATER = timedelta(days=365)
_FAR_ID = 1_000_000
"""Of the job that is not due; the shops' own numbers begin at 1."""

Item = TypeVar("Item")


def open_shops(database: Database, how_many: int) -> Sequence[TenantSchema]:
    """Open shops in parallel, each in a transaction of its own.

    All sell the same 60 products, and a job of each is due in a year.
    """
    first = _open(database, None, 0)
    with database.tenant(first) as session:
        stock(session.connection(), 0)
        leave_job(session, 1, SystemClock().now() + _LATER, job_id=_FAR_ID)
    with ThreadPoolExecutor(THREADS) as threads:
        others = threads.map(partial(_open, database, first), range(1, how_many))
        return [first, *shown("shops opened", others, how_many - 1)]


def leave_job(
    session: TenantSession, product_id: int, due_at: datetime, job_id: int | None = None
) -> None:
    """Leave a job for this product and ring the bell."""
    BellRepository(session).ring(session.tenant, Lane.BULK, due_at)
    session.add(
        MarketplaceJob(
            id=job_id,
            channel=Channel.EBAY,
            action=JobAction.PUBLISH,
            product_id=product_id,
            lane=Lane.BULK,
            priority=100,
            status=JobStatus.PENDING,
            due_at=due_at,
            attempts=0,
            max_attempts=8,
            problem_fields=[],
            payload={},
            progress={},
            requested_by=session.tenant.tenant_id,
            created_at=due_at,
        )
    )
    session.flush()


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
                    for table in _COPIED
                )
            )
            BellRepository(session).ring(shop, Lane.BULK, clock.now() + _LATER)
    return shop
