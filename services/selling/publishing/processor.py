"""`MarketplaceJobProcessor`: finds the next job among all shops, runs it, settles it.

It knows no channel: handlers come in a table `(channel, action) → JobHandler`.

    claiming  →  attempting, one job alone       →  settling  →  telling
              ↘  visiting, several that are quick ↗
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from models.accounts.tenants import Lane
from repositories.selling.publishing import UNLIMITED, RunningCaps
from services.selling.publishing import transitions
from services.selling.publishing.attempt import ProcessedJob
from services.selling.publishing.attempting import Attempts, HandlerTable
from services.selling.publishing.claiming import Claims
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.pace import Pace
from services.selling.publishing.settling import Settlements
from services.selling.publishing.visiting import Visits
from shared.clock import Clock
from shared.database import Database


class MarketplaceJobProcessor:
    """Runs jobs of every channel. Safe to share between threads and processes."""

    def __init__(
        self,
        database: Database,
        handlers: HandlerTable,
        leases: LeaseKeeper,
        clock: Clock,
        owner: str,
        caps: RunningCaps = UNLIMITED,
        longest_wait: timedelta = transitions.BACKOFF_CAP,
        pace: Pace | None = None,
    ) -> None:
        """`pace` is what is known already of how long jobs take; else it is found out."""
        pace = pace or Pace()
        self._leases = leases
        self._claims = Claims(database, leases, clock, owner, caps)
        self._settlements = Settlements(database, self._claims, clock, longest_wait)
        self._attempts = Attempts(database, handlers, leases, self._settlements, pace, clock)
        self._visits = Visits(
            database, self._claims, self._attempts, self._settlements, leases, pace, clock
        )

    def process_next_job(self, *lanes: Lane) -> ProcessedJob | None:
        """Run the next due job of the first lane that has one to the end of its attempt.

        None when nothing is due.
        """
        while (bell := self._claims.next_bell(lanes)) is not None:
            claimed = self._claims.claim(bell)
            if claimed is not None:
                return self._attempts.run(claimed)
        return None

    def visit_next_shop(
        self, lanes: Sequence[Lane], when_claimed: Callable[[], None] = lambda: None
    ) -> Sequence[ProcessedJob]:
        """Go to the shop that has waited longest in the first lane that has work, and run what is
        due: one job, or several quick ones.

        Empty when nothing is due anywhere. `when_claimed` is called in between: there may be more
        to do for somebody else.
        """
        while (bell := self._claims.next_bell(lanes)) is not None:
            processed = self._visits.visit(bell, when_claimed)
            if processed:
                return processed
        return ()

    def hand_back_running(self) -> int:
        """Let go of every job that still runs in this process; returns how many.

        For a process that has to end now: another worker takes them up within seconds and asks the
        channel first; whatever the threads here still come up with is fenced off.
        """
        return sum(self._settlements.hand_back(lease) for lease in self._leases.held())
