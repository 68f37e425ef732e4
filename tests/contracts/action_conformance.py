"""What each action promises beyond what any handler does."""

from typing import ClassVar

import pytest
from sqlalchemy import text

from models.selling.orders import OrderShipment, ShipmentStatus
from models.selling.publishing import JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.order_shipments import ShipmentRepository
from repositories.selling.orders import OrderRepository
from tests.contracts.handler_conformance import Bench, HandlerConformance, SellingSubject


class PublishConformance(HandlerConformance):
    """A product becomes one listing."""

    action: ClassVar[JobAction] = JobAction.PUBLISH

    def ready(self, bench: Bench) -> int:
        return bench.subject.product()

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        bench.assert_listed_once(product_id, job)

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        assert bench.subject.shown(product_id) == []
        assert bench.recorded(product_id) is None

    def test_what_is_listed_is_not_listed_again(self, bench: Bench) -> None:
        """B3, B4."""
        product_id = bench.listed()
        again = bench.finish(bench.ask(product_id))
        assert (again.outcome, again.problem_code) == (JobOutcome.REJECTED, "already-listed")
        assert len(bench.subject.shown(product_id)) == 1

    def test_a_lost_answer_leaves_no_listing_in_our_books(self, bench: Bench) -> None:
        """D8: not before it has been seen."""
        product_id = bench.subject.product()
        bench.ask(product_id)
        bench.subject.lose_the_answer(self.action)
        bench.turn()
        assert bench.recorded(product_id) is None

    def test_a_refusal_names_the_fields_to_change(self, bench: Bench) -> None:
        """G6, G13."""
        product_id = bench.subject.refused_product()
        job = bench.finish(bench.ask(product_id))
        assert_refused(job)
        self.assert_not_done(bench, product_id)


class UpdateConformance(HandlerConformance):
    """A listing becomes what its product is now, and stays the same listing."""

    action: ClassVar[JobAction] = JobAction.UPDATE

    def ready(self, bench: Bench) -> int:
        product_id = bench.listed()
        bench.subject.revise(product_id)
        return product_id

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        bench.assert_listed_once(product_id, job)

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        """Some of it may have been changed; it is listed, and we know where."""
        bench.assert_shown_and_recorded(product_id)

    def test_it_stays_the_same_listing(self, bench: Bench) -> None:
        """B12."""
        product_id = bench.listed()
        [before] = bench.subject.shown(product_id)
        bench.subject.revise(product_id)
        bench.finish(bench.ask(product_id))
        [after] = bench.subject.shown(product_id)
        assert after.listing_id == before.listing_id
        assert (after.price_minor, after.quantity) != (before.price_minor, before.quantity)

    def test_a_refusal_names_the_fields_and_leaves_the_listing(self, bench: Bench) -> None:
        """G6, G13."""
        product_id = bench.listed()
        bench.subject.revise_wrongly(product_id)
        assert_refused(bench.finish(bench.ask(product_id)))
        bench.assert_shown_and_recorded(product_id)

    def test_what_was_never_listed_is_not_updated(self, bench: Bench) -> None:
        """ST26: and not listed by the way."""
        product_id = bench.subject.product()
        calls = bench.subject.calls()
        job = bench.finish(bench.ask(product_id))
        assert (job.outcome, job.problem_code) == (JobOutcome.REJECTED, "not-listed")
        assert bench.subject.calls() == calls
        assert bench.subject.shown(product_id) == []

    def test_what_has_ended_on_the_channel_is_not_brought_back(self, bench: Bench) -> None:
        """A3, C1: our books follow the channel's."""
        product_id = self.ready(bench)
        bench.subject.end_outside(product_id)
        job = bench.finish(bench.ask(product_id))
        assert (job.outcome, job.problem_code) == (JobOutcome.REJECTED, "listing-ended")
        assert bench.subject.shown(product_id) == []
        assert bench.recorded(product_id) is None


class DeleteConformance(HandlerConformance):
    """A listing is not to be seen any more."""

    action: ClassVar[JobAction] = JobAction.DELETE

    def ready(self, bench: Bench) -> int:
        return bench.listed()

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        assert bench.subject.shown(product_id) == []
        assert bench.recorded(product_id) is None
        assert job.result is not None
        assert job.result["listing_id"]

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        bench.assert_shown_and_recorded(product_id)

    def test_it_is_not_done_before_it_has_been_seen_to_have_ended(self, bench: Bench) -> None:
        """A3: the channel's word is not enough."""
        product_id = self.ready(bench)
        job_id = bench.ask(product_id)
        bench.subject.only_say_it_has_ended()
        bench.turn()
        job = bench.job(job_id)
        assert job.is_live
        bench.assert_shown_and_recorded(product_id)
        self.assert_done(bench, product_id, bench.finish(job_id))

    def test_what_has_ended_already_is_no_failure(self, bench: Bench) -> None:
        """A3, B2."""
        product_id = self.ready(bench)
        bench.subject.end_outside(product_id)
        self.assert_done(bench, product_id, bench.finish(bench.ask(product_id)))

    def test_ending_it_again_is_done_without_a_call(self, bench: Bench) -> None:
        """B3."""
        product_id = self.ready(bench)
        bench.finish(bench.ask(product_id))
        calls = bench.subject.calls()
        self.assert_done(bench, product_id, bench.finish(bench.ask(product_id)))
        assert bench.subject.calls() == calls

    def test_what_was_never_listed_cannot_be_ended(self, bench: Bench) -> None:
        """ST26."""
        product_id = bench.subject.product()
        calls = bench.subject.calls()
        job = bench.finish(bench.ask(product_id))
        assert (job.outcome, job.problem_code) == (JobOutcome.REJECTED, "not-listed")
        assert bench.subject.calls() == calls

    def test_what_was_ended_can_be_listed_again(self, bench: Bench) -> None:
        """B7: once."""
        product_id = self.ready(bench)
        bench.finish(bench.ask(product_id))
        job = bench.finish(bench.ask(product_id, JobAction.PUBLISH))
        bench.assert_listed_once(product_id, job)


class LinkConformance(HandlerConformance):
    """A listing that we have forgotten is in our books again."""

    action: ClassVar[JobAction] = JobAction.LINK
    changes_the_channel: ClassVar[bool] = False

    def ready(self, bench: Bench) -> int:
        product_id = bench.listed()
        with bench.subject.database.tenant(bench.subject.tenant) as session:
            session.execute(text("DELETE FROM channel_listings"))
        return product_id

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        shown = bench.assert_shown_and_recorded(product_id)
        assert job.result is not None
        assert job.result["listing_id"] == shown.listing_id

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        assert len(bench.subject.shown(product_id)) == 1
        assert bench.recorded(product_id) is None

    def test_what_is_not_listed_cannot_be_linked(self, bench: Bench) -> None:
        """ST26."""
        product_id = bench.subject.product()
        job = bench.finish(bench.ask(product_id))
        assert (job.outcome, job.problem_code) == (JobOutcome.REJECTED, "nothing-to-link")
        assert bench.recorded(product_id) is None

    def test_what_was_linked_can_be_updated(self, bench: Bench) -> None:
        """B2, B12: nothing is missing that an update needs."""
        product_id = self.ready(bench)
        bench.finish(bench.ask(product_id))
        bench.subject.revise(product_id)
        bench.assert_listed_once(product_id, bench.finish(bench.ask(product_id, JobAction.UPDATE)))


class SyncConformance(HandlerConformance):
    """Our books say what the channel shows."""

    action: ClassVar[JobAction] = JobAction.SYNC
    changes_the_channel: ClassVar[bool] = False

    def ready(self, bench: Bench) -> int:
        return bench.listed()

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        bench.assert_shown_and_recorded(product_id)
        assert job.result is not None
        assert (job.result["looked"], job.result["ended"]) == (1, 0)

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        bench.assert_shown_and_recorded(product_id)

    def test_what_has_ended_on_the_channel_has_ended_here(self, bench: Bench) -> None:
        """C1, D5."""
        product_id = self.ready(bench)
        bench.subject.end_outside(product_id)
        job = bench.finish(bench.ask(product_id))
        assert job.outcome is JobOutcome.OK
        assert job.result is not None
        assert (job.result["looked"], job.result["ended"]) == (1, 1)
        assert bench.recorded(product_id) is None

    def test_what_was_never_listed_has_nothing_to_look_at(self, bench: Bench) -> None:
        """ST26."""
        product_id = bench.subject.product()
        calls = bench.subject.calls()
        job = bench.finish(bench.ask(product_id))
        assert (job.outcome, job.problem_code) == (JobOutcome.REJECTED, "not-listed")
        assert bench.subject.calls() == calls


class OrdersConformance(HandlerConformance):
    """Each order of the account is taken over once, and paid for in stock once."""

    action: ClassVar[JobAction] = JobAction.ORDERS
    changes_the_channel: ClassVar[bool] = False

    @pytest.fixture
    def bench(self, subject: SellingSubject) -> Bench:
        """The account's past has been read, which takes as many pages as there are."""
        bench = Bench(subject, self.action)
        assert bench.finish(bench.ask(0)).outcome is JobOutcome.OK
        return bench

    @pytest.fixture(autouse=True)
    def market(self, subject: SellingSubject) -> None:
        """Where the tests sell."""
        self._market = subject
        self._in_stock: dict[int, int] = {}

    def ready(self, bench: Bench) -> int:
        product_id = bench.listed()
        self._in_stock[product_id] = bench.subject.expected(product_id)[1]
        self._market.sell(product_id)
        return product_id

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        assert self._sold(bench, product_id) == 1

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        """It may have been taken over by then; if so, it is paid for in stock."""
        assert self._sold(bench, product_id) in {0, 1}

    def test_reading_again_brings_nothing_twice(self, bench: Bench) -> None:
        """A9, G7."""
        product_id = self.ready(bench)
        for _ in range(2):
            self.assert_done(bench, product_id, bench.finish(bench.ask(product_id)))

    def _sold(self, bench: Bench, product_id: int) -> int:
        """Units in orders; so many are missing in stock."""
        with bench.subject.database.tenant(bench.subject.tenant) as session:
            sold = session.scalar(_SOLD, {"product": product_id}) or 0
        assert bench.subject.expected(product_id)[1] == self._in_stock[product_id] - sold
        return int(sold)


_SOLD = text("SELECT sum(quantity) FROM channel_order_lines WHERE product_id = :product")


class ShipConformance(HandlerConformance):
    """The channel knows of each parcel once."""

    action: ClassVar[JobAction] = JobAction.SHIP

    @pytest.fixture(autouse=True)
    def market(self, subject: SellingSubject) -> None:
        """Where the tests sell, and the parcel of each product."""
        self._market = subject
        self._parcels: dict[int, int] = {}

    def ready(self, bench: Bench) -> int:
        product_id = bench.listed()
        self._market.sell(product_id)
        job = bench.finish(bench.ask(product_id, JobAction.ORDERS))
        assert job.outcome is JobOutcome.OK, job.problem_detail
        self._parcels[product_id] = self._send(bench, product_id)
        return product_id

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        status, known = self._told(bench, product_id)
        assert (status, known) == (ShipmentStatus.TOLD, 1)

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        status, known = self._told(bench, product_id)
        assert (status, known) == (ShipmentStatus.WAITING, 0)

    def test_without_a_parcel_there_is_no_call(self, bench: Bench) -> None:
        """B3: what the channel knows is not told again."""
        product_id = self.ready(bench)
        bench.finish(bench.ask(product_id))
        calls = bench.subject.calls()
        self.assert_done(bench, product_id, bench.finish(bench.ask(product_id)))
        assert bench.subject.calls() == calls

    def _send(self, bench: Bench, product_id: int) -> int:
        """The seller has sent all of the order; the number of the parcel."""
        with bench.subject.database.tenant(bench.subject.tenant) as session:
            order = OrderRepository(session).get(session.scalar(_ORDER, {"product": product_id}))
            assert order is not None
            parcel = OrderShipment(
                order_id=order.id,
                channel=bench.subject.channel,
                carrier=self._market.carrier,
                tracking=f"9400{product_id}",
                units={line.remote_line_id: line.quantity for line in order.lines},
                status=ShipmentStatus.WAITING,
                requested_by=1,
                requested_at=bench.subject.clock.now(),
            )
            ShipmentRepository(session).add(parcel)
            return parcel.id

    def _told(self, bench: Bench, product_id: int) -> tuple[ShipmentStatus, int]:
        """What we believe, and how many parcels of the order the channel has."""
        with bench.subject.database.tenant(bench.subject.tenant) as session:
            parcel = ShipmentRepository(session).locked(self._parcels[product_id])
            order = OrderRepository(session).get(parcel.order_id)
            assert order is not None
        return parcel.status, self._market.parcels(order.remote_order_id)


_ORDER = text("SELECT order_id FROM channel_order_lines WHERE product_id = :product")


class ImportConformance(HandlerConformance):
    """All that is for sale on the account is in our books, once."""

    action: ClassVar[JobAction] = JobAction.IMPORT
    changes_the_channel: ClassVar[bool] = False

    def ready(self, bench: Bench) -> int:
        """A listing of a product of ours that our books have lost."""
        product_id = bench.listed()
        with bench.subject.database.tenant(bench.subject.tenant) as session:
            session.execute(text("DELETE FROM channel_listings"))
        return product_id

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        bench.assert_shown_and_recorded(product_id)
        assert job.result is not None
        assert job.result["created"] == job.result["failed"] == 0

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        """It may be in our books by then; if so, rightly."""
        [shown] = bench.subject.shown(product_id)
        recorded = bench.recorded(product_id)
        assert recorded is None or recorded.listing_id == shown.listing_id

    def test_importing_again_changes_nothing(self, bench: Bench) -> None:
        """B3, B6."""
        product_id = self.ready(bench)
        for _ in range(2):
            self.assert_done(bench, product_id, bench.finish(bench.ask(product_id)))

    def test_what_was_imported_can_be_updated(self, bench: Bench) -> None:
        """B2, B12: nothing is missing that an update needs."""
        product_id = self.ready(bench)
        bench.finish(bench.ask(product_id))
        bench.subject.revise(product_id)
        bench.assert_listed_once(product_id, bench.finish(bench.ask(product_id, JobAction.UPDATE)))


def assert_refused(job: MarketplaceJob) -> None:
    """The seller is told which fields to change."""
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.REJECTED)
    assert job.problem_detail
    assert job.problem_fields
    assert all(field["field"] and field["message"] for field in job.problem_fields)
