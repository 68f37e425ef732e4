"""Follows the orders of a channel's account, page after page; a transaction an order."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Generic, TypeVar

from models.selling.publishing import Channel, MarketplaceJob
from repositories.selling.order_sync import OrderCursorRepository
from services.selling.orders.taking import OrderTaking
from services.selling.orders.told import ToldOrder, UnreadableOrder
from services.selling.publishing.connections import SPELLED
from services.selling.publishing.desk import JobDesk, Workshop
from services.selling.publishing.handlers import Cancel, Completed, Journal, Verdict
from shared.database import TenantSchema, TenantSession
from shared.errors import MarketplaceError, Remedy

OVERLAP = timedelta(minutes=15)
"""Read again each time: what a list shows late, or moved while it was paged through."""

FIRST_SPAN = timedelta(days=90)
"""How far the first reading of an account goes back."""

WINDOW = timedelta(days=7)
"""Older orders are read a week at a time: Etsy shows no more than 12,100 rows of a list. The cursor
moves after each."""

READINGS = 3
"""How often a list that changes while it is read is begun anew in one attempt."""

TRY_UNREAD_AFTER = timedelta(hours=1)

WorkshopT = TypeVar("WorkshopT", bound=Workshop)
AccountT = TypeVar("AccountT")
DeskT = TypeVar("DeskT", bound=JobDesk)


@dataclass(frozen=True, slots=True)
class OrdersCommand(Generic[AccountT]):
    """From when on to read, and which orders could not be read before."""

    tenant: TenantSchema
    account: AccountT
    since: datetime
    again: Sequence[str]


@dataclass(frozen=True, slots=True)
class ToldPage:
    """Part of a channel's list of orders."""

    orders: Sequence[ToldOrder]
    unreadable: Sequence[UnreadableOrder]
    ids: frozenset[str]
    """The channel's ids of all of them."""
    size: int
    """Its rows."""
    total: int
    """Orders in the whole list at the moment of this answer."""


@dataclass
class FoundOrders:
    """What a reading brought."""

    changed: int = 0
    unread: int = 0
    newest: datetime | None = None
    """Of the channel's clock."""
    seen: set[str] = field(default_factory=set)


class OrderFollowing(ABC, Generic[WorkshopT, AccountT, DeskT]):
    """Handler of `orders` jobs. Nothing is changed there, and what is known stays as it is."""

    channel: ClassVar[Channel]
    error: ClassVar[type[MarketplaceError]]
    most_unread: ClassVar[int]
    """Unread orders that are asked for again at once."""

    def __init__(self, shop: WorkshopT, taking: OrderTaking, page_size: int) -> None:
        self._shop = shop
        self._taking = taking
        self._page_size = page_size

    def prepare(
        self, session: TenantSession, job: MarketplaceJob
    ) -> OrdersCommand[AccountT] | Verdict:
        """From a little before the newest change that was read."""
        account = self._account(session)
        if isinstance(account, Cancel):
            return account
        now, cursors = self._shop.clock.now(), OrderCursorRepository(session)
        unread = cursors.unread(self.channel, self.most_unread)
        again = [each for each in unread if now - each.tried_at >= TRY_UNREAD_AFTER]
        return OrdersCommand(
            session.tenant,
            account,
            self._since(cursors.read_until(self.channel), now),
            [each.remote_order_id for each in again],
        )

    def perform(self, command: OrdersCommand[AccountT], journal: Journal) -> FoundOrders:
        """Read window after window; after each the cursor moves, and a later attempt goes on."""
        desk = self._desk(command.tenant, command.account, journal)
        if journal.must_probe:
            words = f"reading changes nothing on {SPELLED[self.channel]}"
            journal.checkpoint(words, certain=True)
        found = FoundOrders()
        if command.again:
            for page in self._again(desk, command.again):
                self._take(desk, page, found)
        for begin, end in _windows(command.since, self._shop.clock.now()):
            self._read_window(desk, begin, end, found)
            self._move(desk, end or max(begin, found.newest or begin))
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: FoundOrders) -> Verdict:
        """The orders are stored; say how many there were."""
        read = len(result.seen)
        return Completed({"read": read, "changed": result.changed, "unread": result.unread})

    @abstractmethod
    def _account(self, session: TenantSession) -> AccountT | Cancel:
        """What `_desk` needs to know of the account, or why the channel does not let us in."""

    @abstractmethod
    def _desk(self, tenant: TenantSchema, account: AccountT, journal: Journal) -> DeskT:
        """A place to do the job."""

    @abstractmethod
    def _again(self, desk: DeskT, order_ids: Sequence[str]) -> Iterator[ToldPage]:
        """Ask for orders by their ids."""

    @abstractmethod
    def _page(self, desk: DeskT, begin: datetime, end: datetime | None, offset: int) -> ToldPage:
        """A page of what changed between two moments of the channel's clock; no end: up to now."""

    def _since(self, read_until: datetime | None, now: datetime) -> datetime:
        return now - FIRST_SPAN if read_until is None else read_until - OVERLAP

    def _read_window(
        self, desk: DeskT, begin: datetime, end: datetime | None, found: FoundOrders
    ) -> None:
        if not any(self._read_whole(desk, begin, end, found) for _ in range(READINGS)):
            name = SPELLED[self.channel]
            words = f"{name}'s list of orders changed each time while we read it; we try again."
            raise self.error(words, remedy=Remedy.WAIT)

    def _read_whole(
        self, desk: DeskT, begin: datetime, end: datetime | None, found: FoundOrders
    ) -> bool:
        """Whether every order of the window was seen: a list that changes hides some behind a page.

        Absence proves nothing, so the cursor may move only after a complete reading.
        """
        seen: set[str] = set()
        total, offset = None, 0
        while total is None or offset < total:
            page = self._page(desk, begin, end, offset)
            self._take(desk, page, found)
            desk.note("read a page of orders", offset=offset, orders=page.size, total=page.total)
            seen |= page.ids
            if page.total != (page.total if total is None else total):
                return False
            if page.size == 0:
                break
            total, offset = page.total, offset + page.size
        return len(seen) >= (total or 0)

    def _take(self, desk: DeskT, page: ToldPage, found: FoundOrders) -> None:
        transactions = partial(self._shop.database.tenant, desk.tenant)
        taken = self._taking.take(transactions, self.channel, page.orders, page.unreadable)
        found.seen |= page.ids
        found.changed += taken.changed
        found.unread += taken.unread
        moments = [order.modified_at for order in page.orders]
        found.newest = max([*moments, *([found.newest] if found.newest else [])], default=None)

    def _move(self, desk: DeskT, read_until: datetime) -> None:
        with self._shop.database.tenant(desk.tenant) as session:
            OrderCursorRepository(session).move(self.channel, read_until, self._shop.clock.now())


def _windows(since: datetime, now: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    """Closed weeks as long as they lie a day in the past, by whichever clock; then an open end."""
    begin = since
    while begin + WINDOW < now - timedelta(days=1):
        yield begin, begin + WINDOW
        begin += WINDOW
    yield begin, None
