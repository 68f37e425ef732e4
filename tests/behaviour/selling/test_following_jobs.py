"""`stoflow jobs tail`: the stories of all shops as they are written."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.accounts.news import ShopEvent, ShopEventCounter
from models.accounts.tenants import Lane, TenantBell, TenantStatus
from models.selling.publishing import JobStatus, JobStep
from repositories.accounts.tenants import TenantRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing import following
from services.selling.publishing.following import StoryFollower, StoryLine
from services.selling.publishing.news import tell_of_jobs
from shared.clock import Clock, MovableClock, SystemClock
from shared.database import Database, PlatformSession, TenantSchema, TenantSession
from shared.ids import new_uuid
from tests.conftest import MakeTenant
from tests.factories.selling import make_job
from tests.house.test_statement_budget import listening


def a_job(database: Database, clock: Clock, shop: TenantSchema, **changes: Any) -> int:
    with database.tenant(shop) as session:
        return make_job(session, clock, **changes).id


def tell(database: Database, clock: Clock, shop: TenantSchema, job_id: int, name: str) -> None:
    """As the processor tells of an attempt's begin and end."""
    with database.tenant(shop) as session:
        write(session, clock, job_id, name)
        job = JobRepository(session).get(job_id)
        assert job is not None
        tell_of_jobs(session, [job], clock.now())


def write(session: TenantSession, clock: Clock, job_id: int, name: str) -> None:
    """As a running job writes a checkpoint: to its story, and to nobody else."""
    JobRepository(session).add_step(
        JobStep(
            job_id=job_id,
            attempt=1,
            name=name,
            lease_owner="worker-1",
            detail={},
            started_at=clock.now(),
            finished_at=clock.now(),
        )
    )


def running(clock: Clock) -> dict[str, Any]:
    return {
        "status": JobStatus.RUNNING,
        "lease_id": new_uuid(),
        "lease_owner": "worker-1",
        "leased_until": clock.now() + timedelta(seconds=60),
    }


def heard(lines: Sequence[StoryLine]) -> list[tuple[TenantSchema, str]]:
    return [(line.tenant, line.step.name) for line in lines]


def test_all_shops_are_followed_and_each_line_comes_once(
    database: Database, clock: MovableClock, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """G13: in the order in which things happened; what was before is left out."""
    mine, theirs = a_job(database, clock, tenant), a_job(database, clock, other_tenant)
    tell(database, clock, tenant, mine, "before")
    clock.advance(timedelta(seconds=1))
    follower = StoryFollower(database, clock, clock.now())
    assert heard(follower.look()) == []
    tell(database, clock, other_tenant, theirs, "first")
    clock.advance(timedelta(seconds=1))
    tell(database, clock, tenant, mine, "second")
    assert heard(follower.look()) == [(other_tenant, "first"), (tenant, "second")]
    assert heard(follower.look()) == []
    tell(database, clock, tenant, mine, "third")
    assert heard(follower.look()) == [(tenant, "third")]


def test_what_a_running_job_writes_is_heard_while_it_runs(
    database: Database, clock: MovableClock, tenant: TenantSchema
) -> None:
    """G13: checkpoints are no news; the job ran before anybody followed, and nobody told of it."""
    job_id = a_job(database, clock, tenant, **running(clock))
    clock.advance(timedelta(hours=2))
    follower = StoryFollower(database, clock, clock.now())
    assert heard(follower.look()) == []
    for name in ("created the offer", "listed"):
        clock.advance(timedelta(minutes=5))
        with database.tenant(tenant) as session:
            write(session, clock, job_id, name)
        assert heard(follower.look()) == [(tenant, name)]
        assert heard(follower.look()) == []


def test_a_checkpoint_that_is_committed_late_is_not_left_out(
    database: Database, clock: MovableClock, tenant: TenantSchema
) -> None:
    """G7: its number is smaller than one that was read before."""
    job_id = a_job(database, clock, tenant, **running(clock))
    follower = StoryFollower(database, clock, clock.now())
    with database.tenant(tenant) as slow:
        write(slow, clock, job_id, "slow")
        with database.tenant(tenant) as quick:
            write(quick, clock, job_id, "quick")
        assert heard(follower.look()) == [(tenant, "quick")]
    assert heard(follower.look()) == [(tenant, "slow")]
    assert heard(follower.look()) == []


def test_news_that_is_committed_late_is_not_left_out(
    database: Database,
    clock: MovableClock,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """G7: another shop's later news was heard before; however long the transaction was open."""
    monkeypatch.setattr(following, "SKEW", timedelta(0))
    mine, theirs = a_job(database, clock, tenant), a_job(database, clock, other_tenant)
    follower = StoryFollower(database, clock, clock.now())
    follower.look()
    with database.tenant(tenant) as slow:
        slow.connection()
        began = time.monotonic()
        write(slow, clock, mine, "slow")
        job = JobRepository(slow).get(mine)
        assert job is not None
        tell_of_jobs(slow, [job], clock.now())
        slow.execute(text("SELECT pg_sleep(0.05)"))
        # The clock of the test moves as far as that of the database has.
        clock.advance(timedelta(seconds=time.monotonic() - began))
        tell(database, clock, other_tenant, theirs, "quick")
        assert heard(follower.look()) == [(other_tenant, "quick")]
        assert heard(follower.look()) == []
    assert heard(follower.look()) == [(tenant, "slow")]
    assert heard(follower.look()) == []


def test_a_job_that_comes_and_goes_between_two_looks_is_heard(
    database: Database, clock: MovableClock, tenant: TenantSchema
) -> None:
    """G13: it leaves no bell."""
    follower = StoryFollower(database, clock, clock.now())
    follower.look()
    clock.advance(timedelta(seconds=1))
    tell(database, clock, tenant, a_job(database, clock, tenant), "done")
    with database.tenant(tenant) as session:
        session.execute(text("DELETE FROM public.tenant_bells"))
        session.execute(text("UPDATE marketplace_jobs SET status = 'done', outcome = 'ok'"))
    assert heard(follower.look()) == [(tenant, "done")]


def test_a_look_costs_what_has_news_however_many_shops_there_are(
    database: Database, clock: MovableClock, make_tenant: MakeTenant
) -> None:
    """F14, G13: 300 shops have jobs that wait; two have news, and two are read."""
    shops = [make_tenant() for _ in range(4)]
    jobs = {shop: a_job(database, clock, shop) for shop in shops}
    follower = StoryFollower(database, clock, clock.now())
    follower.look()
    with database.platform() as session:
        _let_jobs_wait_in_other_shops(session, clock, 300)
    with listening(database) as quiet:
        assert heard(follower.look()) == []
    for shop in shops[:2]:
        tell(database, clock, shop, jobs[shop], "done")
    with listening(database) as busy:
        assert heard(follower.look()) == [(shop, "done") for shop in shops[:2]]
    question = ["SET LOCAL", "SELECT max(clock", "SELECT public.shop_events"]
    a_shop = ["SET LOCAL", "SELECT EXISTS", "SELECT job_steps"]
    assert [_begins(each) for each in quiet] == question
    assert [_begins(each) for each in busy] == [*question, *a_shop, *a_shop]


def _begins(statement: str) -> str:
    known = ("SET LOCAL", "SELECT max(clock", "SELECT public.shop_events", "SELECT EXISTS")
    found = [each for each in (*known, "SELECT job_steps") if statement.startswith(each)]
    return found[0] if found else statement


def _let_jobs_wait_in_other_shops(session: PlatformSession, clock: Clock, shops: int) -> None:
    """Their rows of the shared tables: news of yesterday, and a bell that is due."""
    at = clock.now() - timedelta(days=1)
    for number in range(1_000_000, 1_000_000 + shops):
        event = {"kind": "job_status_update", "payload": {}, "created_at": at}
        session.add(ShopEvent(tenant_id=number, sequence=1, **event))
        session.add(ShopEventCounter(tenant_id=number, last_sequence=1))
        session.add(TenantBell(tenant_id=number, lane=Lane.BULK, due_at=clock.now()))


def test_one_shop_is_followed_alone_and_a_closed_one_is_silent_until_it_opens(
    database: Database, clock: MovableClock, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """X2."""
    for shop in (tenant, other_tenant):
        tell(database, clock, shop, a_job(database, clock, shop), "done")
    assert heard(StoryFollower(database, clock, clock.now(), tenant).look()) == [(tenant, "done")]
    with database.platform() as session:
        TenantRepository(session).set_status(tenant, TenantStatus.SUSPENDED, clock.now())
    follower = StoryFollower(database, clock, clock.now())
    assert heard(follower.look()) == [(other_tenant, "done")]
    with database.platform() as session:
        TenantRepository(session).set_status(tenant, TenantStatus.ACTIVE, clock.now())
    assert heard(follower.look()) == [(tenant, "done")]


def test_the_command_follows_until_it_is_interrupted(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """G13: a line of JSON a step; Ctrl-C is how it ends, not a failure."""
    real = SystemClock()
    tell(database, real, tenant, a_job(database, real, tenant), "created the offer")
    url = database.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "jobs", "tail", "--json"],
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    ) as tail:
        assert tail.stdout is not None
        line = json.loads(tail.stdout.readline())
        tell(database, real, tenant, line["job_id"], "published it")
        following_line = json.loads(tail.stdout.readline())
        tail.send_signal(signal.SIGINT)
        assert tail.wait(30) == 0
    assert (line["tenant"], line["step"]) == (tenant.name, "created the offer")
    assert (line["channel"], line["action"], line["attempt"]) == ("ebay", "publish", 1)
    assert following_line["step"] == "published it"
