"""How many jobs a second does a worker do, and how soon does it begin one, among many shops?

One worker process with threads (`BENCH_THREADS`) and handlers that do nothing; every job is
claimed, told step by step, settled and announced in its own shop. As many jobs (`BENCH_JOBS`) are
spread over few shops and over many (`BENCH_SHOPS=10,1000,10000`). A pick-up is counted from the
commit in another process that leaves a job in one of these shops until its handler is called, by a
worker that sleeps. procrastinate and PGQueuer get as many jobs, in one flat table, on the same
server, in the same run.
"""

import os
import random
import time
from collections.abc import Sequence
from itertools import islice, product
from typing import Any

from sqlalchemy import func, select

from benchmarks import peers
from benchmarks.answer import Answer
from benchmarks.installation import (
    address_of,
    empty_database_beside,
    empty_installation,
    empty_installation_beside,
)
from benchmarks.job_crew import Crew, crew_on
from benchmarks.shops import leave_job, open_shops
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobStatus, JobStep, MarketplaceJob
from repositories.accounts.bells import BellRepository
from shared.clock import SystemClock
from shared.database import Database, TenantSchema
from shared.database.wake_ups import WakeUpSender

SIZES, JOBS, THREADS = "10,1000", "15000", "4"
PICK_UPS = 400
IDLE_S = 10.0
PATIENCE_S = 600.0
SEED = 20_260_601
_PRODUCTS = range(2, 61)
"""Not the one whose job is due in a year."""
_MOST_EACH = len(JobAction) * len(Channel) * len(_PRODUCTS)
"""One live job a product, channel and action."""


def measure() -> Answer:
    """Few shops, many shops, a sleeping worker, then the peers."""
    sizes = sorted(int(size) for size in os.environ.get("BENCH_SHOPS", SIZES).split(","))
    jobs = int(os.environ.get("BENCH_JOBS", JOBS))
    threads = int(os.environ.get("BENCH_THREADS", THREADS))
    figures = {"jobs": float(jobs), "threads": float(threads)}
    with empty_installation() as database:
        for size in sizes:
            with empty_installation_beside(database) as crowded:
                figures.update(_among(crowded, size, jobs, threads))
        theirs = _peers(database, jobs)
    largest = figures[f"jobs_per_s_{sizes[-1]}"]
    middle = 1000 if 1000 in sizes else sizes[-1]
    figures["pickup_p99_ms"] = figures[f"pickup_p99_ms_{middle}"]
    ratios = {
        f"rate_{sizes[0]}_to_{sizes[-1]}": round(figures[f"jobs_per_s_{sizes[0]}"] / largest, 3)
    }
    for name, found in theirs.items():
        figures[f"{name}_jobs_per_s"] = round(found["rate"], 1)
        figures[f"{name}_pickup_p99_ms"] = _within(found["pick_ups_ms"], 0.99)
        ratios[f"to_{name}"] = round(figures[f"jobs_per_s_{middle}"] / found["rate"], 3)
    return Answer(figures, ratios)


def _among(database: Database, how_many: int, jobs: int, threads: int) -> dict[str, float]:
    shops = open_shops(database, how_many)
    with crew_on(address_of(database), threads) as crew:
        _spread(database, shops, max(jobs // 10, 1))
        crew.start()
        _wait_for(crew, max(jobs // 10, 1))
    _spread(database, shops, jobs)
    with crew_on(address_of(database), threads) as crew:
        started = time.perf_counter()
        crew.start()
        _wait_for(crew, jobs)
        rate = jobs / (time.perf_counter() - started)
        time.sleep(1)
        _refuse_if_left(database, shops)
        before = crew.statements()
        time.sleep(IDLE_S)
        idle = (crew.statements() - before) / IDLE_S
        picked_up = _pick_ups(database, shops, crew)
    return {
        f"jobs_per_s_{how_many}": round(rate, 1),
        f"pickup_p50_ms_{how_many}": _within(picked_up, 0.5),
        f"pickup_p99_ms_{how_many}": _within(picked_up, 0.99),
        f"idle_statements_per_s_{how_many}": round(idle, 1),
    }


def _spread(database: Database, shops: Sequence[TenantSchema], jobs: int) -> None:
    """Leave jobs that are due, as many in each shop as in the others."""
    now = SystemClock().now()
    each, more = divmod(jobs, len(shops))
    if each >= _MOST_EACH:
        raise SystemExit(f"{len(shops)} shops have room for {len(shops) * _MOST_EACH:,} jobs.")
    for place, shop in enumerate(shops):
        number = each + (place < more)
        if not number:
            continue
        with database.tenant(shop) as session:
            BellRepository(session).ring(shop, Lane.BULK, now)
            kinds = islice(product(JobAction, Channel, _PRODUCTS), number)
            session.add_all(_job(shop, *kind) for kind in kinds)


def _job(
    shop: TenantSchema, action: JobAction, channel: Channel, product_id: int
) -> MarketplaceJob:
    now = SystemClock().now()
    return MarketplaceJob(
        channel=channel,
        action=action,
        product_id=product_id,
        lane=Lane.BULK,
        priority=100,
        status=JobStatus.PENDING,
        due_at=now,
        attempts=0,
        max_attempts=8,
        problem_fields=[],
        payload={},
        progress={},
        requested_by=shop.tenant_id,
        created_at=now,
    )


def _wait_for(crew: Crew, jobs: int) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while crew.ended() < jobs:
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{crew.ended()} of {jobs} jobs have ended in {PATIENCE_S:.0f} s.")
        time.sleep(0.005)


def _refuse_if_left(database: Database, shops: Sequence[TenantSchema]) -> None:
    """Every job is done in its own shop, and its story is there."""
    now = SystemClock().now()
    for shop in shops:
        with database.tenant(shop) as session:
            due = MarketplaceJob.due_at <= now
            undone = MarketplaceJob.status != JobStatus.DONE
            left = session.scalar(select(func.count()).where(due, undone))
            done = session.scalar(select(func.count()).where(due, ~undone)) or 0
            told = session.scalar(select(func.count(JobStep.id)))
        if left or told != 2 * done:
            raise RuntimeError(f"{shop}: {left} jobs left, {told} lines told of {done} done.")


def _pick_ups(database: Database, shops: Sequence[TenantSchema], crew: Crew) -> list[float]:
    """Milliseconds from the commit to the handler, in shops at random."""
    chance, so_far, taken = random.Random(SEED), len(crew.began_at()), []
    sender = WakeUpSender(database.engine)
    sender.start()
    for number in range(so_far, so_far + PICK_UPS):
        with database.tenant(chance.choice(shops)) as session:
            leave_job(session, 2, SystemClock().now())
        left = time.perf_counter()
        _wait_for(crew, number + 1)
        taken.append((crew.began_at()[number] - left) * 1000)
        # The worker goes back to sleep; a wake-up an interval is sent.
        time.sleep(chance.uniform(0.02, 0.05))
    sender.close()
    return taken


def _peers(database: Database, jobs: int) -> dict[str, dict[str, Any]]:
    found = {}
    for name in ("procrastinate", "pgqueuer"):
        with empty_database_beside(database) as url:
            answer = peers.queue(f"{name}_jobs", url, jobs, PICK_UPS)
        if answer is not None:
            found[name] = answer
    return found


def _within(milliseconds: Sequence[float], part: float) -> float:
    return round(sorted(milliseconds)[int(len(milliseconds) * part)], 2)
