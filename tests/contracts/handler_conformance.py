"""What every handler of every channel must promise, whatever the channel and the action are.

A channel joins by a fixture `subject` and a subclass for each action it has; see
`tests/contracts/test_handlers_of_a_made_up_channel.py` for the smallest, and
`tests/contracts/action_conformance.py` for what each action adds.
`tests/house/test_handlers.py` finds the handlers that nobody has entered.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol

import pytest

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
from services.selling.publishing.attempt import ProcessedJob
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.handlers import AnyHandler, Journal
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import JobAlreadyEnded, JobBeingChecked, JobSteering
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.factories.selling import make_job

OF_THE_ACCOUNT = frozenset({JobAction.ORDERS, JobAction.SHIP, JobAction.IMPORT})
"""Actions whose jobs name no product."""

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
    """A channel with its handlers, and ways to make it misbehave."""

    channel: Channel
    database: Database
    tenant: TenantSchema
    clock: MovableClock

    @property
    def handlers(self) -> HandlerTable:
        """Those of the channel, as the worker has them."""
        ...

    def product(self) -> int:
        """Store a product that lacks nothing; price and quantity are those of `expected`."""
        ...

    def refused_product(self) -> int:
        """Store a product that passes preflight and that the channel itself will refuse."""
        ...

    def revise(self, product_id: int) -> None:
        """Give a listed product another price and quantity, as its seller does."""
        ...

    def revise_wrongly(self, product_id: int) -> None:
        """Change a listed product so that it passes preflight and the channel refuses it."""
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

    def lose_the_answer(self, action: JobAction) -> None:
        """The call by which this action changes the channel is carried out, and nobody hears of
        it. Of an action that changes nothing there: the first call.
        """
        ...

    def limit_the_rate(self, action: JobAction) -> None:
        """The next such call is refused for `WAIT_SECONDS`."""
        ...

    def kill_the_tokens(self) -> None:
        """The seller has withdrawn their consent."""
        ...

    def end_outside(self, product_id: int) -> None:
        """The listing ends on the channel, and not by us."""
        ...

    def only_say_it_has_ended(self) -> None:
        """The next call that ends a listing is answered well, and ends nothing."""
        ...


class SellingSubject(Subject, Protocol):
    """A channel whose orders are followed."""

    carrier: str
    """One that the channel knows, in its own word."""

    def sell(self, product_id: int) -> None:
        """Somebody buys one of a listed product on the channel."""
        ...

    def parcels(self, remote_order_id: str) -> int:
        """How many parcels the channel knows of an order."""
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


def _nobody_watches(number: int, when: str) -> None:
    """The watch of an attempt in which nothing happens."""


class Bench:
    """Runs jobs of a subject by hand."""

    def __init__(self, subject: Subject, action: JobAction) -> None:
        self.subject = subject
        self.action = action

    def ask(self, product_id: int, action: JobAction | None = None) -> int:
        """Queue a job; returns its id."""
        action = action or self.action
        with self.subject.database.tenant(self.subject.tenant) as session:
            return make_job(
                session,
                self.subject.clock,
                product_id=None if action in OF_THE_ACCOUNT else product_id,
                channel=self.subject.channel,
                action=action,
                lane=action.lane,
            ).id

    def turn(
        self, watch: Watch = _nobody_watches, action: JobAction | None = None, who: str = "worker-1"
    ) -> ProcessedJob | None:
        """One attempt of whatever is due, by a new worker."""
        action = action or self.action
        handlers = {
            (channel, what): _WatchedHandler(handler, watch)
            for (channel, what), handler in self.subject.handlers.items()
        }
        return MarketplaceJobProcessor(
            self.subject.database,
            handlers,
            LeaseKeeper(self.subject.database, self.subject.clock, LEASE),
            self.subject.clock,
            who,
        ).process_next_job(action.lane)

    def finish(self, job_id: int, who: str = "worker-1") -> MarketplaceJob:
        """Work, moving the clock over waits and leases, until the job has ended."""
        for _ in range(20):
            job = self.job(job_id)
            if not job.is_live:
                return job
            due = job.leased_until or job.due_at
            self.subject.clock.advance(max(timedelta(0), due - self.subject.clock.now()))
            self.turn(action=job.action, who=who)
        raise AssertionError(f"job {job_id} does not end: {self.story(job_id)}")

    def job(self, job_id: int) -> MarketplaceJob:
        """A job as it stands."""
        with self.subject.database.tenant(self.subject.tenant) as session:
            job = JobRepository(session).get(job_id)
        assert job is not None
        return job

    def story(self, job_id: int) -> list[tuple[str, str]]:
        """Who wrote what."""
        with self.subject.database.tenant(self.subject.tenant) as session:
            return [(step.lease_owner, step.name) for step in JobRepository(session).steps(job_id)]

    def cancel(self, job_id: int) -> None:
        """As the seller would; too late is no error here."""
        with (
            suppress(JobBeingChecked, JobAlreadyEnded),
            self.subject.database.tenant(self.subject.tenant) as session,
        ):
            JobSteering(self.subject.clock).cancel(session, job_id)

    def listed(self) -> int:
        """A product that is listed by now; returns its id."""
        product_id = self.subject.product()
        job = self.finish(self.ask(product_id, JobAction.PUBLISH))
        self.assert_listed_once(product_id, job)
        return product_id

    def recorded(self, product_id: int) -> ChannelListing | None:
        """What we believe is listed."""
        with self.subject.database.tenant(self.subject.tenant) as session:
            listing = ListingRepository(session).get(product_id, self.subject.channel)
        return listing if listing and listing.status is ListingStatus.LIVE else None

    def assert_listed_once(self, product_id: int, job: MarketplaceJob) -> None:
        """The channel's books, ours and the job's result say the same."""
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        shown = self.assert_shown_and_recorded(product_id)
        assert (shown.price_minor, shown.quantity) == self.subject.expected(product_id)
        recorded = self.recorded(product_id)
        assert recorded is not None
        assert recorded.read_back
        assert job.result is not None
        assert job.result["listing_id"] == shown.listing_id

    def assert_shown_and_recorded(self, product_id: int) -> Shown:
        """There is one listing, and we know it."""
        [shown] = self.subject.shown(product_id)
        recorded = self.recorded(product_id)
        assert recorded is not None
        assert recorded.listing_id == shown.listing_id
        return shown


class HandlerConformance:
    """What is promised of any action. Each test is one promise."""

    channel: ClassVar[Channel]
    """Set by whoever joins."""
    action: ClassVar[JobAction]
    changes_the_channel: ClassVar[bool] = True
    """Off for an action that only reads there."""

    @pytest.fixture
    def bench(self, subject: Subject) -> Bench:
        assert subject.channel is self.channel
        return Bench(subject, self.action)

    def ready(self, bench: Bench) -> int:
        """Make a new product of which the action can be asked; returns its id."""
        raise NotImplementedError

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        """The job ended well, once, and the channel's books and ours agree."""
        raise NotImplementedError

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        """The channel's books and ours are what they were before the job, or agree on less."""
        raise NotImplementedError

    def test_it_is_done_once_and_proven(self, bench: Bench) -> None:
        """C1, ST26."""
        product_id = self.ready(bench)
        self.assert_done(bench, product_id, bench.finish(bench.ask(product_id)))

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_after_a_crash_at_any_checkpoint_it_is_done_once(self, bench: Bench, when: str) -> None:
        """B1, G1: the deed done and not noted, and noted and nothing more."""
        for number in range(1, self.checkpoints(bench) + 1):
            product_id = self.ready(bench)
            job_id = bench.ask(product_id)
            with pytest.raises(Killed):
                bench.turn(_killing(number, when))
            self.assert_done(bench, product_id, bench.finish(job_id))

    def test_whoever_has_lost_the_lease_writes_nothing(self, bench: Bench) -> None:
        """B2, G1: a worker oversleeps before any of its checkpoints; another one does the job."""
        for number in range(1, self.checkpoints(bench) + 1):
            product_id = self.ready(bench)
            job_id = bench.ask(product_id)
            left: list[Any] = []

            def oversleep(at: int, when: str, number: int = number) -> None:
                if (at, when) == (number, "before") and not left:  # noqa: B023 - within this turn
                    bench.subject.clock.advance(LEASE + timedelta(seconds=1))
                    bench.finish(job_id, who="worker-2")  # noqa: B023
                    left.append(self._written(bench, job_id))  # noqa: B023

            bench.turn(oversleep)
            assert [self._written(bench, job_id)] == left
            self.assert_done(bench, product_id, bench.job(job_id))

    def test_a_lost_answer_is_no_failure_and_is_looked_up(self, bench: Bench) -> None:
        """B1, B2, D8: unknown until the channel has been asked; never done a second time."""
        product_id = self.ready(bench)
        job_id = bench.ask(product_id)
        bench.subject.lose_the_answer(self.action)
        bench.turn()
        job = bench.job(job_id)
        unknown = JobOutcome.UNKNOWN if self.changes_the_channel else None
        assert (job.status, job.outcome) == (JobStatus.PENDING, unknown)
        self.assert_done(bench, product_id, bench.finish(job_id))

    def test_a_dead_token_blocks_and_says_what_helps(self, bench: Bench) -> None:
        """E1, G6."""
        product_id = self.ready(bench)
        job_id = bench.ask(product_id)
        bench.subject.kill_the_tokens()
        job = bench.finish(job_id)
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.BLOCKED)
        assert job.problem_detail
        self.assert_not_done(bench, product_id)

    def test_a_wait_that_the_channel_asks_for_is_kept_to_the_second(self, bench: Bench) -> None:
        """B5, E8: and does not count as a failure."""
        product_id = self.ready(bench)
        job_id = bench.ask(product_id)
        bench.subject.limit_the_rate(self.action)
        bench.turn()
        job = bench.job(job_id)
        assert job.status is JobStatus.PENDING
        assert job.due_at == bench.subject.clock.now() + timedelta(seconds=WAIT_SECONDS)
        bench.subject.clock.advance(timedelta(seconds=WAIT_SECONDS - 1))
        calls = bench.subject.calls()
        assert bench.turn() is None
        assert bench.subject.calls() == calls
        self.assert_done(bench, product_id, bench.finish(job_id))

    def test_a_wish_to_cancel_is_heard_before_the_next_call(self, bench: Bench) -> None:
        """G12: or the deed is done by then, and stands in the books."""
        for number in range(1, self.checkpoints(bench) + 1):
            product_id = self.ready(bench)
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
                self.assert_not_done(bench, product_id)
            else:
                self.assert_done(bench, product_id, job)

    def test_a_wish_to_cancel_before_the_first_call_means_no_call(self, bench: Bench) -> None:
        """G12."""
        product_id = self.ready(bench)
        job_id = bench.ask(product_id)
        calls = bench.subject.calls()
        bench.cancel(job_id)
        assert bench.finish(job_id).status is JobStatus.CANCELLED
        assert bench.subject.calls() == calls
        self.assert_not_done(bench, product_id)

    def checkpoints(self, bench: Bench) -> int:
        """How many checkpoints an attempt without trouble writes."""
        numbers: list[int] = []
        product_id = self.ready(bench)
        job_id = bench.ask(product_id)
        bench.turn(lambda number, when: numbers.append(number))
        self.assert_done(bench, product_id, bench.job(job_id))
        return max(numbers)

    def _written(self, bench: Bench, job_id: int) -> Any:
        job = bench.job(job_id)
        state = (job.status, job.outcome, job.attempts, job.result, job.lease_id, job.progress)
        return state, bench.story(job_id)


def _killing(number: int, when: str) -> Watch:
    def watch(at: int, moment: str) -> None:
        if (at, moment) == (number, when):
            raise Killed

    return watch
