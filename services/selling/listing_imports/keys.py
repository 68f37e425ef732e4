"""A listing that was there before us brings its own SKU, which becomes our key where it can.

eBay knows a live listing by its SKU for ever; so our key of the variant has to be that one. Where
the channel does not mind, the SKU is taken over only if every channel would take it
(docs/adr/0035).
"""

import re
from datetime import datetime

from models.selling.catalog import Product, ProductVariant
from models.selling.publishing import Channel
from repositories.selling.catalog import ProductRepository
from repositories.selling.listing_imports import ListingMatchRepository
from services.selling.listing_imports.matching import Pairs
from shared.database import TenantSession
from shared.errors import Conflict
from shared.ids import new_channel_key

_USABLE = re.compile(r"[A-Za-z0-9]{1,50}")
"""What eBay takes as a SKU; the other channels take more."""


class SkuInUse(Conflict):
    """The listing's SKU cannot become that of the product."""

    code, title = "sku-in-use", "The SKU of the listing cannot be used for this product"


def adopt_all(
    session: TenantSession, channel: Channel, product: Product, variants: Pairs, at: datetime
) -> None:
    """Make the listing's SKUs the product's. Raises `SkuInUse`.

    Nobody may know the variant by the key that it loses: neither a job that is under way nor a
    listing elsewhere, by whose orders it would not be found again.
    """
    changed = [(told.sku or "", own) for told, own in variants if told.sku != own.channel_key]
    if not changed:
        return
    if not all(sku for sku, _ in changed):
        raise SkuInUse("A variant of the listing has no SKU; give it one there, then import again.")
    if ProductRepository(session).holds(product.id).jobs:
        raise SkuInUse("Work on the product is under way; import again when it has ended.")
    _refuse_shown_elsewhere(session, channel, product, [own for _, own in changed])
    _set_free(session, product, [sku for sku, _ in changed])
    for sku, own in changed:
        own.channel_key, own.key_adopted_at = sku, at


def adopt_usable(session: TenantSession, variants: Pairs, at: datetime) -> None:
    """Take over those SKUs of a new product that every channel takes and nobody else has."""
    wanted = [told.sku for told, _ in variants if told.sku and _USABLE.fullmatch(told.sku)]
    holders = ListingMatchRepository(session).holders_of(wanted)
    for told, own in variants:
        if told.sku in wanted and wanted.count(told.sku) == 1 and told.sku not in holders:
            own.channel_key, own.key_adopted_at = told.sku, at


def _refuse_shown_elsewhere(
    session: TenantSession, channel: Channel, product: Product, losing: list[ProductVariant]
) -> None:
    """A listing of a single variant is found by its own id, whatever its SKU."""
    if len(product.variants) == 1:
        return
    for listing in ListingMatchRepository(session).live_elsewhere(product.id, channel):
        shown = {*listing.remote.get("skus", ()), *listing.remote.get("offers", ())}
        if shown & {own.channel_key for own in losing}:
            raise SkuInUse(
                f"The product is for sale on {listing.channel} under other SKUs. "
                "End that listing, import again, then publish it there anew."
            )


def _set_free(session: TenantSession, product: Product, skus: list[str]) -> None:
    """A deleted product gives its SKU up. Raises `SkuInUse` when a living one has it."""
    matches = ListingMatchRepository(session)
    for sku, holder in matches.holders_of(skus).items():
        if holder.product_id != product.id and not matches.is_deleted(holder.product_id):
            raise SkuInUse(f"Another product of yours goes by {sku} on the channels.")
        holder.channel_key = new_channel_key()
    ProductRepository(session).save()
