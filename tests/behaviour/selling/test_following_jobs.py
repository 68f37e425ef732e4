"""`stoflow jobs tail`: the stories of all shops as they are written."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text

from models.accounts.tenants import TenantStatus
from models.selling.publishing import JobStep
from repositories.accounts.tenants import TenantRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing import following
from services.selling.publishing.following import StoryFollower, StoryLine
from shared.clock import Clock, MovableClock, SystemClock
from shared.database import Database, TenantSchema
from tests.conftest import MakeTenant
from tests.factories.selling import make_job


def a_job(database: Database, clock: Clock, shop: TenantSchema) -> int:
    with database.tenant(shop) as session:
        return make_job(session, clock).id


def tell(database: Database, clock: Clock, shop: TenantSchema, job_id: int, name: str) -> None:
    with database.tenant(shop) as session:
        JobRepository(session).add_step(a_step(clock, job_id, name))


def a_step(clock: Clock, job_id: int, name: str) -> JobStep:
    return JobStep(
        job_id=job_id,
        attempt=1,
        name=name,
        lease_owner="worker-1",
        detail={},
        started_at=clock.now(),
        finished_at=clock.now(),
    )


def heard(lines: Sequence[StoryLine]) -> list[tuple[TenantSchema, str]]:
    return [(line.tenant, line.step.name) for line in lines]


def test_all_shops_are_followed_and_each_line_comes_once(
    database: Database, clock: MovableClock, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """G13: in the order in which things happened; what was before is left out."""
    mine, theirs = a_job(database, clock, tenant), a_job(database, clock, other_tenant)
    tell(database, clock, tenant, mine, "before")
    clock.advance(timedelta(seconds=1))
    follower = StoryFollower(database, clock.now())
    assert heard(follower.look()) == []
    tell(database, clock, other_tenant, theirs, "first")
    clock.advance(timedelta(seconds=1))
    tell(database, clock, tenant, mine, "second")
    assert heard(follower.look()) == [(other_tenant, "first"), (tenant, "second")]
    assert heard(follower.look()) == []
    tell(database, clock, tenant, mine, "third")
    assert heard(follower.look()) == [(tenant, "third")]


def test_a_line_that_is_committed_late_is_not_left_out(
    database: Database, clock: MovableClock, tenant: TenantSchema
) -> None:
    """G7: its number is smaller than one that was read before."""
    job_id = a_job(database, clock, tenant)
    follower = StoryFollower(database, clock.now())
    with database.tenant(tenant) as slow:
        JobRepository(slow).add_step(a_step(clock, job_id, "slow"))
        tell(database, clock, tenant, job_id, "quick")
        assert heard(follower.look()) == [(tenant, "quick")]
    assert heard(follower.look()) == [(tenant, "slow")]
    assert heard(follower.look()) == []


def test_a_shop_that_is_quiet_between_two_looks_is_heard_in_its_turn(
    database: Database,
    clock: MovableClock,
    make_tenant: MakeTenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """G13: a job that came and went leaves no bell; nothing of it is lost."""
    monkeypatch.setattr(following, "QUIET_SHOPS_A_LOOK", 1)
    shops = [make_tenant() for _ in range(3)]
    follower = StoryFollower(database, clock.now())
    for shop in shops:
        tell(database, clock, shop, a_job(database, clock, shop), "done")
        with database.tenant(shop) as session:
            session.execute(text("DELETE FROM public.tenant_bells"))
    looks = [heard(follower.look()) for _ in range(4)]
    assert sorted(line for look in looks for line in look) == [(shop, "done") for shop in shops]
    assert max(len(look) for look in looks) == 1


def test_one_shop_is_followed_alone_and_a_closed_one_is_silent(
    database: Database, clock: MovableClock, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """X2."""
    for shop in (tenant, other_tenant):
        tell(database, clock, shop, a_job(database, clock, shop), "done")
    assert heard(StoryFollower(database, clock.now(), tenant).look()) == [(tenant, "done")]
    with database.platform() as session:
        TenantRepository(session).set_status(tenant, TenantStatus.SUSPENDED, clock.now())
    assert heard(StoryFollower(database, clock.now()).look()) == [(other_tenant, "done")]


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
