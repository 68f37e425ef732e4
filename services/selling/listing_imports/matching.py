"""Which product of ours a listing belongs to: by the channel's id, by SKU, or the seller decides.

No listing is linked because it looks like something: equal titles and photos make a suggestion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.selling.catalog import Product, ProductVariant
from models.selling.publishing import Channel, ListingStatus
from repositories.selling.catalog import ProductRepository
from repositories.selling.listing_imports import ListingMatchRepository
from repositories.selling.publishing import ListingRepository
from services.selling.listing_imports.told import NotImported, ToldListing, ToldVariant
from shared.database import TenantSession
from shared.text import fold, one_line

Pairs = Sequence[tuple[ToldVariant, ProductVariant]]


@dataclass(frozen=True, slots=True)
class Known:
    """It is in our books."""

    product_id: int


@dataclass(frozen=True, slots=True)
class Belongs:
    """It is of this product, which is locked."""

    product: Product
    variants: Pairs


@dataclass(frozen=True, slots=True)
class MayBelong:
    """The seller decides."""

    candidates: Sequence[int]
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class New:
    """Nothing of ours is like it."""


Match = Known | Belongs | MayBelong | New | NotImported


def match_by_name(
    session: TenantSession, channel: Channel, told: ToldListing, at: datetime
) -> Match:
    """By the channel's id of the listing, then by SKU. `at` is just before it was read."""
    matches = ListingMatchRepository(session)
    listed = matches.listed_as(channel, told.listing_id)
    if listed is not None:
        ended_since = listed.ended_at is not None and listed.ended_at >= at
        if listed.status is ListingStatus.LIVE or ended_since:
            return Known(listed.product_id)
        return _belongs(session, told, listed.product_id)
    owners = matches.with_skus(told.skus)
    if not owners:
        return New()
    elsewhere = ListingRepository(session).live([channel], owners)
    free = [product_id for product_id in owners if (product_id, channel) not in elsewhere]
    if not free:
        other = next(iter(elsewhere.values()))
        reason = f"Its SKU is that of a product which is for sale there already, as {other}."
        return NotImported("listed-twice", reason, told.title, told.listing_id)
    if len(owners) > 1:
        return MayBelong(free, "sku-of-several", "Several of your products have this SKU.")
    return _belongs(session, told, free[0])


def match_by_looks(
    session: TenantSession, channel: Channel, told: ToldListing, first_photo: str | None
) -> Match:
    """By exactly the same title or main photo: a suggestion, never more."""
    title = one_line(told.title)
    found = ListingMatchRepository(session).looking_like(channel, title, first_photo)
    if not found:
        return New()
    return MayBelong(found, "looks-alike", "A product of yours has the same title or main photo.")


def paired(told: ToldListing, product: Product) -> Pairs | None:
    """Each variant of the listing with its own of the product; None when one has none.

    By SKU, else by the same options, else the only one with the only one.
    """
    left = list(product.variants)
    found: list[tuple[ToldVariant, ProductVariant]] = []
    for variant in told.variants:
        own = _own(variant, left) or _alike(variant, left)
        if own is None and len(told.variants) == len(product.variants) == 1:
            own = left[0]
        if own is None:
            return None
        left.remove(own)
        found.append((variant, own))
    return found


def _belongs(session: TenantSession, told: ToldListing, product_id: int) -> Match:
    product = ProductRepository(session).locked(product_id)
    if product is None:
        return New()
    variants = paired(told, product)
    if variants is None:
        reason = "The listing has variants that the product with its SKU does not have."
        return MayBelong([product_id], "variants-differ", reason)
    return Belongs(product, variants)


def _own(told: ToldVariant, variants: Sequence[ProductVariant]) -> ProductVariant | None:
    if not told.sku:
        return None
    by_key = (each for each in variants if each.channel_key == told.sku)
    return next(by_key, None) or next((each for each in variants if each.sku == told.sku), None)


def _alike(told: ToldVariant, variants: Sequence[ProductVariant]) -> ProductVariant | None:
    wanted = [fold(value) for value in told.option_values]
    alike = (
        each
        for each in variants
        if wanted and [fold(value) for value in each.option_values] == wanted
    )
    return next(alike, None)
