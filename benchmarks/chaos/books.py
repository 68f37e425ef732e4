"""eBay's own ledger beside the shops' tables, row by row."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos.shops import Shop
from benchmarks.chaos.site import Site
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobOutcome,
    JobStatus,
    ListingStatus,
    MarketplaceJob,
)
from repositories.selling.catalog import ProductRepository
from repositories.selling.publishing import JobFilter, JobRepository, ListingRepository
from shared.money import Money

_ALL = 1_000_000

Row = tuple[str, str, str, str, str, int]
"""Seller, listing id, offer id, SKU, price, quantity."""


@dataclass(frozen=True)
class Books:
    """What was found; `findings` says each in a line."""

    lost: int
    """Products that were asked for and did not end as a recorded live listing."""
    duplicates: int
    """Listings beyond the first that eBay ever had of one product."""
    disagreements: int
    """Rows that only one side has."""
    attempts: float
    """Of a job, on average."""
    findings: tuple[str, ...]


def compare(site: Site, shops: Sequence[Shop]) -> Books:
    """Look at everything, once all is quiet."""
    ledger = site.ebay.get("/_sandbox/ledger").raise_for_status().json()["listings"]
    theirs = {row for listing in ledger for row in _rows_of(listing)}
    ours: set[Row] = set()
    lost: list[str] = []
    attempts: list[int] = []
    for shop in shops:
        rows, missing, tries = _kept(site, shop)
        ours |= rows
        lost += missing
        attempts += tries
    times = Counter((each["seller"], each["group_key"] or each["sku"]) for each in ledger)
    doubled = [f"{seller} lists {what} {n} times" for (seller, what), n in times.items() if n > 1]
    apart = [f"only eBay has {row}" for row in theirs - ours]
    apart += [f"only we have {row}" for row in ours - theirs]
    return Books(
        len(lost),
        sum(times.values()) - len(times),
        len(apart),
        round(sum(attempts) / max(1, len(attempts)), 2),
        tuple(lost + doubled + apart),
    )


def _rows_of(listing: Mapping[str, Any]) -> Iterator[Row]:
    if listing["status"] != "ACTIVE":
        return
    single = {**listing, "offer_id": listing["offer_ids"][0]}
    for each in listing["variations"] or [single]:
        yield (
            listing["seller"],
            listing["listing_id"],
            each["offer_id"],
            each["sku"],
            f"{each['price']} {each['currency']}",
            each["quantity"],
        )


def _kept(site: Site, shop: Shop) -> tuple[set[Row], list[str], list[int]]:
    with site.container.database.tenant(shop.tenant) as session:
        products = ProductRepository(session).by_ids(shop.product_ids)
        found = ListingRepository(session).page(Channel.EBAY, ListingStatus.LIVE, None, _ALL)
        jobs = JobRepository(session).page(JobFilter(batch_id=shop.batch_id), None, _ALL)
    listings = {listing.product_id: listing for listing in found}
    done = {job.product_id: job for job in jobs}
    rows = {
        (
            shop.ebay_user,
            listings[product.id].listing_id,
            listings[product.id].remote["offers"].get(variant.channel_key, ""),
            variant.channel_key,
            str(Money(variant.price_minor, product.currency)),
            variant.quantity,
        )
        for product in products
        if product.id in listings
        for variant in product.variants
    }
    lost = [
        f"{shop.ebay_user}, product {product_id}: {_said(done.get(product_id))}"
        for product_id in shop.product_ids
        if not _is_recorded(done.get(product_id), listings.get(product_id))
    ]
    return rows, lost, [job.attempts for job in jobs]


def _is_recorded(job: MarketplaceJob | None, listing: ChannelListing | None) -> bool:
    if job is None or listing is None or job.result is None:
        return False
    ended_well = (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK)
    return ended_well and job.result["listing_id"] == listing.listing_id


def _said(job: MarketplaceJob | None) -> str:
    if job is None:
        return "no job"
    return f"{job.status}, {job.outcome}, {job.attempts} attempts, {job.problem_detail}"
