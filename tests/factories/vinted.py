"""A shop's account at Vinted, and jobs that ask something of its browser."""

from typing import Any

import pytest

from models.selling.publishing import JobStatus
from models.selling.vinted import VintedSession
from repositories.selling.publishing import JobRepository
from repositories.selling.vinted import VintedAccountRepository
from services.gateways.vinted.transport import AwaitingAnswer, VintedRequest
from services.selling.vinted.commands import CommandTransport, parked
from shared.clock import Clock, MovableClock
from shared.database import Database, TenantSchema, TenantSession

SITE = "www.vinted.fr"


def make_vinted_account(session: TenantSession, clock: MovableClock, **changes: Any) -> None:
    """A connected account with nobody at the browser."""
    now = clock.now()
    values: dict[str, Any] = {
        "site": SITE,
        "remote_user_id": "4711",
        "login": "anna",
        "session": VintedSession.SIGNED_IN,
        "choices": {},
        "connected_at": now,
        "checked_at": now,
    }
    VintedAccountRepository(session).add_unless_there(values | changes)


def ask(
    database: Database,
    clock: Clock,
    tenant: TenantSchema,
    job_id: int,
    request: VintedRequest,
    step: str = "look who is there",
) -> None:
    """Leave a request of a job. The browser must have been there."""
    with pytest.raises(AwaitingAnswer):
        CommandTransport(database, clock, tenant, job_id).ask(step, request)


def park(database: Database, clock: Clock, tenant: TenantSchema, job_id: int) -> None:
    """Let it wait for the answer."""
    with database.tenant(tenant) as session:
        job = JobRepository(session).locked(job_id)
        assert job is not None
        verdict = parked(clock)
        job.status, job.leased_until = JobStatus.PARKED, verdict.deadline
        assert verdict.summon is not None
        verdict.summon(session)
