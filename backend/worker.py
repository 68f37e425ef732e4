"""The worker: threads that run jobs, one that relays events, chores that are done now and then."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic, perf_counter

import structlog

from backend.container import Container
from backend.handlers import handler_table
from backend.metrics import Meters
from backend.relay import Relay
from backend.scheduler import Scheduler, worker_name
from backend.subscriptions import subscriptions
from backend.ticks import ticks_of
from models.accounts.tenants import Lane
from services.accounts.outbox.relaying import OutboxRelay
from services.accounts.schedule.running import TickRunner
from services.gateways.ebay.quotas import EbayQuotas
from services.selling.ebay.access import EbayAccess
from services.selling.ebay.desk import EbayWorkshop
from services.selling.etsy.access import EtsyAccess
from services.selling.etsy.desk import EtsyWorkshop
from services.selling.listing_imports.importing import ImportWorkshop
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.vinted.commands import CommandTransport
from services.selling.vinted.desk import VintedWorkshop
from services.selling.vinted.halting import VintedHalts
from shared.database.leadership import Leadership
from shared.database.wake_ups import WakeUpListener

log = structlog.get_logger(__name__)

HEARTBEATS_PER_LEASE = 3

REALTIME_ONLY = (Lane.REALTIME,)
BOTH_LANES = (Lane.REALTIME, Lane.BULK)


@dataclass(frozen=True)
class Chore:
    """Something a worker does at its start and then again and again."""

    name: str
    every: timedelta
    act: Callable[[], object]


def worker_of(container: Container) -> "Worker":
    """A worker for this installation."""
    settings, database, clock = container.settings, container.database, container.clock
    leases = LeaseKeeper(database, clock, settings.worker.lease)
    worker = Worker(
        MarketplaceJobProcessor(
            database,
            handlers_of(container),
            leases,
            clock,
            worker_name(),
            settings.worker.caps,
            settings.worker.longest_wait,
        ),
        [Chore("heartbeat", leases.duration / HEARTBEATS_PER_LEASE, leases.beat)],
        scheduler_of(container),
        container.meters,
        threads=settings.worker.threads,
        poll=settings.worker.poll,
    )
    relay = Relay(
        OutboxRelay(database, subscriptions(clock), clock, container.meters), settings.worker.poll
    )
    worker.relay_with(relay)
    if settings.worker.listen:
        worker.listen_with(WakeUpListener(database.engine, worker.wake, relay.wake))
    return worker


def handlers_of(container: Container) -> HandlerTable:
    """Who runs which job."""
    imports = ImportWorkshop(
        container.database, container.object_store, container.image_fetcher, container.clock
    )
    return handler_table(
        ebay_workshop_of(container),
        etsy_workshop_of(container),
        vinted_workshop_of(container),
        imports,
    )


def ebay_workshop_of(container: Container) -> EbayWorkshop:
    """What handlers of eBay jobs share."""
    database, ebay, clock = container.database, container.ebay, container.clock
    access = EbayAccess(database, ebay.oauth, container.secret_box, clock)
    quotas = EbayQuotas(container.settings.ebay.daily_calls)
    return EbayWorkshop(database, ebay, access, container.object_store, clock, quotas)


def etsy_workshop_of(container: Container) -> EtsyWorkshop:
    """What handlers of Etsy jobs share."""
    database, etsy, clock = container.database, container.etsy, container.clock
    access = EtsyAccess(database, etsy.oauth, container.secret_box, clock)
    return EtsyWorkshop(database, etsy, access, container.object_store, clock)


def vinted_workshop_of(container: Container) -> VintedWorkshop:
    """What handlers of Vinted jobs share."""
    database, clock = container.database, container.clock
    return VintedWorkshop(
        database, partial(CommandTransport, database, clock), VintedHalts(database, clock), clock
    )


def scheduler_of(container: Container) -> Scheduler:
    """What makes one worker of the installation run the ticks."""
    database, lease = container.database, container.settings.worker.leadership
    return Scheduler(
        Leadership(database.engine, worker_name(), lease),
        ticks_of(container),
        TickRunner(database, container.clock, worker_name(), container.meters),
        container.meters,
        lease,
    )


class Nap:
    """Where threads sleep. A wake-up ends one nap: that of a sleeper, else the next one begun.

    One sleeper is on watch: it gets up now and then without a wake-up, the others do not.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._woken = self._over = self._watched = False

    def wake(self) -> None:
        """Have one thread look for work."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def end(self) -> None:
        """Wake everybody, for good."""
        with self._condition:
            self._over = True
            self._condition.notify_all()

    def take(self, longest: timedelta) -> None:
        """Sleep until woken; whoever is on watch, at most so long."""
        with self._condition:
            watches, self._watched = not self._watched, True
            timeout = longest.total_seconds() if watches else None
            self._condition.wait_for(lambda: self._woken or self._over, timeout)
            self._woken = False
            if watches:
                self._watched = False


class Worker:
    """Runs until told to stop, then lets running jobs finish.

    The first thread serves the realtime lane alone, so that a sale never waits behind a batch;
    the others look there first too. A single thread serves both lanes.

    Of the threads without work one of each kind looks again after `poll`. A wake-up rouses one of
    each kind; whoever finds a job rouses the next, which looks too and keeps watch meanwhile.
    """

    def __init__(
        self,
        processor: MarketplaceJobProcessor,
        chores: Sequence[Chore],
        scheduler: Scheduler,
        meters: Meters,
        *,
        threads: int,
        poll: timedelta,
    ) -> None:
        self._processor = processor
        self._scheduler = scheduler
        self._meters = meters
        self._poll = poll
        self._listener: WakeUpListener | None = None
        self._relay: Relay | None = None
        self._naps = {REALTIME_ONLY: Nap(), BOTH_LANES: Nap()}
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._runners = [self._runner(number, threads) for number in range(threads)]
        self._chores = [self._repeating(chore) for chore in chores]

    def listen_with(self, listener: WakeUpListener) -> None:
        """Start and stop this along with the worker."""
        self._listener = listener

    def relay_with(self, relay: Relay) -> None:
        """Likewise this."""
        self._relay = relay

    def wake(self) -> None:
        """There may be work."""
        for nap in self._naps.values():
            nap.wake()

    def start(self) -> None:
        """Start all threads and return."""
        for thread in (*self._runners, *self._chores):
            thread.start()
        if self._listener is not None:
            self._listener.start()
        if self._relay is not None:
            self._relay.start()
        self._scheduler.start()
        log.info("worker.started", name=worker_name())

    def stop(self, grace: timedelta) -> bool:
        """Take no new job and wait for the running ones; False when some did not finish in time.

        Leases are kept alive meanwhile. What has not finished by then is handed back: another
        worker takes it up at once, and what these threads still do to it is fenced off.
        """
        self._stopping.set()
        for nap in self._naps.values():
            nap.end()
        if self._listener is not None:
            self._listener.close()
        if self._relay is not None:
            self._relay.ask_to_stop()
        self._scheduler.ask_to_stop()
        deadline = monotonic() + grace.total_seconds()
        for thread in self._runners:
            thread.join(max(0.0, deadline - monotonic()))
        finished = not any(thread.is_alive() for thread in self._runners)
        if not finished:
            log.warning("worker.handed_back", jobs=self._processor.hand_back_running())
        self._scheduler.wait(timedelta(seconds=max(0.0, deadline - monotonic())))
        if self._relay is not None:
            self._relay.wait(timedelta(seconds=max(0.0, deadline - monotonic())))
        self._stopped.set()
        log.info("worker.stopped", finished=finished)
        return finished

    def wait(self) -> None:
        """Block until `stop` is called from elsewhere, a signal handler say."""
        self._stopping.wait()

    def ask_to_stop(self) -> None:
        """Make `wait` return."""
        self._stopping.set()

    def _runner(self, number: int, threads: int) -> threading.Thread:
        lanes = REALTIME_ONLY if number == 0 and threads > 1 else BOTH_LANES
        return threading.Thread(
            target=self._work, args=(lanes,), name=f"worker-{number}", daemon=True
        )

    def _work(self, lanes: tuple[Lane, ...]) -> None:
        while not self._stopping.is_set():
            if not self._turn(lanes):
                self._naps[lanes].take(self._poll)

    def _turn(self, lanes: tuple[Lane, ...]) -> bool:
        try:
            return self._visit_next(lanes)
        except Exception:
            # The database is away, most likely; the job's lease brings it back to us.
            log.exception("worker.turn_failed")
            self._meters.turn_failed()
            return False

    def _visit_next(self, lanes: tuple[Lane, ...]) -> bool:
        began = perf_counter()
        jobs = self._processor.visit_next_shop(lanes, self._naps[BOTH_LANES].wake)
        seconds = perf_counter() - began
        for job in jobs:
            self._meters.job_attempted(job, seconds / len(jobs))
        return bool(jobs)

    def _repeating(self, chore: Chore) -> threading.Thread:
        def loop() -> None:
            while True:
                try:
                    chore.act()
                except Exception:
                    log.exception("worker.chore_failed", chore=chore.name)
                if self._stopped.wait(chore.every.total_seconds()):
                    return

        return threading.Thread(target=loop, name=chore.name, daemon=True)
