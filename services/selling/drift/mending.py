"""Ends a difference by the seller's word: the listing is changed to our record, or our record to
what the listing shows. Nothing is mended by itself.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.accounts.tenants import Lane
from models.selling.drift import DriftDecision, Keep
from models.selling.publishing import Channel, ChannelListing, JobAction, ListingStatus
from repositories.accounts.bells import BellRepository
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.catalog import ProductRepository
from repositories.selling.drift import DriftRepository
from repositories.selling.order_sync import OrderCursorRepository
from services.selling.catalog.products import AcceptsVersion
from services.selling.drift.comparing import end_there
from services.selling.drift.reading import Drifted, drifted
from services.selling.drift.seen import QUANTITY, STATUS, Difference
from services.selling.drift.taking import NotTakeable, take
from services.selling.publishing.planning import Answer
from services.selling.publishing.requesting import NothingToDo, WorkRequests
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput, FieldProblem

AT_ONCE = 500
"""Listings that one request for all decides about; asked again, it goes on with the rest."""


class Mended(StrEnum):
    """What became of a listing in a request."""

    QUEUED = "queued"
    """A job puts ours back."""
    ALREADY_QUEUED = "already_queued"
    TAKEN = "taken"
    """Our record says what the listing shows."""
    NOTHING_DIFFERS = "nothing_differs"
    UNDECIDED = "undecided"
    """Sending our record would also end differences that were not named."""
    CHANGED_MEANWHILE = "changed_meanwhile"
    """The product is at another version than the one named."""
    ORDERS_FIRST = "orders_first"
    """A sale that is not fetched yet may be all that differs in the quantity."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Wish:
    """A decision about one listing."""

    product_id: int
    channel: Channel
    items: Collection[str] | None = None
    """Keys of differences; None: all there are."""
    accepts: AcceptsVersion = lambda _version: True
    """On which version of the product it is based, where ours is to change."""


@dataclass(frozen=True, slots=True)
class MendedListing:
    """What became of one listing."""

    product_id: int
    channel: Channel
    answer: Mended
    items: Sequence[Difference] = ()
    """What was decided, or, when nothing was, what stands against it."""
    version: int | None = None
    """Of the product, where ours was changed."""
    job_id: int | None = None
    problems: Sequence[FieldProblem] = ()


class NoSuchListing(BadInput):
    """The shop has no live listing like this."""

    code, title = "no-such-listing", "There is no such live listing"


class DriftMending:
    """Each listing for itself: one that cannot be mended stops no other."""

    def __init__(self, requests: WorkRequests, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock

    def mend_all(
        self, session: TenantSession, keep: Keep, channel: Channel | None, decided_by: int
    ) -> Sequence[MendedListing]:
        """Decide about all that differs now, at most `AT_ONCE` listings."""
        rows = DriftRepository(session).drifted(channel, None, AT_ONCE)
        wishes = [Wish(row.product_id, row.channel) for row in rows]
        return self.mend(session, keep, wishes, decided_by)

    def mend(
        self, session: TenantSession, keep: Keep, wishes: Sequence[Wish], decided_by: int
    ) -> Sequence[MendedListing]:
        """Decide about these listings, each named once. Raises `NoSuchListing`."""
        # The bell first: whoever leaves work for a shop passes there before any other lock.
        BellRepository(session).ring(session.tenant, Lane.BULK, self._clock.now())
        turn = _Turn(session, keep, decided_by, self._clock)
        # Products are locked in the order of their numbers, so that two requests never wait for
        # each other.
        ordered = sorted(enumerate(wishes), key=lambda each: (each[1].product_id, each[1].channel))
        found = [turn.decide(wish, place) for place, wish in ordered]
        return [*turn.answered, *self._sent(turn, [each for each in found if each is not None])]

    def _sent(self, turn: "_Turn", chosen: Sequence["_Chosen"]) -> Iterable[MendedListing]:
        by_work: dict[tuple[JobAction, Channel], list[_Chosen]] = {}
        for each in chosen:
            by_work.setdefault((each.action, each.row.channel), []).append(each)
        for (action, channel), some in by_work.items():
            yield from self._asked(turn, action, channel, some)

    def _asked(
        self, turn: "_Turn", action: JobAction, channel: Channel, some: Sequence["_Chosen"]
    ) -> Iterable[MendedListing]:
        ids = [each.row.product_id for each in some]
        try:
            batch = self._requests.request(turn.session, action, ids, [channel], turn.decided_by)
        except NothingToDo as nothing:
            yield from (_refused(each, nothing.fields) for each in some)
            return
        asked = {item.product_id: item for item in batch.items}
        for each in some:
            item = asked[each.row.product_id]
            if item.answer is Answer.REFUSED:
                yield _refused(each, item.problems)
                continue
            turn.write_down(each.row, each.items, item.job_id)
            queued = item.answer is Answer.QUEUED
            answer = Mended.QUEUED if queued else Mended.ALREADY_QUEUED
            yield MendedListing(*each.key, answer, each.items, job_id=item.job_id)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A listing to which our record is to be sent."""

    row: ChannelListing
    items: Sequence[Difference]
    action: JobAction

    @property
    def key(self) -> tuple[int, Channel]:
        return self.row.product_id, self.row.channel


class _Turn:
    """One request: what was answered, and what it may still change."""

    def __init__(self, session: TenantSession, keep: Keep, decided_by: int, clock: Clock) -> None:
        self.session = session
        self.decided_by = decided_by
        self.answered: list[MendedListing] = []
        self._keep = keep
        self._clock = clock
        self._drift = DriftRepository(session)
        self._orders_known = _orders_known(session)

    def decide(self, wish: Wish, place: int) -> _Chosen | None:
        """What is to be sent, if anything; else the answer is known."""
        ProductRepository(self.session).locked(wish.product_id)
        row = self._drift.locked(wish.product_id, wish.channel)
        live = [row] if row is not None and row.status is ListingStatus.LIVE else []
        found = next(iter(drifted(self.session, live)), None)
        if found is None:
            where = FieldProblem(f"listings.{place}", "this product is not for sale there")
            raise NoSuchListing(fields=[where])
        row = found.listing
        chosen = [each for each in found.items if wish.items is None or each.key in wish.items]
        if not chosen:
            self._answer(wish, Mended.NOTHING_DIFFERS)
        elif any(each.field == QUANTITY for each in chosen) and not self._orders_known(row):
            self._answer(wish, Mended.ORDERS_FIRST, chosen)
        elif self._keep is Keep.THEIRS:
            self._take(wish, found, chosen)
        elif left := [each for each in found.items if each not in chosen]:
            self._answer(wish, Mended.UNDECIDED, left)
        else:
            return self._to_send(row, chosen)
        return None

    def write_down(
        self, row: ChannelListing, items: Sequence[Difference], job_id: int | None = None
    ) -> None:
        """Keep what was decided."""
        for item in items:
            self._drift.put_decision(
                DriftDecision(
                    product_id=row.product_id,
                    channel=row.channel,
                    listing_id=row.listing_id,
                    field=item.field,
                    sku=item.sku,
                    keep=self._keep,
                    ours=item.ours,
                    live=item.live,
                    job_id=job_id,
                    decided_by=self.decided_by,
                    decided_at=self._clock.now(),
                )
            )

    def _to_send(self, row: ChannelListing, items: Sequence[Difference]) -> _Chosen:
        """What has ended there is listed anew."""
        if items[0].field != STATUS:
            return _Chosen(row, items, JobAction.UPDATE)
        end_there(row, self._clock.now())
        return _Chosen(row, items, JobAction.PUBLISH)

    def _take(self, wish: Wish, found: Drifted, items: Sequence[Difference]) -> None:
        row, product = found.listing, found.product
        if items[0].field == STATUS:
            end_there(row, self._clock.now())
            self.write_down(row, items)
            self._answer(wish, Mended.TAKEN, items, version=product.version)
            return
        if not wish.accepts(product.version):
            self._answer(wish, Mended.CHANGED_MEANWHILE, items, version=product.version)
            return
        in_step = not found.not_sent_yet
        try:
            product = take(self.session, product, items, self._clock)
        except NotTakeable as refused:
            self._answer(wish, Mended.REFUSED, items, problems=refused.fields)
            return
        [now] = drifted(self.session, [row])
        if in_step and not now.items:
            row.product_version = product.version
        row.read_back = {**row.read_back, "drift": [each.as_json() for each in now.items]}
        self.write_down(row, items)
        self._answer(wish, Mended.TAKEN, items, version=product.version)

    def _answer(
        self,
        wish: Wish,
        answer: Mended,
        items: Sequence[Difference] = (),
        *,
        version: int | None = None,
        problems: Sequence[FieldProblem] = (),
    ) -> None:
        self.answered.append(
            MendedListing(
                wish.product_id, wish.channel, answer, items, version=version, problems=problems
            )
        )


def _orders_known(session: TenantSession) -> Callable[[ChannelListing], bool]:
    """Whether all sales are in our books that were made before a listing was looked at; where
    orders are not followed, they never will be."""
    followed = OrderPollRepository(session).followed_by(session.tenant)
    read_at = {cursor.channel: cursor.read_at for cursor in OrderCursorRepository(session).all()}

    def known(row: ChannelListing) -> bool:
        if row.channel not in followed:
            return True
        read = read_at.get(row.channel)
        return read is not None and read >= row.checked_at

    return known


def _refused(each: _Chosen, problems: Sequence[FieldProblem]) -> MendedListing:
    own = f"products.{each.row.product_id}."
    mine = [problem for problem in problems if problem.field.startswith(own)]
    return MendedListing(*each.key, Mended.REFUSED, each.items, problems=mine)
