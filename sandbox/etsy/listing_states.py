"""A listing's life: drawn up, sold, taken down, expired, deleted, and what Etsy bills for it."""

import calendar
from datetime import UTC, datetime

from sandbox.etsy.errors import bad_request
from sandbox.etsy.listing_rules import check_sellable
from sandbox.etsy.state import EtsyState, Fee, Listing, Shop

TERM_MONTHS = 4
LISTING_FEE = 20
"""Cents of a US dollar, for four months."""
FEE_CURRENCY = "USD"


def term_from(moment: datetime) -> datetime:
    """When a listing that begins now ends: four calendar months later."""
    months = moment.month - 1 + TERM_MONTHS
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day)


def activate(state: EtsyState, listing: Listing, shop: Shop, now: datetime) -> None:
    """Put it up for sale. Raises EtsyError 400 where something is missing.

    What was sold out comes back with one unit. Billed, unless it was taken down within its term.
    Asking again for a listing that is active is billed as a renewal: of the real Etsy this is not
    known, and it is the dearer guess.
    """
    before = listing.state
    check_sellable(listing, shop, 1 if before == "sold_out" else listing.quantity)
    if before == "sold_out":
        listing.current[0].offering.quantity = 1
        listing.current[0].offering.is_enabled = True
    if before != "inactive" or listing.ends_at <= now.timestamp():
        _bill(state, listing, now, "listing" if before == "draft" else "renewal")
    _turn(listing, "active", now)


def deactivate(listing: Listing, now: datetime) -> None:
    """Take it down. Raises EtsyError 400 for a draft, which was never up."""
    if listing.state == "draft":
        raise bad_request("A draft cannot become inactive.")
    if listing.state == "active":
        _turn(listing, "inactive", now)


def sell_out(listing: Listing, now: datetime) -> None:
    """The last unit is gone."""
    _turn(listing, "sold_out", now)


def delete(listing: Listing, now: datetime) -> None:
    """Gone for everybody but the ledger."""
    listing.deleted_at = int(now.timestamp())


def end_listings(state: EtsyState, now: datetime) -> None:
    """Expire what has reached its end, or renew and bill it where the seller wants that."""
    for listing in state.listings.values():
        while listing.state == "active" and listing.ends_at <= now.timestamp():
            if listing.deleted_at is not None:
                break
            ended = datetime.fromtimestamp(listing.ends_at, UTC)
            if listing.content.get("should_auto_renew"):
                _bill(state, listing, ended, "auto_renewal")
            else:
                _turn(listing, "expired", ended)


def _bill(state: EtsyState, listing: Listing, now: datetime, kind: str) -> None:
    fee = Fee(now, listing.shop_id, listing.listing_id, kind, LISTING_FEE, FEE_CURRENCY)
    state.fees.append(fee)
    listing.ends_at = int(term_from(now).timestamp())


def _turn(listing: Listing, to: str, now: datetime) -> None:
    if listing.state != to:
        listing.state_at = int(now.timestamp())
    listing.state = to
