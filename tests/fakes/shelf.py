"""A made-up channel and its handler: the least that a handler has to do."""

from dataclasses import dataclass, field
from typing import Any

from models.selling.publishing import Channel, ChannelListing, ListingStatus, MarketplaceJob
from repositories.selling.catalog import ProductRepository
from repositories.selling.publishing import ListingRepository
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
from shared.errors import APITimeoutError, MarketplaceError

CHANNEL = Channel.BAZAAR


@dataclass
class Shelf:
    """The channel itself: things by SKU. `next_answers` go wrong, one call after the other."""

    things: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    next_answers: list[Exception] = field(default_factory=list)
    lose_next: bool = False
    calls: int = 0

    def put(self, sku: str, price: int, quantity: int) -> str:
        """Put a thing there; nothing keeps anybody from doing it twice."""
        self._answer()
        shown = self.things.setdefault(sku, [])
        number = f"{sku}-{len(shown) + 1}"
        shown.append({"listing_id": number, "price": price, "quantity": quantity})
        if self.lose_next:
            self.lose_next = False
            raise APITimeoutError("no answer")
        return number

    def look(self, sku: str) -> dict[str, Any] | None:
        """What is shown under this SKU."""
        self._answer()
        shown = self.things.get(sku, [])
        return shown[0] if shown else None

    def _answer(self) -> None:
        self.calls += 1
        if self.next_answers:
            raise self.next_answers.pop(0)


@dataclass(frozen=True)
class PutCommand:
    """What to show."""

    sku: str
    price: int
    quantity: int
    version: int


class ShelfPublish:
    """Handler of `publish` jobs on the made-up channel."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> PutCommand | Verdict:
        [product] = ProductRepository(session).by_ids([job.product_id or 0])
        if ListingRepository(session).get(product.id, CHANNEL) is not None:
            return Cancel(Problem("already-listed", "It is on the shelf already."))
        [variant] = product.variants
        return PutCommand(
            variant.channel_key, variant.price_minor, variant.quantity, product.version
        )

    def perform(self, command: PutCommand, journal: Journal) -> dict[str, Any] | Unknown:
        found = self._shelf.look(command.sku) if journal.must_probe else None
        if found is None:
            journal.checkpoint("nothing is there", certain=True)
            try:
                self._shelf.put(command.sku, command.price, command.quantity)
            except APITimeoutError as lost:
                return Unknown(Problem.of(lost), {"sku": command.sku})
            journal.checkpoint("put it there", progress={"sku": command.sku}, certain=False)
        seen = self._shelf.look(command.sku)
        if seen is None:
            raise MarketplaceError("It is not to be seen yet; we look again.")
        journal.checkpoint("read it back", certain=False)
        return {**seen, "version": command.version}

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: dict[str, Any]
    ) -> Verdict:
        now = self._clock.now()
        ListingRepository(session).add(
            ChannelListing(
                product_id=job.product_id,
                channel=CHANNEL,
                status=ListingStatus.LIVE,
                listing_id=result["listing_id"],
                remote={},
                product_version=result["version"],
                read_back={"price": result["price"], "quantity": result["quantity"]},
                published_at=now,
                checked_at=now,
            )
        )
        return Completed({"listing_id": result["listing_id"]})
