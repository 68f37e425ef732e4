"""`stoflow worker` is told to stop while eBay takes its time over a publish."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Semaphore
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from backend.metrics import Meters
from backend.worker import Chore, Worker
from benchmarks.chaos.shops import Shop, open_shops
from benchmarks.chaos.site import Site, built
from models.accounts.tenants import Lane
from models.selling.publishing import JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.publishing import JobRepository
from tests.waiting import until

PUBLISH = "publishOfferByInventoryItemGroup"
JOB = 1
"""The only one of its shop."""

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("leaving")]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with built() as site:
        yield site


@contextmanager
def at_work(site: Site, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process."""
    given = {f"STOFLOW_WORKER_{name.upper()}": value for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "worker"],
        env={**site.environment, "STOFLOW_EBAY_TIMEOUT": "PT60S", **given},
    ) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def dawdle(site: Site, seconds: float) -> Callable[[], bool]:
    """Let eBay take its time over the next listing; the answer says whether it was asked for."""
    order = {"operation": PUBLISH, "kind": "slow", "delay_s": seconds, "times": 1}
    site.ebay.post("/_sandbox/faults", json=order).raise_for_status()

    def begun() -> bool:
        faults = site.ebay.get("/_sandbox/faults").json()["faults"]
        return bool(faults[-1]["hits"])

    return begun


def job_of(site: Site, shop: Shop) -> MarketplaceJob:
    with site.container.database.tenant(shop.tenant) as session:
        job = JobRepository(session).get(JOB)
    assert job is not None
    return job


def story_of(site: Site, shop: Shop) -> list[str]:
    with site.container.database.tenant(shop.tenant) as session:
        return [step.name for step in JobRepository(session).steps(JOB)]


def listings_of(site: Site, shop: Shop) -> list[str]:
    ledger = site.ebay.get("/_sandbox/ledger").json()["listings"]
    return [row["listing_id"] for row in ledger if row["seller"] == shop.ebay_user]


class BusyProcessor:
    """Has one job, which lasts until it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go = Event(), Event()

    def visit_next_shop(
        self, lanes: tuple[Lane, ...], when_claimed: Callable[[], None]
    ) -> tuple[()]:
        self.begun.set()
        assert self.let_go.wait(60)
        return ()

    def hand_back_running(self) -> int:
        raise AssertionError("there was time enough")


class NothingPlanned:
    """A scheduler without ticks."""

    def start(self) -> None:
        pass

    def ask_to_stop(self) -> None:
        pass

    def wait(self, grace: timedelta) -> None:
        pass


def test_leases_are_kept_alive_while_a_worker_finishes() -> None:
    """G4: from the wish to stop until the last job has ended."""
    processor, beats = BusyProcessor(), Semaphore(0)
    heartbeat = Chore("heartbeat", timedelta(milliseconds=1), beats.release)
    worker = Worker(
        cast(Any, processor),
        [heartbeat],
        cast(Any, NothingPlanned()),
        Meters(CollectorRegistry()),
        threads=1,
        poll=timedelta(seconds=1),
    )
    worker.start()
    assert processor.begun.wait(60)
    worker.ask_to_stop()
    while beats.acquire(blocking=False):
        pass
    assert beats.acquire(timeout=60)
    assert beats.acquire(timeout=60)
    processor.let_go.set()
    assert worker.stop(timedelta(seconds=60))


def test_a_worker_that_is_told_to_stop_finishes_its_job(site: Site) -> None:
    """G1."""
    begun = dawdle(site, 2)
    [shop] = open_shops(site, 1, 1, "finishes")
    with at_work(site, lease="PT1H", shutdown_grace="PT50S") as worker:
        until(begun)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    job = job_of(site, shop)
    assert (job.status, job.outcome, job.attempts) == (JobStatus.DONE, JobOutcome.OK, 1)


def test_a_worker_that_has_no_time_left_hands_its_job_back_at_once(site: Site) -> None:
    """G1, G2, B1: the listing that eBay makes all the same is found, not made again."""
    begun = dawdle(site, 50)
    [shop] = open_shops(site, 1, 1, "leaves")
    with at_work(site, lease="PT1H", shutdown_grace="PT0.2S") as worker:
        until(begun)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 1
    job = job_of(site, shop)
    assert (job.status, job.outcome, job.lease_id) == (JobStatus.PENDING, JobOutcome.UNKNOWN, None)
    assert story_of(site, shop)[-1] == "handed back"
    with at_work(site):
        until(lambda: not job_of(site, shop).is_live)
    job = job_of(site, shop)
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK)
    assert job.result is not None
    assert listings_of(site, shop) == [job.result["listing_id"]]
