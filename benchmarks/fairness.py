"""How long does a delisting wait while a batch of 5,000 publications is being worked?

One worker process with its settings as they come; each job takes 50 to 200 ms, as it would at a
marketplace. A delisting is asked for through the service, by the same shop or by another one, and
counted from the commit until its handler begins, and until it is done; likewise another shop's
single publication. First beside one batch, then with three more shops' batches, so that every
thread that may work on publications does.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.settings import WorkerSettings
from benchmarks.answer import Answer
from benchmarks.installation import address_of, empty_installation
from benchmarks.shirts import learn_shirts, open_shirt_shop, shirts_on_ebay
from benchmarks.slow_crew import SlowCrew, slow_crew_on
from models.selling.publishing import Channel, JobAction, JobStatus
from repositories.selling.publishing import JobRepository
from services.reference.attributes.loading import CatalogueLoading
from services.selling.publishing.requesting import WorkRequests
from shared.clock import SystemClock
from shared.database import Database, TenantSchema
from shared.database.wake_ups import WakeUpSender

JOBS, CROWD_JOBS = 5_000, 1_500
CROWD = 3
"""Shops whose batches come on top."""
ASKED = 60
"""Delistings and publications of each kind, in each of the two situations."""
PATIENCE_S = 60.0
SEED = 20_260_601


@dataclass(frozen=True)
class _Wait:
    """Milliseconds from the commit."""

    to_begin: float
    to_done: float


class _Counter:
    """Where sellers ask for single jobs."""

    def __init__(self, database: Database, requests: WorkRequests, crew: SlowCrew) -> None:
        self._database = database
        self._requests = requests
        self._crew = crew

    def wait_for(self, shop: TenantSchema, action: JobAction, product_id: int) -> _Wait:
        """Ask for one and wait until it is done."""
        with self._database.tenant(shop) as session:
            asked = self._requests.request(session, action, [product_id], [Channel.EBAY], 1)
        committed = time.perf_counter()
        job_id = asked.items[0].job_id
        if job_id is None:
            raise RuntimeError(f"{shop}: nothing was queued: {asked.items[0]}")
        while not self._is_done(shop, job_id):
            if time.perf_counter() - committed > PATIENCE_S:
                raise RuntimeError(f"{shop}: job {job_id} is not done in {PATIENCE_S:.0f} s.")
            time.sleep(0.002)
        done = time.perf_counter()
        began = self._crew.began_at(shop.tenant_id, job_id)
        if began is None:
            raise RuntimeError(f"{shop}: job {job_id} is done and never began.")
        return _Wait((began - committed) * 1000, (done - committed) * 1000)

    def _is_done(self, shop: TenantSchema, job_id: int) -> bool:
        with self._database.tenant(shop) as session:
            job = JobRepository(session).get(job_id)
            return job is not None and job.status is JobStatus.DONE


def measure() -> Answer:
    """Beside one batch, then beside four."""
    clock, settings = SystemClock(), WorkerSettings()
    with empty_installation() as database:
        with database.platform() as session:
            CatalogueLoading(clock).load(session)
            learn_shirts(session)
        requests = WorkRequests({Channel.EBAY: shirts_on_ebay(clock)}, clock)
        batch_shop = open_shirt_shop(database, JOBS + 2 * ASKED, listed=2 * ASKED)
        other = open_shirt_shop(database, 4 * ASKED, listed=2 * ASKED)
        sender = WakeUpSender(database.engine)
        sender.start()
        _publish(database, requests, batch_shop, JOBS)
        with slow_crew_on(address_of(database), settings) as crew:
            counter = _Counter(database, requests, crew)
            beside_one = _ask(counter, batch_shop, other, first=0)
            for _ in range(CROWD):
                shop = open_shirt_shop(database, CROWD_JOBS)
                _publish(database, requests, shop, CROWD_JOBS)
            beside_many = _ask(counter, batch_shop, other, first=ASKED)
            left = _left(database, batch_shop)
        sender.close()
    if not left:
        raise RuntimeError("The batch ended before everybody had asked.")
    figures = {
        "batch_jobs": float(JOBS),
        "batch_left": float(left),
        "worker_threads": float(settings.threads),
        **_figures("", beside_one),
        **_figures("crowded_", beside_many),
    }
    delistings = [name for name in figures if "delist" in name and name.endswith("begin_max_ms")]
    slowest = max(figures[name] for name in delistings)
    return Answer(figures, {"delist_begin_to_one_second": round(slowest / 1_000, 3)})


def _publish(database: Database, requests: WorkRequests, shop: TenantSchema, products: int) -> None:
    with database.tenant(shop) as session:
        ids = range(1, products + 1)
        requests.request(session, JobAction.PUBLISH, ids, [Channel.EBAY], 1)


def _ask(
    counter: _Counter, batch_shop: TenantSchema, other: TenantSchema, first: int
) -> Mapping[str, Sequence[_Wait]]:
    """In turn, at odd moments; products are taken up where `first` says, each once."""
    chance = random.Random(SEED + first)
    waits: dict[str, list[_Wait]] = {}
    for number in range(first + 1, first + ASKED + 1):
        for name, shop, action, product_id in (
            ("own_delist", batch_shop, JobAction.DELETE, JOBS + number),
            ("other_delist", other, JobAction.DELETE, 2 * ASKED + number),
            ("other_publish", other, JobAction.PUBLISH, number),
        ):
            time.sleep(chance.uniform(0.0, 0.1))
            waits.setdefault(name, []).append(counter.wait_for(shop, action, product_id))
    return waits


def _left(database: Database, shop: TenantSchema) -> int:
    with database.tenant(shop) as session:
        live = JobRepository(session).live(JobAction.PUBLISH, [Channel.EBAY], range(1, JOBS + 1))
    return len(live)


def _figures(prefix: str, waits: Mapping[str, Sequence[_Wait]]) -> dict[str, float]:
    return {
        f"{prefix}{name}_{until}_{which}_ms": value
        for name, each in waits.items()
        for until, times in (
            ("begin", [wait.to_begin for wait in each]),
            ("done", [wait.to_done for wait in each]),
        )
        for which, value in _spread(times).items()
    }


def _spread(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[len(ordered) * 95 // 100], 1),
        "max": round(ordered[-1], 1),
    }
