"""Who may write a job at the moment."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from repositories.selling.publishing import JobRepository
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import TenantUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's hold on one job; a later pick-up gets another id and fences this one off.

    Jobs that a thread does one after the other in one visit share an id.
    """

    tenant: TenantSchema
    job_id: int
    id: UUID
    owner: str


class LeaseKeeper:
    """Keeps the leases of this process alive while their jobs run."""

    def __init__(self, database: Database, clock: Clock, duration: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._duration = duration
        self._held: set[Lease] = set()
        self._lock = threading.Lock()

    @property
    def duration(self) -> timedelta:
        """How long a lease lives without a heartbeat."""
        return self._duration

    @contextmanager
    def keeping(self, *leases: Lease) -> Iterator[None]:
        """Beat for these leases as long as the block runs."""
        with self._lock:
            self._held.update(leases)
        try:
            yield
        finally:
            with self._lock:
                self._held.difference_update(leases)

    def beat(self) -> int:
        """Extend every held lease once; returns how many are still ours."""
        return sum(self._extend(lease) for lease in self.held())

    def held(self) -> tuple[Lease, ...]:
        """The leases whose jobs run at the moment."""
        with self._lock:
            return tuple(self._held)

    def _extend(self, lease: Lease) -> bool:
        until = self._clock.now() + self._duration
        try:
            with self._database.tenant(lease.tenant) as session:
                return JobRepository(session).extend_lease(lease.job_id, lease.id, until)
        except TenantUnavailable:
            return False
        except Exception:
            log.exception("lease.heartbeat_failed", tenant=lease.tenant.name, job_id=lease.job_id)
            return False
