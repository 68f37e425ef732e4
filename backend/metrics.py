"""Figures for Prometheus: what this process did, and what the database says of the installation."""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from time import monotonic

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from models.accounts.schedule import TickOutcome, TickRun
from models.accounts.tenants import Lane
from models.selling.publishing import JobStatus
from repositories.accounts.bells import BellRepository
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.accounts.dead_jobs import DeadJobRepository
from repositories.accounts.outbox_review import OutboxReviewRepository
from repositories.accounts.schedule import TickRunRepository
from services.selling.publishing.attempt import ProcessedJob
from shared.clock import Clock
from shared.database import Database
from shared.database.leadership import leader_of
from shared.errors import Misconfigured

_log = structlog.get_logger(__name__)

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_ATTEMPTS = (1, 2, 3, 4, 6, 8, 12)

REMEMBERED_S = 5.0
"""How long the database's answers are good for: however often somebody scrapes, it is asked so
seldom, seven short queries each time, none of them for each shop."""


class Meters:
    """Counts what the worker and the scheduler of this process do."""

    def __init__(self, registry: CollectorRegistry) -> None:
        what = ("channel", "action")
        self._attempts = Counter(
            "stoflow_jobs_attempts",
            "Attempts by what the job was afterwards; running: another worker had taken it over.",
            (*what, "status"),
            registry=registry,
        )
        self._ended = Counter(
            "stoflow_jobs_ended",
            "Jobs that ended, by outcome: ok, rejected, unknown, blocked, cancelled.",
            (*what, "outcome"),
            registry=registry,
        )
        self._used = Histogram(
            "stoflow_jobs_attempts_used",
            "Attempts that a job had had when it ended.",
            what,
            buckets=_ATTEMPTS,
            registry=registry,
        )
        self._seconds = Histogram(
            "stoflow_jobs_attempt_seconds",
            "Time of one attempt, from the bell to the verdict.",
            what,
            buckets=_SECONDS,
            registry=registry,
        )
        self._failed_turns = Counter(
            "stoflow_worker_failed_turns",
            "Looks for work that ended in an error; the database was away, most likely.",
            registry=registry,
        )
        self._runs = Counter(
            "stoflow_schedule_runs",
            "Runs of ticks by how they ended: ok, failed, stopped.",
            ("tick", "outcome"),
            registry=registry,
        )
        self._run_seconds = Histogram(
            "stoflow_schedule_run_seconds",
            "Time of one run of a tick.",
            ("tick",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._delivered = Counter(
            "stoflow_outbox_delivered",
            "Events delivered, by subscriber.",
            ("subscriber",),
            registry=registry,
        )
        self._failed = Counter(
            "stoflow_outbox_failed",
            "Failed attempts to deliver an event, by subscriber; parked: it was the last.",
            ("subscriber", "parked"),
            registry=registry,
        )
        self._lag = Histogram(
            "stoflow_outbox_lag_seconds",
            "Time from the recording of an event to its delivery.",
            ("subscriber",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._leads = Gauge(
            "stoflow_schedule_leads", "1 where this process runs the ticks.", registry=registry
        )

    def job_attempted(self, job: ProcessedJob, seconds: float) -> None:
        """One attempt ended."""
        what = (job.channel.value, job.action.value)
        self._attempts.labels(*what, job.status.value).inc()
        self._seconds.labels(*what).observe(seconds)
        if job.status in (JobStatus.DONE, JobStatus.CANCELLED):
            self._ended.labels(*what, (job.outcome or job.status).value).inc()
            self._used.labels(*what).observe(job.attempts)

    def turn_failed(self) -> None:
        """A look for work ended in an error."""
        self._failed_turns.inc()

    def tick_ran(self, name: str, outcome: TickOutcome, took: timedelta) -> None:
        """A run of a tick ended."""
        self._runs.labels(name, outcome.value).inc()
        self._run_seconds.labels(name).observe(took.total_seconds())

    def event_delivered(self, subscriber: str, lag: timedelta) -> None:
        """A subscriber was told of an event `lag` after it was recorded."""
        self._delivered.labels(subscriber).inc()
        self._lag.labels(subscriber).observe(lag.total_seconds())

    def delivery_failed(self, subscriber: str, *, parked: bool) -> None:
        """A subscriber failed; `parked`: too often."""
        self._failed.labels(subscriber, str(parked).lower()).inc()

    def leading(self, leads: bool) -> None:
        """Whether this process runs the ticks."""
        self._leads.set(leads)


class InstallationFigures(Collector):
    """What the database says, the same in every process; asked at most every five seconds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._answered: Sequence[Metric] = ()
        self._asked_at = -REMEMBERED_S

    def describe(self) -> Iterable[Metric]:
        """Names and words, without asking anybody."""
        return _Families(self._clock.now()).all()

    def collect(self) -> Iterable[Metric]:
        """The figures; a database that does not answer is itself a figure."""
        with self._lock:
            if monotonic() - self._asked_at >= REMEMBERED_S:
                self._answered = self._ask()
                self._asked_at = monotonic()
            return self._answered

    def _ask(self) -> Sequence[Metric]:
        now = self._clock.now()
        families = _Families(now)
        try:
            with self._database.platform() as session:
                families.add_waiting(BellRepository(session))
                families.browsers.add_metric((), BrowserBellRepository(session).ringing(now))
                families.add_dead(DeadJobRepository(session).counts())
                families.add_outbox(OutboxReviewRepository(session))
                families.add_runs(TickRunRepository(session).latest(TickOutcome.OK))
                families.led.add_metric((), float(leader_of(session) is not None))
        except Exception as error:
            _log.warning("metrics.no_database", because=type(error).__name__)
            families = _Families(now)
            families.up.add_metric((), 0)
            return [families.up]
        families.up.add_metric((), 1)
        return families.all()


class _Families:
    """The gauges that the database fills."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.up = GaugeMetricFamily(
            "stoflow_installation_up", "1 where the database answered when it was asked last."
        )
        self.shops = GaugeMetricFamily(
            "stoflow_jobs_waiting_shops",
            "Shops that have due jobs which nobody looks at yet.",
            labels=["lane"],
        )
        self.seconds = GaugeMetricFamily(
            "stoflow_jobs_waiting_seconds",
            "How long the first of these shops has been waiting.",
            labels=["lane"],
        )
        self.browsers = GaugeMetricFamily(
            "stoflow_vinted_waiting_shops",
            "Shops that have something to do for their owner's browser, there or not.",
        )
        self.dead = GaugeMetricFamily(
            "stoflow_jobs_dead",
            "Jobs that only a person can help: stoflow jobs list --dead.",
            labels=["channel", "outcome"],
        )
        self.events = GaugeMetricFamily(
            "stoflow_outbox_deliveries",
            "Events on their way to a subscriber. parked: only a person can help: stoflow outbox"
            " list.",
            labels=["subscriber", "state"],
        )
        self.overdue = GaugeMetricFamily(
            "stoflow_outbox_waiting_seconds",
            "How long the event that has been due longest has been waiting for a relay.",
        )
        self.led = GaugeMetricFamily(
            "stoflow_schedule_led", "1 where any process of the installation runs the ticks."
        )
        self.succeeded = GaugeMetricFamily(
            "stoflow_schedule_last_success_timestamp_seconds",
            "When a tick's last good run ended.",
            labels=["tick"],
        )

    def all(self) -> Sequence[Metric]:
        """Every family, in the order in which they are shown."""
        work = (self.shops, self.seconds, self.browsers, self.dead, self.events, self.overdue)
        return (self.up, *work, self.led, self.succeeded)

    def add_waiting(self, bells: BellRepository) -> None:
        """Both lanes, also the quiet one."""
        waiting = bells.waiting(self._now)
        for lane in Lane:
            due = waiting.get(lane)
            waited = max((self._now - due.since).total_seconds(), 0.0) if due else 0.0
            self.shops.add_metric((lane.value,), due.shops if due else 0)
            self.seconds.add_metric((lane.value,), waited)

    def add_dead(self, counts: dict[tuple[str, str], int]) -> None:
        """By channel and outcome."""
        for labels, number in sorted(counts.items()):
            self.dead.add_metric(labels, number)

    def add_outbox(self, outbox: OutboxReviewRepository) -> None:
        """What is on its way or parked, and whether anybody relays."""
        for labels, number in sorted(outbox.counts().items()):
            self.events.add_metric(labels, number)
        since = outbox.due_since(self._now)
        waited = (self._now - since).total_seconds() if since is not None else 0.0
        self.overdue.add_metric((), max(waited, 0.0))

    def add_runs(self, runs: Sequence[TickRun]) -> None:
        """The last good run of each tick."""
        for run in runs:
            if run.finished_at is not None:
                self.succeeded.add_metric((run.name,), run.finished_at.timestamp())


def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> None:
    """Answer Prometheus in a thread until the process ends. Raises `Misconfigured`."""
    try:
        start_http_server(port, host, registry)
    except OSError as error:
        raise Misconfigured(
            f"Cannot listen for Prometheus on {host}, port {port}: {error.strerror}. Choose"
            " another STOFLOW_WORKER_METRICS_PORT for each worker of a machine."
        ) from None
