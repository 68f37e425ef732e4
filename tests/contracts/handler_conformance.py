"""What every channel's `publish` handler must promise, whatever the channel is.

A channel joins by a subclass of `HandlerConformance` with a fixture `subject`:
see `tests/contracts/test_handlers_of_a_made_up_channel.py` for the smallest.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import pytest

from models.accounts.tenants import Lane
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    JobOutcome,
    JobStatus,
    ListingStatus,
    MarketplaceJob,
)
from repositories.selling.publishing import JobRepository, ListingRepository
from services.selling.publishing.handlers import AnyHandler, Journal
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor, ProcessedJob
from services.selling.publishing.steering import JobAlreadyEnded, JobBeingChecked, JobSteering
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.factories.selling import make_job

LEASE = timedelta(seconds=60)
WAIT_SECONDS = 77


class Killed(BaseException):
    """What no handler catches, as a SIGKILL."""


@dataclass(frozen=True)
class Shown:
    """A listing as the channel itself shows it."""

    listing_id: str
    price_minor: int
    quantity: int


class Subject(Protocol):
    """A channel with its handler, and a way to make it misbehave."""

    channel: Channel
    handler: AnyHandler
    database: Database
    tenant: TenantSchema
    clock: MovableClock

    def product(self) -> int:
        """Store a product that lacks nothing; price and quantity are those of `expected`."""
        ...

    def refused_product(self) -> int:
        """Store a product that passes preflight and that the channel itself will refuse."""
        ...

    def expected(self, product_id: int) -> tuple[int, int]:
        """Price in minor units and quantity of a stored product."""
        ...

    def shown(self, product_id: int) -> list[Shown]:
        """Every live listing of the product, from the channel's own books."""
        ...

    def calls(self) -> int:
        """How often the channel was asked anything."""
        ...

    def lose_the_answer(self) -> None:
        """The next call that creates a listing is carried out, and nobody hears of it."""
        ...

    def kill_the_tokens(self) -> None:
        """The seller has withdrawn their consent."""
        ...

    def limit_the_rate(self) -> None:
        """The next call that creates something is refused for `WAIT_SECONDS`."""
        ...


Watch = Callable[[int, str], None]
"""Is told the number of each checkpoint, `before` it is written and `after`."""


class _WatchedJournal:
    def __init__(self, journal: Journal, watch: Watch) -> None:
        self._journal, self._watch, self._number = journal, watch, 0

    @property
    def progress(self) -> Mapping[str, Any]:
        return self._journal.progress

    @property
    def must_probe(self) -> bool:
        return self._journal.must_probe

    def checkpoint(self, name: str, **more: Any) -> None:
        self._number += 1
        self._watch(self._number, "before")
        self._journal.checkpoint(name, **more)
        self._watch(self._number, "after")


class _WatchedHandler:
    """The channel's own handler; only its journal is watched."""

    def __init__(self, handler: AnyHandler, watch: Watch) -> None:
        self._handler, self._watch = handler, watch

    def prepare(self, session: Any, job: Any) -> Any:
        return self._handler.prepare(session, job)

    def perform(self, command: Any, journal: Journal) -> Any:
        return self._handler.perform(command, _WatchedJournal(journal, self._watch))

    def record(self, session: Any, job: Any, result: Any) -> Any:
        return self._handler.record(session, job, result)


class Bench:
    """Runs jobs of a subject by hand."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def ask(self, product_id: int) -> int:
        """Queue a publish; returns the job's id."""
        changes = {"product_id": product_id, "channel": self.subject.channel}
        with self.subject.database.tenant(self.subject.tenant) as session:
            return make_job(session, self.subject.clock, **changes).id

    def turn(self, watch: Watch = lambda number, when: None) -> ProcessedJob | None:
        """One attempt of whatever is due, by a new worker."""
        handler = _WatchedHandler(self.subject.handler, watch)
        return MarketplaceJobProcessor(
            self.subject.database,
            {(self.subject.channel, JobAction.PUBLISH): handler},
            LeaseKeeper(self.subject.database, self.subject.clock, LEASE),
            self.subject.clock,
            "worker-1",
        ).process_next_job(Lane.BULK)

    def finish(self, job_id: int) -> MarketplaceJob:
        """Work, moving the clock over waits and leases, until the job has ended."""
        for _ in range(20):
            job = self.job(job_id)
            if not job.is_live:
                return job
            due = job.leased_until or job.due_at
            self.subject.clock.advance(max(timedelta(0), due - self.subject.clock.now()))
            self.turn()
        raise AssertionError(f"job {job_id} does not end")

    def job(self, job_id: int) -> MarketplaceJob:
        """A job as it stands."""
        with self.subject.database.tenant(self.subject.tenant) as session:
            job = JobRepository(session).get(job_id)
        assert job is not None
        return job

    def cancel(self, job_id: int) -> None:
        """As the seller would; too late is no error here."""
        with (
            suppress(JobBeingChecked, JobAlreadyEnded),
            self.subject.database.tenant(self.subject.tenant) as session,
        ):
            JobSteering(self.subject.clock).cancel(session, job_id)

    def recorded(self, product_id: int) -> ChannelListing | None:
        """What we believe is listed."""
        with self.subject.database.tenant(self.subject.tenant) as session:
            listing = ListingRepository(session).get(product_id, self.subject.channel)
        return listing if listing and listing.status is ListingStatus.LIVE else None

    def assert_listed_once(self, product_id: int, job: MarketplaceJob) -> None:
        """The channel's books, ours and the job's result say the same."""
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        [shown] = self.subject.shown(product_id)
        assert (shown.price_minor, shown.quantity) == self.subject.expected(product_id)
        recorded = self.recorded(product_id)
        assert recorded is not None
        assert recorded.listing_id == shown.listing_id
        assert recorded.read_back
        assert job.result is not None
        assert job.result["listing_id"] == shown.listing_id


class HandlerConformance:
    """The suite. Each test is one promise."""

    @pytest.fixture
    def bench(self, subject: Subject) -> Bench:
        return Bench(subject)

    def test_a_product_is_listed_once_and_read_back(self, bench: Bench) -> None:
        """C1, ST26."""
        product_id = bench.subject.product()
        bench.assert_listed_once(product_id, bench.finish(bench.ask(product_id)))

    def test_what_is_listed_is_not_listed_again(self, bench: Bench) -> None:
        """B3, B4."""
        product_id = bench.subject.product()
        bench.finish(bench.ask(product_id))
        again = bench.finish(bench.ask(product_id))
        assert (again.outcome, again.problem_code) == (JobOutcome.REJECTED, "already-listed")
        assert len(bench.subject.shown(product_id)) == 1

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_after_a_crash_at_any_checkpoint_there_is_one_listing(
        self, bench: Bench, when: str
    ) -> None:
        """B1, G1: the deed done and not noted, and noted and nothing more."""
        for number in range(1, checkpoints_of(bench) + 1):
            product_id = bench.subject.product()
            job_id = bench.ask(product_id)
            with pytest.raises(Killed):
                bench.turn(_killing(number, when))
            bench.assert_listed_once(product_id, bench.finish(job_id))

    def test_a_lost_answer_is_unknown_and_then_looked_up(self, bench: Bench) -> None:
        """B1, B2, D8: never a false failure, never a second listing."""
        product_id = bench.subject.product()
        job_id = bench.ask(product_id)
        bench.subject.lose_the_answer()
        bench.turn()
        job = bench.job(job_id)
        assert (job.status, job.outcome) == (JobStatus.PENDING, JobOutcome.UNKNOWN)
        assert bench.recorded(product_id) is None
        bench.assert_listed_once(product_id, bench.finish(job_id))

    def test_a_refusal_names_the_fields_to_change(self, bench: Bench) -> None:
        """G6, G13."""
        product_id = bench.subject.refused_product()
        job = bench.finish(bench.ask(product_id))
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.REJECTED)
        assert job.problem_detail
        assert all(field["field"] and field["message"] for field in job.problem_fields)
        assert job.problem_fields
        assert bench.subject.shown(product_id) == []
        assert bench.recorded(product_id) is None

    def test_a_dead_token_blocks_and_says_what_helps(self, bench: Bench) -> None:
        """E1, G6."""
        product_id = bench.subject.product()
        job_id = bench.ask(product_id)
        bench.subject.kill_the_tokens()
        job = bench.finish(job_id)
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.BLOCKED)
        assert job.problem_detail
        assert bench.subject.shown(product_id) == []

    def test_a_wait_that_the_channel_asks_for_is_kept_to_the_second(self, bench: Bench) -> None:
        """B5, E8: and does not count as a failure."""
        product_id = bench.subject.product()
        job_id = bench.ask(product_id)
        bench.subject.limit_the_rate()
        bench.turn()
        job = bench.job(job_id)
        assert job.status is JobStatus.PENDING
        assert job.due_at == bench.subject.clock.now() + timedelta(seconds=WAIT_SECONDS)
        bench.subject.clock.advance(timedelta(seconds=WAIT_SECONDS - 1))
        calls = bench.subject.calls()
        assert bench.turn() is None
        assert bench.subject.calls() == calls
        bench.assert_listed_once(product_id, bench.finish(job_id))

    def test_a_wish_to_cancel_is_heard_before_the_next_call(self, bench: Bench) -> None:
        """G12: before anything is listed; later the listing is kept in the books."""
        for number in range(1, checkpoints_of(bench) + 1):
            product_id = bench.subject.product()
            job_id = bench.ask(product_id)
            calls: list[int] = []

            def change_of_mind(at: int, when: str, number: int = number) -> None:
                if (at, when) == (number, "before"):
                    bench.cancel(job_id)  # noqa: B023 - called within this turn of the loop
                    calls.append(bench.subject.calls())  # noqa: B023

            bench.turn(change_of_mind)
            job = bench.finish(job_id)
            if job.status is JobStatus.CANCELLED:
                assert bench.subject.calls() == calls[0]
                assert bench.subject.shown(product_id) == []
                assert bench.recorded(product_id) is None
            else:
                bench.assert_listed_once(product_id, job)

    def test_a_wish_to_cancel_before_the_first_call_means_no_call(self, bench: Bench) -> None:
        """G12."""
        product_id = bench.subject.product()
        job_id = bench.ask(product_id)
        calls = bench.subject.calls()
        bench.cancel(job_id)
        assert bench.finish(job_id).status is JobStatus.CANCELLED
        assert bench.subject.calls() == calls


def checkpoints_of(bench: Bench) -> int:
    """How many checkpoints an attempt without trouble writes."""
    numbers: list[int] = []
    product_id = bench.subject.product()
    job_id = bench.ask(product_id)
    bench.turn(lambda number, when: numbers.append(number))
    bench.assert_listed_once(product_id, bench.job(job_id))
    return max(numbers)


def _killing(number: int, when: str) -> Watch:
    def watch(at: int, moment: str) -> None:
        if (at, moment) == (number, when):
            raise Killed

    return watch
