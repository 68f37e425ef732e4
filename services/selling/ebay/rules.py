"""eBay's rules about a product itself, whatever its category."""

import re
from collections.abc import Iterator, Sequence

from models.selling.catalog import Product, ProductImage, ProductStatus
from services.gateways.ebay.marketplaces import Marketplace
from shared.errors import FieldProblem

TITLE_LIMIT = 80
MAX_PHOTOS = 24
MAX_PHOTO_BYTES = 12 * 1024 * 1024
MAX_VARIANTS = 250
_SKU = re.compile(r"[A-Za-z0-9]{1,50}")
"""Error 25707 says letters and digits only."""

HIGHEST_PRICE = 10**9
"""Minor units; eBay allows less in some categories."""


def product_gaps(
    product: Product, marketplace: Marketplace, *, listed: bool
) -> Sequence[FieldProblem]:
    """What eBay would refuse. A product that is listed may have run out of stock."""
    return [
        *_about_text(product),
        *_about_photos(product.images),
        *_about_price(product, marketplace),
        *_about_variants(product, listed=listed),
    ]


def _about_text(product: Product) -> Iterator[FieldProblem]:
    if product.status is not ProductStatus.ACTIVE:
        yield FieldProblem("status", f"It is {product.status}; make it active.", "not-active")
    if len(product.title) > TITLE_LIMIT:
        too_many = len(product.title) - TITLE_LIMIT
        yield FieldProblem(
            "title",
            f"eBay takes {TITLE_LIMIT} characters; shorten it by {too_many}.",
            "title-too-long",
        )
    if not product.title.strip():
        yield FieldProblem("title", "eBay needs a title.", "title-missing")
    if not product.description.strip():
        yield FieldProblem("description", "eBay needs a description.", "description-missing")


def _about_photos(photos: Sequence[ProductImage]) -> Iterator[FieldProblem]:
    if not photos:
        yield FieldProblem("images", "eBay needs at least one photo.", "photo-missing")
    if len(photos) > MAX_PHOTOS:
        message = f"eBay takes {MAX_PHOTOS} photos; remove {len(photos) - MAX_PHOTOS}."
        yield FieldProblem("images", message, "too-many-photos")
    for place, photo in enumerate(photos):
        if photo.bytes > MAX_PHOTO_BYTES:
            message = "eBay takes photos of at most 12 MB; save it smaller."
            yield FieldProblem(f"images.{place}", message, "photo-too-large")


def _about_price(product: Product, marketplace: Marketplace) -> Iterator[FieldProblem]:
    if product.currency != marketplace.currency:
        message = (
            f"{marketplace.id} takes prices in {marketplace.currency}, and this product's are in "
            f"{product.currency}. Nothing is converted: give it prices in {marketplace.currency}."
        )
        yield FieldProblem("currency", message, "currency-not-accepted")
    for place, variant in enumerate(product.variants):
        if not 0 < variant.price_minor <= HIGHEST_PRICE:
            message = "eBay does not take this price."
            yield FieldProblem(f"variants.{place}.price", message, "price-out-of-range")


def _about_variants(product: Product, *, listed: bool) -> Iterator[FieldProblem]:
    variants = product.variants
    if len(variants) > 1 and not product.option_names:
        message = "Say in what the variants differ, such as the size."
        yield FieldProblem("option_names", message, "options-missing")
    if len(variants) > MAX_VARIANTS:
        message = f"eBay takes {MAX_VARIANTS} variants in a listing."
        yield FieldProblem("variants", message, "too-many-variants")
    if not listed and not any(variant.quantity > 0 for variant in variants):
        message = "None is in stock; raise the quantity."
        yield FieldProblem("variants.0.quantity", message, "out-of-stock")
    for place, variant in enumerate(variants):
        if variant.key_adopted_at is None and not _SKU.fullmatch(variant.channel_key):
            message = "Its number on channels is not one that eBay accepts."
            yield FieldProblem(f"variants.{place}", message, "sku-not-accepted")
