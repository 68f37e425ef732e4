"""Compares listings with their channel: the one handler of `sync` jobs, whatever the channel.

It mends nothing. What has ended there is believed when the listing itself was asked for by its id;
many at once wait until the seller says that it is true. Nothing is ever taken for sold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from models.selling.publishing import Channel, ChannelListing, ListingStatus, MarketplaceJob
from repositories.selling.catalog import ProductRepository
from repositories.selling.drift import ENDED_THERE, DriftRepository
from repositories.selling.publishing import ListingRepository
from services.selling.drift.seen import HAS_ENDED, LiveListing, differences
from services.selling.publishing.desk import JobDesk
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import MarketplaceError, Remedy

CONFIRM_ENDED = "confirm_ended"
"""Payload: the seller has seen that many listings are gone, and it is true."""

FEW = 5
SHARE = 0.2
"""More ended listings than both of these, within a day, are held back until the seller confirms."""

_A_DAY = timedelta(days=1)
_LISTINGS_A_CHECKPOINT = 20
_NOT_LISTED = Problem("not-listed", "It was never listed there from here.")


@dataclass(frozen=True, slots=True)
class ToCompare:
    """A listing as we know it."""

    product_id: int
    listing_id: str
    remote: Mapping[str, Any]
    photos: Mapping[str, str]
    """Content hashes by the channel's names of the photos that were sent last, where kept."""
    was_live: bool

    @classmethod
    def of(cls, row: ChannelListing) -> "ToCompare":
        """Take it out of its row."""
        live = row.status is ListingStatus.LIVE
        photos = row.read_back.get("photos", {})
        return cls(row.product_id, row.listing_id, row.remote, photos, live)


class Eye(Protocol):
    """Looks at the listings of one account."""

    @property
    def desk(self) -> JobDesk:
        """Where the job's story is told."""
        ...

    def look(self, listing: ToCompare) -> LiveListing:
        """What the channel shows of it, asked for by its id."""
        ...


AccountT = TypeVar("AccountT")


class Sight(Protocol[AccountT]):
    """How a channel is looked at."""

    @property
    def channel(self) -> Channel:
        """Which one."""
        ...

    def account(self, session: TenantSession) -> AccountT | Cancel:
        """The shop's account there, or why it cannot be asked."""
        ...

    def open(self, tenant: TenantSchema, account: AccountT, journal: Journal) -> Eye:
        """Begin to look."""
        ...


@dataclass(frozen=True, slots=True)
class SyncCommand:
    """What to compare."""

    tenant: TenantSchema
    account: Any
    listings: Sequence[ToCompare]
    live: int
    """Listings of the account that are for sale, as far as we know."""
    ended_lately: int
    """Found ended within the last day."""
    confirmed: bool


@dataclass
class Compared:
    """What came of it."""

    looked: int = 0
    drifted: int = 0
    unread: int = 0
    """Listings that the channel would not show."""
    ended: list[int] = field(default_factory=list)
    """Products."""
    held: bool = False


class ListingSync:
    """Handler of `sync` jobs, of one product or of the whole account."""

    def __init__(self, sight: Sight[Any], database: Database, clock: Clock) -> None:
        self._sight = sight
        self._channel = sight.channel
        self._database = database
        self._clock = clock

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> SyncCommand | Verdict:
        """Every live listing; of one product, whatever we believe of it."""
        drift = DriftRepository(session)
        live = drift.live(self._channel)
        rows = live
        if job.product_id is not None:
            row = ListingRepository(session).get(job.product_id, self._channel)
            if row is None:
                return Cancel(_NOT_LISTED)
            rows = [row]
        account = self._sight.account(session)
        if isinstance(account, Cancel):
            return account
        return SyncCommand(
            session.tenant,
            account,
            [ToCompare.of(row) for row in rows],
            len(live),
            drift.ended_there_since(self._channel, self._clock.now() - _A_DAY),
            confirmed=job.payload.get(CONFIRM_ENDED) is True,
        )

    def perform(self, command: SyncCommand, journal: Journal) -> Compared:
        """One listing after the other; a later attempt goes on after the last checkpoint."""
        eye = self._sight.open(command.tenant, command.account, journal)
        if journal.must_probe:
            journal.checkpoint("looking changes nothing there", certain=True)
        done = journal.progress
        found = Compared(
            done.get("looked", 0),
            done.get("drifted", 0),
            done.get("unread", 0),
            list(done.get("ended", [])),
        )
        for listing in command.listings:
            if listing.product_id <= done.get("after", 0):
                continue
            self._compare(command.tenant, eye, listing, found)
            if found.looked % _LISTINGS_A_CHECKPOINT == 0:
                _note(eye.desk, listing.product_id, found)
        eye.desk.note("compared all listings", looked=found.looked, drifted=found.drifted)
        gone, there = len(found.ended) + command.ended_lately, command.live + command.ended_lately
        found.held = bool(found.ended) and gone > max(FEW, SHARE * there) and not command.confirmed
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: Compared) -> Verdict:
        """Write down what has ended, unless it is so much that somebody must look first."""
        since = job.started_at or job.created_at
        ended = sum(
            self._write_gone(session, product_id, since, held=result.held)
            for product_id in result.ended
        )
        return Completed(
            {
                "looked": result.looked,
                "drifted": result.drifted,
                "unread": result.unread,
                "ended": 0 if result.held else ended,
                "held_back": ended if result.held else 0,
            }
        )

    def _compare(self, tenant: TenantSchema, eye: Eye, listing: ToCompare, found: Compared) -> None:
        found.looked += 1
        try:
            seen = eye.look(listing)
        except MarketplaceError as refused:
            if refused.remedy in {Remedy.WAIT, Remedy.RECONNECT}:
                raise
            found.unread += 1
            eye.desk.note("could not be read", product_id=listing.product_id, why=refused.code)
            return
        if seen.live:
            with self._database.tenant(tenant) as session:
                found.drifted += self._write(session, listing, seen)
        elif listing.was_live:
            found.ended.append(listing.product_id)

    def _write(self, session: TenantSession, listing: ToCompare, seen: LiveListing) -> bool:
        """Whether it differs. A listing that was ended or begun meanwhile is left alone."""
        product = ProductRepository(session).get(listing.product_id)
        row = DriftRepository(session).locked(listing.product_id, self._channel)
        if product is None or row is None or ToCompare.of(row).was_live != listing.was_live:
            return False
        if row.listing_id != (seen.listing_id or row.listing_id):
            row.listing_id, row.url = seen.listing_id or row.listing_id, seen.url
        found = differences(product, seen)
        row.status, row.ended_at = ListingStatus.LIVE, None
        row.read_back = {
            **row.read_back,
            "live": seen.as_json(),
            "drift": [each.as_json() for each in found],
            "not_sent_yet": product.version > row.product_version,
            ENDED_THERE: False,
        }
        row.checked_at = self._clock.now()
        return bool(found)

    def _write_gone(
        self, session: TenantSession, product_id: int, since: datetime, *, held: bool
    ) -> bool:
        """Whether it was still in our books; what was published meanwhile is not gone."""
        row = DriftRepository(session).locked(product_id, self._channel)
        if row is None or row.status is not ListingStatus.LIVE or row.published_at > since:
            return False
        row.checked_at = self._clock.now()
        if held:
            row.read_back = {**row.read_back, "drift": [HAS_ENDED.as_json()]}
        else:
            end_there(row, row.checked_at)
        return True


def end_there(row: ChannelListing, now: datetime) -> None:
    """Write down that the channel has ended a listing. It was not sold by that."""
    row.status, row.ended_at = ListingStatus.ENDED, now
    row.read_back = {**row.read_back, "drift": [], ENDED_THERE: True}


def _note(desk: JobDesk, after: int, found: Compared) -> None:
    progress = {
        "after": after,
        "looked": found.looked,
        "drifted": found.drifted,
        "unread": found.unread,
        "ended": found.ended,
    }
    desk.note("compared listings", progress, looked=found.looked)
