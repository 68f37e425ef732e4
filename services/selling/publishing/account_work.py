"""Work on a channel account itself, such as following its orders: at most one job of a kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.selling.publishing import Channel, JobAction, JobStatus
from repositories.accounts.bells import BellRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing.requesting import MAX_ATTEMPTS, USUAL_PRIORITY
from shared.clock import Clock
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class AccountJob:
    """The job that does it; `already` when it was there before."""

    channel: Channel
    job_id: int
    already: bool


class AccountWork:
    """Makes jobs without a product. Whoever asks meanwhile gets the job that is there."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def request(
        self,
        session: TenantSession,
        action: JobAction,
        channel: Channel,
        requested_by: int,
        payload: Mapping[str, Any] | None = None,
        *,
        priority: int = USUAL_PRIORITY,
    ) -> AccountJob:
        """Queue `action` for the shop's account on a channel, unless it is under way."""
        now, jobs = self._clock.now(), JobRepository(session)
        BellRepository(session).ring(session.tenant, action.lane, now)
        known = jobs.live_job(action, channel, None)
        if known is not None:
            return AccountJob(channel, known, already=True)
        columns: dict[str, Any] = {
            "batch_id": None,
            "channel": channel,
            "action": action,
            "product_id": None,
            "lane": action.lane,
            "priority": priority,
            "status": JobStatus.PENDING,
            "outcome": None,
            "due_at": now,
            "attempts": 0,
            "max_attempts": MAX_ATTEMPTS,
            "problem_fields": [],
            "payload": dict(payload or {}),
            "progress": {},
            "requested_by": requested_by,
            "created_at": now,
        }
        return AccountJob(channel, jobs.insert_all([columns])[None, channel], already=False)
