"""Tells whoever watches a shop what changed, in the transaction that changed it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.selling.publishing import JobBatch, MarketplaceJob
from repositories.accounts.news import append_events
from shared.database import TenantSession

JOB_STATUS_UPDATE = "job_status_update"
BATCH_STATUS_UPDATE = "batch_status_update"


def tell_of_jobs(session: TenantSession, jobs: Sequence[MarketplaceJob], now: datetime) -> None:
    """Say how jobs stand now. Call it last in the transaction: it locks the shop's counter."""
    append_events(session, JOB_STATUS_UPDATE, [_of_job(job) for job in jobs], now)


def tell_of_batch(session: TenantSession, batch: JobBatch, now: datetime) -> None:
    """Say that something was done with a whole batch, instead of naming each of its jobs."""
    says = {
        "batch_id": batch.id,
        "action": batch.action,
        "paused": batch.paused_at is not None,
        "cancelled": batch.cancelled_at is not None,
    }
    append_events(session, BATCH_STATUS_UPDATE, [says], now)


def _of_job(job: MarketplaceJob) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "batch_id": job.batch_id,
        "product_id": job.product_id,
        "channel": job.channel,
        "action": job.action,
        "status": job.status,
        "outcome": job.outcome,
        "attempts": job.attempts,
        "waiting_for": job.waiting_for,
        "due_at": job.due_at.isoformat(),
        "problem_code": job.problem_code,
        "problem_detail": job.problem_detail,
    }
