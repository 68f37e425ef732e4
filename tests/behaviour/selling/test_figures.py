"""What Prometheus is told of jobs and of the schedule."""

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from backend.container import Container
from backend.metrics import InstallationFigures, Meters, serve_metrics
from models.accounts.dead_jobs import DeadJob
from models.accounts.schedule import TickOutcome
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.accounts.dead_jobs import DeadJobRepository
from services.accounts.schedule.running import TickRunner
from services.accounts.schedule.ticks import Did, Tick
from services.selling.publishing.attempt import ProcessedJob
from services.selling.publishing.lease import Lease
from shared.clock import MovableClock
from shared.database import Database, TenantSchema, create_database_engine
from shared.database.leadership import Leadership
from shared.errors import Misconfigured
from shared.http_client import trusted_authorities
from shared.ids import new_uuid
from tests.conftest import MakeTenant
from tests.factories.selling import make_job
from tests.fakes.watching import statements_sent


def figures(database: Database, clock: MovableClock) -> str:
    """What a scrape of a process that has just started says of the installation."""
    registry = CollectorRegistry()
    registry.register(InstallationFigures(database, clock))
    return generate_latest(registry).decode()


def has(text: str, *lines: str) -> None:
    shown = text.splitlines()
    assert [line for line in lines if line not in shown] == [], text


def test_a_scrape_says_what_waits_by_lane(
    database: Database, clock: MovableClock, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """K71: how many shops, and for how long the first; what is not due yet does not wait."""
    with database.tenant(tenant) as session:
        make_job(session, clock)
    clock.advance(timedelta(seconds=40))
    with database.tenant(other_tenant) as session:
        make_job(session, clock)
        later = clock.now() + timedelta(minutes=5)
        make_job(session, clock, lane=Lane.REALTIME, due_at=later)
    has(
        figures(database, clock),
        "stoflow_installation_up 1.0",
        'stoflow_jobs_waiting_shops{lane="bulk"} 2.0',
        'stoflow_jobs_waiting_seconds{lane="bulk"} 40.0',
        'stoflow_jobs_waiting_shops{lane="realtime"} 0.0',
        'stoflow_jobs_waiting_seconds{lane="realtime"} 0.0',
    )


def test_a_scrape_says_what_is_dead_who_leads_and_when_ticks_ran(
    database: Database, clock: MovableClock
) -> None:
    """K71, G8, G13."""
    has(figures(database, clock), "stoflow_schedule_led 0.0")
    with database.platform() as session:
        for job_id in (1, 2):
            session.add(a_dead_job(clock, job_id))
    runner = TickRunner(database, clock, "worker-1", Meters(CollectorRegistry()))
    runner.run_now(Tick("count", timedelta(hours=1), lambda _turn: Did("well"), ""), no_stop)
    leadership = Leadership(database.engine, "worker-1", timedelta(seconds=60))
    assert leadership.hold()
    said = figures(database, clock)
    leadership.release()
    has(
        said,
        'stoflow_jobs_dead{channel="ebay",outcome="blocked"} 2.0',
        "stoflow_schedule_led 1.0",
        'stoflow_schedule_last_success_timestamp_seconds{tick="count"} 1.7803152e+09',
    )


def no_stop() -> None:
    """Nobody wants the process to end."""


def a_dead_job(clock: MovableClock, job_id: int) -> DeadJob:
    return DeadJob(
        tenant_id=1,
        job_id=job_id,
        channel="ebay",
        action="publish",
        outcome="blocked",
        ended_at=clock.now(),
    )


def test_a_scrape_costs_the_same_with_many_shops_and_nothing_soon_after_another(
    database: Database, clock: MovableClock, make_tenant: MakeTenant
) -> None:
    """K71: no query for each shop; asked again within five seconds, the database is left alone."""
    registry = CollectorRegistry()
    registry.register(InstallationFigures(database, clock))
    with statements_sent(database) as sent:
        generate_latest(registry)
        one = len(sent)
        generate_latest(registry)
    assert len(sent) == one
    for _ in range(3):
        with database.tenant(make_tenant()) as session:
            make_job(session, clock)
    with statements_sent(database) as sent:
        figures(database, clock)
    assert len(sent) == one <= 8


def test_a_database_that_is_away_is_itself_a_figure(clock: MovableClock) -> None:
    """K71: the other figures of the process are still told."""
    nowhere = Database(create_database_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    has(figures(nowhere, clock), "stoflow_installation_up 0.0")


def processed(status: JobStatus, outcome: JobOutcome | None, attempts: int) -> ProcessedJob:
    lease = Lease(TenantSchema(1), 1, new_uuid(), "worker-1")
    return ProcessedJob(lease, Channel.EBAY, JobAction.PUBLISH, status, outcome, attempts)


def test_a_worker_counts_attempts_ends_and_runs() -> None:
    """K71: an attempt that is tried again is no end."""
    registry = CollectorRegistry()
    meters = Meters(registry)
    meters.job_attempted(processed(JobStatus.PENDING, JobOutcome.UNKNOWN, 1), 0.2)
    meters.job_attempted(processed(JobStatus.PARKED, None, 2), 0.2)
    meters.job_attempted(processed(JobStatus.DONE, JobOutcome.OK, 3), 0.2)
    meters.job_attempted(processed(JobStatus.CANCELLED, None, 1), 0.2)
    meters.tick_ran("count", TickOutcome.FAILED, timedelta(seconds=2))
    meters.turn_failed()
    what = 'action="publish",channel="ebay"'
    has(
        generate_latest(registry).decode(),
        f'stoflow_jobs_attempts_total{{{what},status="pending"}} 1.0',
        f'stoflow_jobs_attempts_total{{{what},status="parked"}} 1.0',
        f'stoflow_jobs_ended_total{{{what},outcome="ok"}} 1.0',
        f'stoflow_jobs_ended_total{{{what},outcome="cancelled"}} 1.0',
        f'stoflow_jobs_attempts_used_bucket{{{what},le="2.0"}} 1.0',
        f"stoflow_jobs_attempts_used_sum{{{what}}} 4.0",
        f"stoflow_jobs_attempt_seconds_count{{{what}}} 4.0",
        'stoflow_schedule_runs_total{outcome="failed",tick="count"} 1.0',
        'stoflow_schedule_run_seconds_sum{tick="count"} 2.0',
        "stoflow_worker_failed_turns_total 1.0",
        "stoflow_schedule_leads 0.0",
    )


def test_the_api_shows_the_installations_figures(api: httpx.Client, container: Container) -> None:
    """K71: also where no worker has a port of its own."""
    has(api.get("/metrics").text, "stoflow_installation_up 1.0", "stoflow_schedule_led 0.0")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_worker_leads_runs_what_is_due_and_answers_prometheus(database: Database) -> None:
    """K71, G8: the real process; told to stop, it ends well."""
    url = database.engine.url.render_as_string(hide_password=False)
    port = free_port()
    variables = {"DATABASE_URL": url, "STOFLOW_WORKER_METRICS_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "worker"], env={**os.environ, **variables}
    ) as worker:
        wanted = 'stoflow_schedule_runs_total{outcome="ok",tick="ring-lost-bells"} 1.0'
        said = ask_until(port, wanted)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    has(said, "stoflow_schedule_leads 1.0", wanted)


def ask_until(port: int, wanted: str) -> str:
    address, pause = f"http://127.0.0.1:{port}/metrics", threading.Event()
    for _ in range(600):
        try:
            said = httpx.get(address, verify=trusted_authorities()).text
        except httpx.TransportError:
            said = ""
        if wanted in said:
            return said
        pause.wait(0.1)
    pytest.fail(f"it never said {wanted}")


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    """E6."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match="STOFLOW_WORKER_METRICS_PORT"):
            serve_metrics(CollectorRegistry(), "127.0.0.1", port)


def test_dead_jobs_are_counted_by_channel_and_outcome(
    database: Database, clock: MovableClock
) -> None:
    """G13."""
    with database.platform() as session:
        session.add(a_dead_job(clock, 1))
        session.flush()
        assert DeadJobRepository(session).counts() == {("ebay", "blocked"): 1}
