"""How long does a request for 5,000 publications take, from the ids to the committed jobs?

Preflight included: products with photos and attributes in a category whose item specifics eBay has
told, as in a working shop. Once more, another shop keeps asking for a single publication meanwhile
and the same shop for a single delisting; the longest that one of these took is a figure too. All of
them share one Python process.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from api.selling.publishing.schemas import PublicationOut
from benchmarks.answer import Answer, median_of, milliseconds
from benchmarks.installation import empty_installation
from benchmarks.shirts import learn_shirts, open_shirt_shop, shirts_on_ebay
from models.selling.publishing import Channel, JobAction
from services.reference.attributes.loading import CatalogueLoading
from services.selling.publishing.requesting import RequestedBatch, WorkRequests
from shared.clock import SystemClock
from shared.database import Database, TenantSchema

JOBS = 5_000
ROUNDS = 3
BESIDE = 300
"""Products of which others ask for one at a time."""


def measure() -> Answer:
    """Ask in a fresh shop each round; then once more with others asking meanwhile."""
    with empty_installation() as database:
        clock = SystemClock()
        with database.platform() as session:
            CatalogueLoading(clock).load(session)
            learn_shirts(session)
        requests = WorkRequests({Channel.EBAY: shirts_on_ebay(clock)}, clock)
        asking = _Asking(database, requests)
        alone = [asking.for_all_of(open_shirt_shop(database, JOBS)) for _ in range(ROUNDS)]
        other = open_shirt_shop(database, BESIDE)
        shop = open_shirt_shop(database, JOBS + BESIDE, listed=BESIDE)
        with _meanwhile(asking.to_publish_one(other), asking.to_delist_one(shop)) as held_up:
            asking.for_all_of(shop)
    asked, cpu, answered = (median_of(column) for column in zip(*alone, strict=True))
    figures = {
        "jobs": float(JOBS),
        "enqueue_ms": asked,
        "enqueue_cpu_ms": cpu,
        "answer_ms": answered,
        "others_held_up_ms": round(max(held_up), 1),
    }
    return Answer(figures, {"to_two_seconds": round(asked / 2_000, 3)})


class _Asking:
    def __init__(self, database: Database, requests: WorkRequests) -> None:
        self._database = database
        self._requests = requests

    def for_all_of(self, shop: TenantSchema) -> tuple[float, float, float]:
        """Milliseconds to the commit, those of this process's own work, and for the answer."""
        busy = time.process_time()
        batch, asked = _timed(lambda: self._ask(shop, JobAction.PUBLISH, range(1, JOBS + 1)))
        cpu = (time.process_time() - busy) * 1000
        assert all(item.job_id is not None for item in batch.items), batch.items[0]
        answered = milliseconds(lambda: PublicationOut.of(batch).model_dump_json())
        return asked, cpu, answered

    def to_publish_one(self, shop: TenantSchema) -> Callable[[], object]:
        numbers = count(1)
        return lambda: self._ask(shop, JobAction.PUBLISH, [next(numbers)])

    def to_delist_one(self, shop: TenantSchema) -> Callable[[], object]:
        numbers = count(JOBS + 1)
        return lambda: self._ask(shop, JobAction.DELETE, [next(numbers)])

    def _ask(self, shop: TenantSchema, action: JobAction, ids: Sequence[int]) -> RequestedBatch:
        with self._database.tenant(shop) as session:
            return self._requests.request(session, action, ids, [Channel.EBAY], 1)


def _timed(ask: Callable[[], RequestedBatch]) -> tuple[RequestedBatch, float]:
    batches: list[RequestedBatch] = []
    took = milliseconds(lambda: batches.append(ask()))
    return batches[0], took


@contextmanager
def _meanwhile(*acts: Callable[[], object]) -> Iterator[list[float]]:
    """Do these in turn, twenty times a second, and note how long each took."""
    times, over = [0.0], threading.Event()

    def run() -> None:
        while not over.wait(0.05):
            times.extend(milliseconds(act) for act in acts)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()
