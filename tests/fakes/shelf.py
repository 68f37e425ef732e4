"""A made-up channel and its handlers: the least that a handler has to do."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    ListingStatus,
    MarketplaceJob,
)
from repositories.selling.catalog import ProductRepository
from repositories.selling.publishing import ListingRepository
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Problem,
    Unknown,
    Verdict,
)
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import APITimeoutError, MarketplaceError, Remedy

CHANNEL = Channel.BAZAAR


@dataclass
class Shelf:
    """The channel itself: things by SKU. `next_answers` go wrong, one call after the other."""

    things: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    next_answers: list[Exception] = field(default_factory=list)
    lose_next: bool = False
    only_say_so: bool = False
    """The next thing to be taken away stays, whatever is answered."""
    calls: int = 0

    def put(self, sku: str, price: int, quantity: int) -> str:
        """Put a thing there; nothing keeps anybody from doing it twice."""
        self._answer()
        shown = self.things.setdefault(sku, [])
        number = f"{sku}-{len(shown) + 1}"
        shown.append({"listing_id": number, "price": price, "quantity": quantity})
        self._lose()
        return number

    def change(self, sku: str, price: int, quantity: int) -> bool:
        """Give a thing another price and quantity; False when nothing is there."""
        self._answer()
        for thing in (shown := self.things.get(sku, [])):
            thing.update(price=price, quantity=quantity)
        self._lose()
        return bool(shown)

    def take_away(self, sku: str) -> None:
        """Take a thing away, if it is there."""
        self._answer()
        if self.only_say_so:
            self.only_say_so = False
            return
        self.things.pop(sku, None)
        self._lose()

    def look(self, sku: str) -> dict[str, Any] | None:
        """What is shown under this SKU."""
        self._answer()
        shown = self.things.get(sku, [])
        return dict(shown[0]) if shown else None

    def _answer(self) -> None:
        self.calls += 1
        if self.next_answers:
            raise self.next_answers.pop(0)

    def _lose(self) -> None:
        if self.lose_next:
            self.lose_next = False
            raise APITimeoutError("no answer")


@dataclass(frozen=True)
class Command:
    """What to show, and under which SKU."""

    sku: str
    price: int
    quantity: int
    version: int


Seen = dict[str, Any]
"""A thing as it was last seen."""


class ShelfPublish:
    """Handler of `publish` jobs on the made-up channel."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> Command | Verdict:
        if _live(session, job) is not None:
            return Cancel(Problem("already-listed", "It is on the shelf already."))
        return _command(session, job)

    def perform(self, command: Command, journal: Journal) -> Seen | Unknown:
        found = self._shelf.look(command.sku) if journal.must_probe else None
        if found is None:
            journal.checkpoint("nothing is there", certain=True)
            try:
                self._shelf.put(command.sku, command.price, command.quantity)
            except APITimeoutError as lost:
                return Unknown(Problem.of(lost), {"sku": command.sku})
            journal.checkpoint("put it there", progress={"sku": command.sku}, certain=False)
        return _seen(self._shelf, command, journal)

    def record(self, session: TenantSession, job: MarketplaceJob, result: Seen) -> Verdict:
        _write_live(session, job, result, self._clock)
        return Completed({"listing_id": result["listing_id"]})


class ShelfUpdate:
    """Handler of `update` jobs. A change replaces what was there: doing it again does no harm."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> Command | Verdict:
        if _live(session, job) is None:
            return Cancel(_NOT_LISTED)
        return _command(session, job)

    def perform(self, command: Command, journal: Journal) -> Seen | None:
        journal.checkpoint("about to change it", certain=True)
        if not self._shelf.change(command.sku, command.price, command.quantity):
            return None
        journal.checkpoint("changed it", certain=False)
        return _seen(self._shelf, command, journal)

    def record(self, session: TenantSession, job: MarketplaceJob, result: Seen | None) -> Verdict:
        if result is None:
            _write_ended(session, job, self._clock)
            return Cancel(Problem("listing-ended", "It is not on the shelf any more."))
        _write_live(session, job, result, self._clock)
        return Completed({"listing_id": result["listing_id"]})


class ShelfDelete:
    """Handler of `delete` jobs. It has ended when it is not to be seen any more."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> Command | Verdict:
        listing = ListingRepository(session).get(job.product_id or 0, CHANNEL)
        if listing is None:
            return Cancel(_NOT_LISTED)
        if listing.status is ListingStatus.ENDED:
            return Completed({"listing_id": listing.listing_id})
        return _command(session, job)

    def perform(self, command: Command, journal: Journal) -> str:
        journal.checkpoint("about to take it away", certain=True)
        self._shelf.take_away(command.sku)
        journal.checkpoint("took it away", certain=False)
        if self._shelf.look(command.sku) is not None:
            raise MarketplaceError("It is still to be seen; we try again.", remedy=Remedy.WAIT)
        journal.checkpoint("looked for it", certain=False)
        return command.sku

    def record(self, session: TenantSession, job: MarketplaceJob, result: str) -> Verdict:
        return Completed({"listing_id": _write_ended(session, job, self._clock)})


class ShelfLink:
    """Handler of `link` jobs."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> Command | Verdict:
        return _command(session, job)

    def perform(self, command: Command, journal: Journal) -> Seen | None:
        seen = self._shelf.look(command.sku)
        journal.checkpoint("looked for it")
        return None if seen is None else {**seen, "version": 0}

    def record(self, session: TenantSession, job: MarketplaceJob, result: Seen | None) -> Verdict:
        if result is None:
            return Cancel(Problem("nothing-to-link", "It is not on the shelf."))
        _write_live(session, job, result, self._clock)
        return Completed({"listing_id": result["listing_id"]})


_NOT_LISTED = Problem("not-listed", "It was never on the shelf.")


def shelf_handlers(shelf: Shelf, clock: Clock) -> HandlerTable:
    """All of them."""
    return {
        (CHANNEL, JobAction.PUBLISH): ShelfPublish(shelf, clock),
        (CHANNEL, JobAction.UPDATE): ShelfUpdate(shelf, clock),
        (CHANNEL, JobAction.DELETE): ShelfDelete(shelf, clock),
        (CHANNEL, JobAction.LINK): ShelfLink(shelf, clock),
    }


def _command(session: TenantSession, job: MarketplaceJob) -> Command:
    [product] = ProductRepository(session).by_ids([job.product_id or 0])
    [variant] = product.variants
    return Command(variant.channel_key, variant.price_minor, variant.quantity, product.version)


def _seen(shelf: Shelf, command: Command, journal: Journal) -> Seen:
    seen = shelf.look(command.sku)
    if seen is None:
        raise MarketplaceError("It is not to be seen yet; we look again.")
    journal.checkpoint("read it back", certain=False)
    return {**seen, "version": command.version}


def _live(session: TenantSession, job: MarketplaceJob) -> ChannelListing | None:
    listing = ListingRepository(session).get(job.product_id or 0, CHANNEL)
    return listing if listing and listing.status is ListingStatus.LIVE else None


def _write_live(session: TenantSession, job: MarketplaceJob, seen: Seen, clock: Clock) -> None:
    listings, now = ListingRepository(session), clock.now()
    listing = listings.get(job.product_id or 0, CHANNEL)
    if listing is None:
        listing = ChannelListing(product_id=job.product_id, channel=CHANNEL, remote={})
        _fill(listing, seen, now)
        listings.add(listing)
    else:
        _fill(listing, seen, now)


def _fill(listing: ChannelListing, seen: Seen, now: datetime) -> None:
    listing.status, listing.listing_id = ListingStatus.LIVE, seen["listing_id"]
    listing.product_version = seen["version"]
    listing.read_back = {"price": seen["price"], "quantity": seen["quantity"]}
    listing.published_at = listing.checked_at = now
    listing.ended_at = None


def _write_ended(session: TenantSession, job: MarketplaceJob, clock: Clock) -> str:
    listing = ListingRepository(session).get(job.product_id or 0, CHANNEL)
    assert listing is not None
    listing.status, listing.ended_at = ListingStatus.ENDED, clock.now()
    return listing.listing_id
