"""Whole batches: followed, held, stopped and mended over HTTP, with a processor beside it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.container import Container
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.selling.publishing import JobFilter, JobRepository
from services.selling.publishing.handlers import Cancel, Journal, Parked, Problem, Unknown
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.requesting import WorkRequests
from shared.clock import MovableClock
from shared.database import Database
from shared.errors import EbayError
from tests.factories.catalog import create
from tests.fakes.channels import OpinionatedChannel
from tests.fakes.handlers import ScriptedHandler
from tests.serving import Seller, assert_problem


class Publisher:
    """A seller with products, and a worker that does what `handler` says."""

    def __init__(
        self, container: Container, database: Database, clock: MovableClock, seller: Seller
    ) -> None:
        container.work_requests = WorkRequests({Channel.EBAY: OpinionatedChannel()}, clock)
        self.seller, self.database, self.clock = seller, database, clock
        self.handler = ScriptedHandler()
        self.processor = MarketplaceJobProcessor(
            database,
            {(Channel.EBAY, JobAction.PUBLISH): self.handler},
            LeaseKeeper(database, clock, timedelta(seconds=60)),
            clock,
            "worker-1",
        )

    def batch(self, size: int) -> int:
        """Ask for the publication of new products; the batch's number."""
        products = [create(self.seller.http, title=f"Shirt {n}")["id"] for n in range(size)]
        answer = self.ask(products)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["batch_id"])

    def ask(self, product_ids: Sequence[int]) -> httpx.Response:
        return self.seller.http.post(
            "/api/v1/publications", json={"product_ids": product_ids, "channels": ["ebay"]}
        )

    def steer(self, batch_id: int, action: str) -> Any:
        answer = self.seller.http.post(f"/api/v1/batches/{batch_id}/{action}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def show(self, batch_id: int) -> Any:
        return self.seller.http.get(f"/api/v1/batches/{batch_id}").json()

    def turns(self, number: int = 1_000) -> int:
        """Let the worker take up to so many jobs; how many there were."""
        done = 0
        while done < number and self.processor.process_next_job(Lane.BULK) is not None:
            done += 1
        return done

    def bells(self) -> int:
        with self.database.platform() as session:
            return int(session.scalar(text("SELECT count(*) FROM public.tenant_bells")) or 0)

    def statuses(self, batch_id: int) -> list[JobStatus]:
        with self.database.tenant(self.seller.tenant) as session:
            jobs = JobRepository(session).page(JobFilter(batch_id=batch_id), None, 100)
        return [job.status for job in reversed(jobs)]


@pytest.fixture
def publisher(
    container: Container, database: Database, clock: MovableClock, seller: Seller
) -> Publisher:
    return Publisher(container, database, clock, seller)


def test_progress_is_told_while_it_happens(publisher: Publisher, clock: MovableClock) -> None:
    """B15, G13: counts, percent, and what came of each job so far."""
    publisher.handler.when_prepared = lambda session, job: (
        Cancel(Problem("no-brand", "eBay wants a brand.")) if job.id % 4 == 0 else None
    )
    batch_id = publisher.batch(8)
    assert publisher.turns(4) == 4
    shown = publisher.show(batch_id)
    assert shown["by_status"] == {"done": 4, "pending": 4}
    assert shown["by_outcome"] == {"ok": 3, "rejected": 1}
    assert (shown["total"], shown["percent"], shown["finished"]) == (8, 50, False)
    path = f"/api/v1/batches/{batch_id}/jobs"
    failed = publisher.seller.http.get(path, params={"outcome": "rejected"}).json()["items"]
    assert [job["problem_code"] for job in failed] == ["no-brand"]
    page = publisher.seller.http.get(path, params={"limit": 5}).json()
    rest = publisher.seller.http.get(path, params={"limit": 5, "cursor": page["next_cursor"]})
    assert [len(page["items"]), len(rest.json()["items"])] == [5, 3]
    assert publisher.turns() == 4
    assert publisher.show(batch_id)["percent"] == 100
    assert publisher.show(batch_id)["finished"] is True


def test_the_time_left_is_told_when_there_is_a_pace(
    publisher: Publisher, clock: MovableClock
) -> None:
    """B15: at the pace of the last ten minutes, since it was last resumed; no guess before."""
    batch_id = publisher.batch(20)
    assert publisher.show(batch_id)["seconds_left"] is None
    clock.advance(timedelta(seconds=50))
    publisher.turns(5)
    assert publisher.show(batch_id)["seconds_left"] == 50 * 15 / 5
    publisher.steer(batch_id, "pause")
    assert publisher.show(batch_id)["seconds_left"] is None
    clock.advance(timedelta(seconds=300))
    publisher.steer(batch_id, "resume")
    assert publisher.show(batch_id)["seconds_left"] is None
    clock.advance(timedelta(seconds=20))
    publisher.turns(10)
    assert publisher.show(batch_id)["seconds_left"] == 20 * 5 / 10


def test_a_paused_batch_is_not_picked_up_and_rings_no_bell(publisher: Publisher) -> None:
    """B15, G10: what is held costs no look."""
    batch_id = publisher.batch(3)
    publisher.turns(1)
    assert publisher.steer(batch_id, "pause")["changed"] == 2
    assert publisher.bells() == 0
    assert publisher.turns() == 0
    assert publisher.show(batch_id)["paused_at"] is not None
    assert publisher.steer(batch_id, "resume")["changed"] == 2
    assert publisher.bells() == 1
    assert publisher.turns() == 2


def test_other_work_of_the_shop_goes_on_beside_a_paused_batch(publisher: Publisher) -> None:
    """B15."""
    held, other = publisher.batch(3), publisher.batch(2)
    publisher.steer(held, "pause")
    assert publisher.turns() == 2
    assert publisher.show(other)["finished"] is True
    assert publisher.statuses(held) == [JobStatus.PENDING] * 3
    assert publisher.bells() == 0


def test_a_job_that_runs_when_its_batch_is_paused_finishes(publisher: Publisher) -> None:
    """B15: and one that must be tried again waits for the batch."""
    batch_id = publisher.batch(2)

    def pause(command: Any, journal: Journal) -> dict[str, Any]:
        publisher.steer(batch_id, "pause")
        journal.checkpoint("went on")
        return {}

    def fails(command: Any, journal: Journal) -> dict[str, Any]:
        publisher.steer(batch_id, "pause")
        raise EbayError("busy", retry_after=0)

    publisher.handler.acts = [pause, fails, lambda command, journal: {}]
    assert publisher.turns() == 1
    assert publisher.statuses(batch_id) == [JobStatus.DONE, JobStatus.PENDING]
    publisher.steer(batch_id, "resume")
    assert publisher.turns() == 1
    assert publisher.statuses(batch_id) == [JobStatus.DONE, JobStatus.PENDING]
    publisher.steer(batch_id, "resume")
    assert publisher.turns() == 1
    assert publisher.show(batch_id)["finished"] is True


def test_the_job_of_a_dead_worker_is_settled_although_its_batch_is_paused(
    publisher: Publisher, clock: MovableClock
) -> None:
    """G1: what may have happened is found out."""
    batch_id = publisher.batch(2)

    def die(command: Any, journal: Journal) -> dict[str, Any]:
        raise KeyboardInterrupt

    publisher.handler.acts = [die, lambda command, journal: {}]
    with pytest.raises(KeyboardInterrupt):
        publisher.turns(1)
    publisher.steer(batch_id, "pause")
    assert publisher.bells() == 1
    assert publisher.turns() == 0
    clock.advance(timedelta(seconds=61))
    assert publisher.turns() == 1
    assert publisher.statuses(batch_id) == [JobStatus.DONE, JobStatus.PENDING]


def test_cancelling_stops_what_waits_and_what_runs_before_its_next_call(
    publisher: Publisher,
) -> None:
    """G12."""
    batch_id = publisher.batch(4)
    calls: list[str] = []

    def cancelled_meanwhile(command: Any, journal: Journal) -> dict[str, Any]:
        steered = publisher.steer(batch_id, "cancel")
        assert (steered["changed"], steered["left_alone"]) == (3, 0)
        journal.checkpoint("before the call")
        calls.append("made")
        return {}

    publisher.handler.acts = [lambda command, journal: {}, cancelled_meanwhile]
    assert publisher.turns() == 2
    assert calls == []
    shown = publisher.show(batch_id)
    assert shown["by_status"] == {"done": 1, "cancelled": 3}
    assert (shown["finished"], shown["cancelled_at"] is not None) == (True, True)
    assert publisher.bells() == 0


def test_cancelling_a_paused_batch_lets_what_is_being_checked_be_checked(
    publisher: Publisher, clock: MovableClock
) -> None:
    """B2, G12: a job that may have succeeded is not called cancelled."""
    batch_id = publisher.batch(2)
    publisher.handler.acts = [
        lambda command, journal: Unknown(Problem("timeout", "No answer came.")),
        lambda command, journal: {},
    ]
    publisher.turns(1)
    publisher.steer(batch_id, "pause")
    steered = publisher.steer(batch_id, "cancel")
    assert (steered["changed"], steered["left_alone"]) == (1, 1)
    assert steered["batch"]["paused_at"] is None
    clock.advance(timedelta(seconds=30))
    assert publisher.turns() == 1
    assert publisher.statuses(batch_id) == [JobStatus.DONE, JobStatus.CANCELLED]


def test_cancelling_a_batch_waits_for_what_somebody_outside_was_asked_to_do(
    publisher: Publisher, clock: MovableClock
) -> None:
    """G12, D7: it may be done by now; a listing that nobody knows of would stay up."""
    batch_id = publisher.batch(1)
    deadline = clock.now() + timedelta(minutes=5)
    publisher.handler.acts = [
        lambda command, journal: Parked(deadline, "the browser"),
        lambda command, journal: {"found": journal.must_probe},
    ]
    publisher.turns(1)
    assert publisher.steer(batch_id, "cancel")["changed"] == 1
    assert publisher.statuses(batch_id) == [JobStatus.PARKED]
    clock.advance(timedelta(minutes=5))
    assert publisher.turns() == 1
    assert publisher.show(batch_id)["by_outcome"] == {"ok": 1}


def test_retrying_queues_what_failed_and_leaves_the_rest(publisher: Publisher) -> None:
    """G6: not what succeeded, not what was cancelled, not what a newer job does by now."""
    batch_id = publisher.batch(4)
    publisher.handler.when_prepared = lambda session, job: (
        None if job.id == 1 else Cancel(Problem("no", "No."), JobOutcome.BLOCKED)
    )
    publisher.turns(3)
    publisher.steer(batch_id, "cancel")
    assert publisher.statuses(batch_id) == [JobStatus.DONE] * 3 + [JobStatus.CANCELLED]
    newer = publisher.ask([3]).json()
    assert newer["items"][0]["answer"] == "queued"
    publisher.handler.when_prepared = lambda session, job: None
    steered = publisher.steer(batch_id, "retry-failed")
    assert (steered["changed"], steered["left_alone"]) == (1, 1)
    assert publisher.statuses(batch_id) == [
        JobStatus.DONE,
        JobStatus.PENDING,
        JobStatus.DONE,
        JobStatus.CANCELLED,
    ]
    with publisher.database.platform() as session:
        dead = session.execute(text("SELECT job_id FROM public.dead_jobs")).scalars().all()
    assert dead == [3]
    assert publisher.steer(batch_id, "retry-failed")["changed"] == 0
    assert publisher.turns() == 2
    assert publisher.show(batch_id)["by_outcome"] == {"ok": 2, "blocked": 1}


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_every_action_may_be_repeated(publisher: Publisher, action: str) -> None:
    """B3: the second time it changes nothing, and says so."""
    batch_id = publisher.batch(2)
    first = publisher.steer(batch_id, action)
    again = publisher.steer(batch_id, action)
    assert (again["changed"], again["batch"]) == (0, first["batch"])


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_a_batch_that_has_ended_cannot_be_held_or_stopped(
    publisher: Publisher, action: str
) -> None:
    """G13: retrying its failures is all that is left."""
    batch_id = publisher.batch(1)
    publisher.turns()
    before = publisher.show(batch_id)
    answer = publisher.seller.http.post(f"/api/v1/batches/{batch_id}/{action}")
    assert_problem(answer, 409, "batch-already-ended")
    assert publisher.show(batch_id) == before
    assert publisher.steer(batch_id, "retry-failed")["changed"] == 0


@pytest.mark.parametrize("action", ["pause", "resume", "cancel", "retry-failed"])
def test_there_is_nothing_to_steer_without_a_batch(publisher: Publisher, action: str) -> None:
    """G13."""
    answer = publisher.seller.http.post(f"/api/v1/batches/7/{action}")
    assert_problem(answer, 404, "batch-not-found")
    assert publisher.bells() == 0


def test_batches_are_listed_newest_first(publisher: Publisher) -> None:
    """B15."""
    batches = [publisher.batch(size) for size in (1, 2, 3)]
    first = publisher.seller.http.get("/api/v1/batches", params={"limit": 2}).json()
    assert [each["id"] for each in first["items"]] == batches[:0:-1]
    assert [each["total"] for each in first["items"]] == [3, 2]
    rest = publisher.seller.http.get(
        "/api/v1/batches", params={"limit": 2, "cursor": first["next_cursor"]}
    ).json()
    assert [each["id"] for each in rest["items"]] == batches[:1]
    assert rest["next_cursor"] is None
