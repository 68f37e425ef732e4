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
from services.accounts.outbox.recording import OutboxRecorder
from services.gateways.quotas import Quota
from services.selling.drift.news import ListingsCompared
from services.selling.drift.seen import HAS_ENDED, LiveListing, differences
from services.selling.publishing.desk import JobDesk
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Problem,
    Snooze,
    Verdict,
)
from services.selling.quotas.ledger import DatabaseLedger
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import MarketplaceError, Remedy

CONFIRM_ENDED = "confirm_ended"
"""Payload: the seller has seen that many listings are gone, and it is true."""

BACKGROUND = "background"
"""Payload: nobody waits. Of the listings that are due, the longest due, while calls last."""

LOOKED_AT_EVERY = timedelta(hours=20)
"""A listing that was not looked at for so long is due: at least daily, with room for delays."""

SLICE = 200
VISITS_A_DAY = 10
"""One background job looks at so many listings, or at a tenth of the shop's where that is more."""

BACKGROUND_SHARE = 0.5
"""Of each daily quota; what is left belongs to sellers who wait."""

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

    @property
    def quotas(self) -> Sequence[Quota]:
        """Against what each look counts."""
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
    background: bool

    @property
    def scope(self) -> str:
        """Under what the job's progress is kept: a part is not taken for the whole."""
        return "part" if self.background else "all"


@dataclass
class Compared:
    """What came of it."""

    background: bool
    looked: int = 0
    drifted: int = 0
    newly_drifted: int = 0
    unread: int = 0
    """Listings that the channel would not show."""
    ended: list[int] = field(default_factory=list)
    """Products."""
    put_off: int = 0
    """Listings left for later: the background's share of calls is used up."""

    def as_json(self) -> dict[str, Any]:
        """The job's result, but for what has ended."""
        return {name: getattr(self, name) for name in ("looked", "drifted", "unread", "put_off")}


class ListingSync:
    """Handler of `sync` jobs, of one product or of the whole account."""

    def __init__(self, sight: Sight[Any], database: Database, clock: Clock) -> None:
        self._sight = sight
        self._channel = sight.channel
        self._database = database
        self._ledger = DatabaseLedger(database, clock)
        self._outbox = OutboxRecorder(clock)
        self._clock = clock

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> SyncCommand | Verdict:
        """Every live listing, or those that are due; of one product, whatever we believe of it."""
        background = job.payload.get(BACKGROUND) is True
        rows = self._rows(session, job.product_id, background=background)
        if job.product_id is not None and not rows:
            return Cancel(_NOT_LISTED)
        account = self._sight.account(session)
        if isinstance(account, Cancel):
            return account
        listings = [ToCompare.of(row) for row in rows]
        return SyncCommand(session.tenant, account, listings, background)

    def perform(self, command: SyncCommand, journal: Journal) -> Compared:
        """One listing after the other; a later attempt goes on after the last checkpoint."""
        eye = self._sight.open(command.tenant, command.account, journal)
        if journal.must_probe:
            journal.checkpoint("looking changes nothing there", certain=True)
        done = dict(journal.progress.get(command.scope, {}))
        after = done.pop("after", 0)
        found = Compared(command.background, **done)
        left = [each for each in command.listings if each.product_id > after]
        for place, listing in enumerate(left):
            if command.background and not self._has_spare_calls(command.tenant):
                found.put_off = len(left) - place
                break
            self._compare(command.tenant, eye, listing, found)
            if found.looked % _LISTINGS_A_CHECKPOINT == 0:
                _note(eye.desk, command.scope, listing.product_id, found)
        eye.desk.note("compared all listings", looked=found.looked, drifted=found.drifted)
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: Compared) -> Verdict:
        """Write down what has ended, unless it is so much that somebody must look first."""
        held = self._is_much(session, result) and job.payload.get(CONFIRM_ENDED) is not True
        since = job.started_at or job.created_at
        waiting = DriftRepository(session).number_held(self._channel)
        gone = sum(
            self._write_gone(session, product_id, since, held=held) for product_id in result.ended
        )
        ended, held_back = (0, gone) if held else (gone, 0)
        if (held_back and not waiting) or (result.background and (ended or result.newly_drifted)):
            news = ListingsCompared(self._channel, result.newly_drifted, ended, held_back)
            self._outbox.record(session, news)
        if result.background and job.payload.get(BACKGROUND) is not True:
            return Snooze(self._clock.now(), "all listings, as was asked for meanwhile")
        return Completed({**result.as_json(), "ended": ended, "held_back": held_back})

    def _rows(
        self, session: TenantSession, product_id: int | None, *, background: bool
    ) -> Sequence[ChannelListing]:
        drift = DriftRepository(session)
        if product_id is not None:
            row = ListingRepository(session).get(product_id, self._channel)
            return [] if row is None else [row]
        if not background:
            return drift.live(self._channel)
        size = max(SLICE, drift.number_live(self._channel) // VISITS_A_DAY)
        return drift.not_looked_at_since(self._channel, self._clock.now() - LOOKED_AT_EVERY, size)

    def _has_spare_calls(self, tenant: TenantSchema) -> bool:
        return self._ledger.has_spare(self._sight.quotas, tenant.name, BACKGROUND_SHARE)

    def _is_much(self, session: TenantSession, found: Compared) -> bool:
        """A day counts as one change, so that many do not end a few at a time."""
        drift = DriftRepository(session)
        before = drift.ended_there_since(self._channel, self._clock.now() - _A_DAY)
        gone, there = len(found.ended) + before, drift.number_live(self._channel) + before
        return gone > max(FEW, SHARE * there)

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
                self._write(session, listing, seen, found)
        elif listing.was_live:
            found.ended.append(listing.product_id)

    def _write(
        self, session: TenantSession, listing: ToCompare, seen: LiveListing, found: Compared
    ) -> None:
        """A listing that was ended or begun meanwhile is left alone."""
        product = ProductRepository(session).get(listing.product_id)
        row = DriftRepository(session).locked(listing.product_id, self._channel)
        if product is None or row is None or ToCompare.of(row).was_live != listing.was_live:
            return
        if row.listing_id != (seen.listing_id or row.listing_id):
            row.listing_id, row.url = seen.listing_id or row.listing_id, seen.url
        differing = differences(product, seen)
        found.drifted += bool(differing)
        found.newly_drifted += bool(differing) and not row.read_back.get("drift")
        row.status, row.ended_at = ListingStatus.LIVE, None
        row.read_back = {
            **row.read_back,
            "live": seen.as_json(),
            "drift": [each.as_json() for each in differing],
            ENDED_THERE: False,
        }
        row.checked_at = self._clock.now()

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


def _note(desk: JobDesk, scope: str, after: int, found: Compared) -> None:
    progress = {
        "after": after,
        "looked": found.looked,
        "drifted": found.drifted,
        "newly_drifted": found.newly_drifted,
        "unread": found.unread,
        "ended": found.ended,
    }
    desk.note("compared listings", {scope: progress}, looked=found.looked)
