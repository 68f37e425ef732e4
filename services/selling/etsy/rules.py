"""Etsy's rules about a product itself, whatever its category."""

import unicodedata
from collections.abc import Iterator, Sequence

from models.selling.catalog import Product, ProductImage, ProductStatus
from shared.errors import FieldProblem
from shared.money import exponent_of

TITLE_LIMIT = 140
MAX_PHOTOS = 20
MAX_TAGS = 13
TAG_LIMIT = 20
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_QUANTITY = 999
"""Of all variants together."""
MAX_OPTIONS = 2
"""Things in which variants may differ."""

_PRICES = range(20, 5_000_001)
"""Minor units of a currency with two digits: 0.20 to 50,000."""

_ONCE_EACH = "%:&+"
_IN_TITLES = frozenset({"Nd", "Sm", "Zs"})
_SIGNS = "™©®"
_IN_TAGS = frozenset({"Nd", "Zs"})


def product_gaps(product: Product, currency: str | None, *, listed: bool) -> Sequence[FieldProblem]:
    """What Etsy would refuse. A product that is listed may have run out of stock."""
    return [
        *_about_text(product),
        *_about_photos(product.images),
        *_about_price(product, currency),
        *_about_options(product),
        *_about_stock(product, listed=listed),
    ]


def usable_tags(tags: Sequence[str]) -> list[str]:
    """The first 13 that Etsy takes."""
    return [tag for tag in tags if _tag_fits(tag)][:MAX_TAGS]


def left_out_tags(tags: Sequence[str]) -> Sequence[FieldProblem]:
    """What is said of tags that stay behind."""
    used = set(usable_tags(tags))
    message = f"Etsy takes {MAX_TAGS} tags of at most {TAG_LIMIT} letters, digits, spaces, - and '."
    return [
        FieldProblem(f"tags.{place}", message, "tag-left-out")
        for place, tag in enumerate(tags)
        if tag not in used
    ]


def _about_text(product: Product) -> Iterator[FieldProblem]:
    title = product.title
    if product.status is not ProductStatus.ACTIVE:
        yield FieldProblem("status", f"It is {product.status}; make it active.", "not-active")
    if not title.strip():
        yield FieldProblem("title", "Etsy needs a title.", "title-missing")
    if len(title) > TITLE_LIMIT:
        too_many = len(title) - TITLE_LIMIT
        message = f"Etsy takes {TITLE_LIMIT} characters; shorten it by {too_many}."
        yield FieldProblem("title", message, "title-too-long")
    if strange := "".join(sorted({sign for sign in title if not _fits_titles(sign)})):
        message = f"Etsy does not take these characters in titles: {strange}"
        yield FieldProblem("title", message, "title-characters")
    if often := [sign for sign in _ONCE_EACH if title.count(sign) > 1]:
        message = f"Etsy takes each of these once in a title: {' '.join(often)}"
        yield FieldProblem("title", message, "title-repeats")
    if not product.description.strip():
        yield FieldProblem("description", "Etsy needs a description.", "description-missing")


def _about_photos(photos: Sequence[ProductImage]) -> Iterator[FieldProblem]:
    if not photos:
        yield FieldProblem("images", "Etsy needs at least one photo.", "photo-missing")
    if len(photos) > MAX_PHOTOS:
        message = f"Etsy takes {MAX_PHOTOS} photos; remove {len(photos) - MAX_PHOTOS}."
        yield FieldProblem("images", message, "too-many-photos")
    for place, photo in enumerate(photos):
        if photo.bytes > MAX_PHOTO_BYTES:
            message = "Etsy takes photos of at most 10 MB; save it smaller."
            yield FieldProblem(f"images.{place}", message, "photo-too-large")


def _about_price(product: Product, currency: str | None) -> Iterator[FieldProblem]:
    if currency is None:
        return
    if product.currency != currency:
        message = f"The Etsy shop sells in {currency}, not in {product.currency}."
        yield FieldProblem("currency", message, "currency-not-accepted")
    if exponent_of(product.currency) != 2:
        return
    for place, variant in enumerate(product.variants):
        if variant.price_minor not in _PRICES:
            message = "Etsy takes prices from 0.20 to 50,000.00."
            yield FieldProblem(f"variants.{place}.price", message, "price-out-of-range")


def _about_options(product: Product) -> Iterator[FieldProblem]:
    if len(product.variants) > 1 and not product.option_names:
        message = "Say in what the variants differ, such as the size."
        yield FieldProblem("option_names", message, "options-missing")
    if len(product.option_names) > MAX_OPTIONS:
        message = f"On Etsy variants can differ in {MAX_OPTIONS} things."
        yield FieldProblem("option_names", message, "too-many-options")
    for place, variant in enumerate(product.variants):
        if any(sign in value for value in variant.option_values for sign in "()"):
            message = "Etsy takes no parentheses here."
            yield FieldProblem(f"variants.{place}.option_values", message, "option-characters")


def _about_stock(product: Product, *, listed: bool) -> Iterator[FieldProblem]:
    if not listed and not any(variant.quantity > 0 for variant in product.variants):
        yield FieldProblem(
            "variants.0.quantity", "None is in stock; raise the quantity.", "out-of-stock"
        )
    if product.quantity > MAX_QUANTITY:
        message = f"Etsy takes a quantity of at most {MAX_QUANTITY}, all variants together."
        yield FieldProblem("variants", message, "quantity-too-large")


def _fits_titles(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] in "LP" or category in _IN_TITLES or sign in _SIGNS


def _tag_fits(tag: str) -> bool:
    return 0 < len(tag.strip()) <= TAG_LIMIT and all(
        unicodedata.category(sign)[0] == "L"
        or unicodedata.category(sign) in _IN_TAGS
        or sign in f"-'{_SIGNS}"
        for sign in tag
    )
